"""Lassos that become gates, gates that are edited, paths, and the keys of the dock."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from dock_hands import circle_on_screen, drag_map
from map_pixels import settle
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget
from view_contract import explorer_with_map

from embedscope.explorer import Presenter, Reconstruction
from embedscope.explorer.marks._regions import in_polygon
from embedscope.napari_dock._dock_view import DockView
from embedscope.napari_dock.map._gestures import Tool
from embedscope.samples import samples_from_array

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def view(show_widget):
    return show_widget(DockView(), 400, 950)


@pytest.fixture
def explorer(view):
    made = explorer_with_map()
    presenter = Presenter(made, view, "view")
    settle()
    yield made
    presenter.close()


def hands_at(view):
    """What `drag_map` needs: a view alone has no dock."""
    return SimpleNamespace(view=view)


def press_key(view, qtbot, key, keys=Qt.KeyboardModifier.NoModifier, at=None):
    with qtbot.waitActive(view):
        view.activateWindow()
    target: QWidget = at or view.canvas.native
    target.setFocus()
    QTest.keyClick(target, key, keys)
    settle()


def test_a_lasso_is_kept_as_a_gate_of_the_same_samples(view, explorer):
    keep = view.map_panel.keep
    assert not keep.isEnabled()
    drag_map(hands_at(view), Tool.LASSO, circle_on_screen(view))
    chosen = explorer.selection.rows
    assert 0 < len(chosen) < 60
    assert keep.isEnabled()
    keep.click()
    (gate,) = explorer.gates
    inside = np.flatnonzero(in_polygon(explorer.embedding.positions, gate.polygon))
    np.testing.assert_array_equal(inside, chosen)
    assert len(gate.polygon) < 30  # few enough to drag
    assert view.gates_panel.active == gate.name
    assert view.message.text() == f"{gate.name}: {len(chosen)} of 60 samples"
    assert not keep.isEnabled()
    assert explorer.selection.rows.tolist() == chosen.tolist()


def test_a_box_is_kept_as_a_gate_of_four_corners(view, explorer):
    way = circle_on_screen(view, share=0.25)
    drag_map(hands_at(view), Tool.RECTANGLE, [way.min(axis=0), way.mean(axis=0), way.max(axis=0)])
    chosen = explorer.selection.rows.tolist()
    view.map_panel.keep.click()
    (gate,) = explorer.gates
    assert len(gate.polygon) == 4
    explorer.clear_selection()
    view.gates_panel.buttons["Select"].click()
    assert explorer.selection.rows.tolist() == chosen


def test_another_selection_puts_the_lasso_away(view, explorer):
    drag_map(hands_at(view), Tool.LASSO, circle_on_screen(view))
    explorer.select_rows([1])
    assert not view.map_panel.keep.isEnabled()
    assert view.marks.lasso is None


def test_the_gate_that_was_drawn_last_can_be_reshaped_at_once_and_undone(view, explorer, qtbot):
    drag_map(hands_at(view), Tool.GATE, circle_on_screen(view, share=0.2))
    (gate,) = explorer.gates
    before = gate.polygon
    corner = view.canvas.map_view.to_pixels(before)[0]
    drag_map(hands_at(view), Tool.LASSO, [corner, corner + 10, corner + np.array([60, -60])])
    (reshaped,) = explorer.gates
    moved = (reshaped.polygon != before).any(axis=1)
    assert moved.tolist() == [True] + [False] * (len(before) - 1)
    press_key(view, qtbot, Qt.Key.Key_Z, CONTROL)
    np.testing.assert_array_equal(explorer.gates[gate.name].polygon, before)
    assert "Undone" in view.message.text()
    press_key(view, qtbot, Qt.Key.Key_Z, CONTROL | SHIFT)
    np.testing.assert_array_equal(explorer.gates[gate.name].polygon, reshaped.polygon)
    press_key(view, qtbot, Qt.Key.Key_Z, CONTROL)
    press_key(view, qtbot, Qt.Key.Key_Y, CONTROL)
    np.testing.assert_array_equal(explorer.gates[gate.name].polygon, reshaped.polygon)


def test_gates_are_renamed_combined_and_removed_in_the_list(view, explorer, qtbot):
    positions = explorer.embedding.positions
    drag_map(hands_at(view), Tool.GATE, circle_on_screen(view, share=0.4))
    drag_map(hands_at(view), Tool.GATE, circle_on_screen(view, share=0.2))
    panel = view.gates_panel
    panel.list.topLevelItem(0).setText(0, "outer")
    assert explorer.gates.names == ("outer", "Gate 2")
    assert view.message.text().startswith("outer: ")
    panel.list.topLevelItem(0).setSelected(True)
    panel.list.topLevelItem(1).setSelected(True)
    panel.combination.setCurrentText("first only")
    panel.buttons["Combine"].click()
    ring = explorer.gates.memberships(positions)["Gate 3"]
    outer, inner = (
        in_polygon(positions, explorer.gates[name].polygon) for name in ("outer", "Gate 2")
    )
    np.testing.assert_array_equal(ring, outer & ~inner)
    assert panel.list.topLevelItem(2).text(1) == str(ring.sum())
    panel.choose("outer")
    press_key(view, qtbot, Qt.Key.Key_Delete, at=panel.list)
    assert "Remove or edit its users first" in view.message.text()  # the combination needs it
    panel.choose("Gate 3")
    press_key(view, qtbot, Qt.Key.Key_Delete, at=panel.list)
    assert explorer.gates.names == ("outer", "Gate 2")


def test_a_renamed_gate_stays_chosen(view, explorer):
    drag_map(hands_at(view), Tool.GATE, circle_on_screen(view))
    view.gates_panel.list.topLevelItem(0).setText(0, "G1 cells")
    assert view.gates_panel.active == "G1 cells"


def path_of(explorer, n_steps=4):
    """Steps along the map, drawn by a decoder that paints its number."""
    positions = explorer.embedding.positions
    return tuple(
        Reconstruction(
            positions[row].astype(np.float64),
            np.full((6, 6, 1), row / 60, np.float32),
            np.full((6, 6, 3), 4 * row, np.uint8),
            np.array([row, row + 1]),
            np.zeros(2),
            row / 60,
            True,
        )
        for row in range(0, 10 * n_steps, 10)
    )


@pytest.fixture
def pictures(view, explorer):
    """The same map, of pictures."""
    positions = explorer.embedding.positions
    values = np.random.default_rng(0).random((60, 6, 6, 1), dtype=np.float32)
    explorer.set_samples(samples_from_array(values))
    explorer.place(positions)
    settle()
    return explorer


def test_a_path_shows_a_film_strip_whose_steps_can_be_looked_at(view, pictures):
    panel, path = view.sample_panel, path_of(pictures)
    view.show_reconstruction(path)
    assert [button.text() for button in panel.strip.steps] == ["0 %", "17 %", "33 %", "50 %"]
    assert panel.path_layer.isEnabled()
    panel.strip.steps[3].click()
    assert "support 50 %" in panel.text.text()
    assert sum(label.isVisible() for label in panel.real) == 2
    view.show_reconstruction(path[1])
    assert not panel.strip.isVisible()
    assert not panel.path_layer.isEnabled()
    assert "support 17 %" in panel.text.text()


def test_a_path_through_a_table_lists_what_changes_most(view, explorer):
    rows = [np.array([0.0, 1.0, -3.0, 2.0]), np.array([0.5, 1.0, 4.0, 0.0])]
    none = np.zeros(0, np.int64)
    path = tuple(
        Reconstruction(np.zeros(2), row.astype(np.float32), None, none, np.zeros(0), 0.5, True)
        for row in rows
    )
    view.show_reconstruction(path)
    lines = view.sample_panel.text.text().splitlines()
    names = explorer.samples.feature_names
    assert f"{names[2]}: -3 → 4" in lines
    assert lines.index(f"{names[2]}: -3 → 4") < lines.index(f"{names[3]}: 2 → 0")
    assert not view.sample_panel.grid_layer.isEnabled()


def test_escape_puts_away_stroke_then_selection_lasso_and_path(view, pictures, qtbot):
    drag_map(hands_at(view), Tool.LASSO, circle_on_screen(view))
    view.show_reconstruction(path_of(pictures))
    cleared: list[bool] = []
    view.intents.reconstruction_clearing_requested.connect(lambda: cleared.append(True))
    press_key(view, qtbot, Qt.Key.Key_Escape)
    assert len(pictures.selection) == 0
    assert view.marks.lasso is None
    assert cleared == [True]


def test_why_here_is_asked_of_the_selection_or_of_a_gate(view, explorer):
    asked: list[str] = []
    view.intents.explanation_requested.connect(lambda: asked.append("selection"))
    view.intents.gate_explanation_requested.connect(asked.append)
    drag_map(hands_at(view), Tool.GATE, circle_on_screen(view))
    panel = view.why_panel
    panel.button.click()
    panel.of.setCurrentIndex(panel.of.findText("Gate 1"))
    panel.button.click()
    assert asked == ["selection", "Gate 1"]
    explorer.remove_gate("Gate 1")
    assert panel.of.currentData() == ""
