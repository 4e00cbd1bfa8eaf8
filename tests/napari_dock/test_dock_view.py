"""The dock's view keeps the contract of all front ends, by real mouse events on its canvas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dock_hands import move_mouse, send
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication, QComboBox, QSlider
from view_contract import SQUARE, Shown, ViewContract, explorer_with_map

from embedscope.explorer import ColorBy, Presenter
from embedscope.napari_dock._dock_view import DockView
from embedscope.napari_dock.map._gestures import Tool
from embedscope.samples import samples_from_array

_KEYS = {
    "replace": Qt.KeyboardModifier.NoModifier,
    "add": Qt.KeyboardModifier.ShiftModifier,
    "subtract": Qt.KeyboardModifier.AltModifier,
}
_DOWNWARD = np.array([-0.05, -0.05])  # so that the points on the edges are clearly inside


def draw(view: DockView, points: np.ndarray, mode: str = "replace") -> None:
    """Press at the first point, move along the others, let go at the last."""
    native, button = view.canvas.native, Qt.MouseButton.LeftButton
    pixels = [QPoint(*map(round, pixel)) for pixel in view.canvas.map_view.to_pixels(points)]
    QTest.mousePress(native, button, _KEYS[mode], pixels[0])
    for pixel in pixels[1:]:
        send(native, QEvent.Type.MouseMove, (pixel.x(), pixel.y()), _KEYS[mode])
    QTest.mouseRelease(native, button, _KEYS[mode], pixels[-1])


class TestDockView(ViewContract):
    @pytest.fixture(autouse=True)
    def _shown_by(self, qtbot: Any) -> None:
        self.qtbot = qtbot

    def make_view(self) -> DockView:
        view = DockView()
        self.qtbot.addWidget(view)
        view.resize(420, 900)
        with self.qtbot.waitExposed(view):
            view.show()
        return view

    def settle(self, view: DockView) -> None:
        for _ in range(3):
            QApplication.processEvents()

    def read(self, view: DockView) -> Shown:
        points, items = view.canvas.map_view.points, view.gates_panel.list
        rows = [items.topLevelItem(place) for place in range(items.topLevelItemCount())]
        return Shown(
            n_points=len(points.positions),
            selected=points.selected.tolist(),
            hovered=view.hovered_row,
            gates={row.text(0): int(row.text(1).replace(",", "")) for row in rows},
            parameters=view.form.values(),
            phase=view.train_panel.phase.value,
            positions=points.positions,
            loss_names=list(view.loss_plot.losses),
            error=view.message.text(),
            novel=points.marked.tolist(),
        )

    def lasso(self, view: DockView, polygon: np.ndarray, mode: str) -> None:
        closed = np.concatenate([polygon, polygon[:1]]) + _DOWNWARD
        draw(view, closed, mode)


@pytest.fixture
def view(show_widget):
    return show_widget(DockView(), 400, 900)


@pytest.fixture
def explorer(view):
    made = explorer_with_map()
    presenter = Presenter(made, view, "view")
    QApplication.processEvents()
    yield made
    presenter.close()


def test_a_rectangle_selects(view, explorer):
    view.map_panel.tools[Tool.RECTANGLE].click()
    draw(view, np.array([[-1.1, -1.1], [-0.5, 0.0], [0.1, 0.3]]))
    x, y = explorer.embedding.positions.T
    np.testing.assert_array_equal(explorer.selection.rows, np.flatnonzero((x < 0.1) & (y < 0.3)))


def test_a_gate_is_drawn_named_and_reshaped_by_its_corner(view, explorer):
    view.map_panel.tools[Tool.GATE].click()
    draw(view, np.concatenate([SQUARE, SQUARE[:1]]) + _DOWNWARD)
    (gate,) = explorer.gates
    before = int(explorer.gate_counts()["count"].sum())
    view.gates_panel.list.topLevelItem(0).setSelected(True)
    corner = gate.polygon[np.argmax(gate.polygon.sum(axis=1))]
    draw(view, np.array([corner, corner + 0.3, [1.2, 1.2]]))
    assert int(explorer.gate_counts()["count"].sum()) > before
    assert [each.name for each in explorer.gates] == [gate.name]


def test_a_click_selects_the_nearest_point_and_asks_to_go_there(view, explorer):
    visited: list[int] = []
    view.visited.connect(visited.append)
    draw(view, explorer.embedding.positions[[17]])
    assert explorer.selection.rows.tolist() == visited == [17]
    draw(view, np.array([[-0.9, -0.8]]))  # far from all points
    assert len(explorer.selection) == 0
    assert visited == [17]


def test_the_pointer_finds_a_sample_and_leaves_it(view, explorer, qtbot):
    pixel = view.canvas.map_view.to_pixels(explorer.embedding.positions[[23]])[0]
    move_mouse(view.canvas.native, pixel)
    qtbot.waitUntil(lambda: explorer.hovered.row == 23, timeout=60_000)
    assert view.card.isVisible()
    assert "23" in view.card.text.text()
    move_mouse(view.canvas.native, (2, 2))
    qtbot.waitUntil(lambda: explorer.hovered.row is None, timeout=60_000)
    assert not view.card.isVisible()


def test_escape_clears_the_selection_and_undo_brings_it_back(view, explorer, qtbot):
    explorer.select_rows([1, 2])
    with qtbot.waitActive(view):
        view.activateWindow()
    view.canvas.native.setFocus()
    QTest.keyClick(view.canvas.native, Qt.Key.Key_Escape)
    assert len(explorer.selection) == 0
    QTest.keyClick(view.canvas.native, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert explorer.selection.rows.tolist() == [1, 2]


def test_a_class_of_the_legend_is_hidden_and_shown_again(view, qtbot):
    explorer = explorer_with_map()
    samples = samples_from_array(np.eye(60, 4, dtype=np.float32))
    explorer.set_samples(samples.with_features(kind=np.repeat(["a", "b"], 30)))
    other = DockView(lambda: explorer.color_by)
    qtbot.addWidget(other)
    presenter = Presenter(explorer, other, "other")
    explorer.color("kind")
    assert other.map_panel.color_by.currentText() == "kind"
    other.map_panel.legend.toggled.emit("a", False)
    assert explorer.color_by == ColorBy("feature", "kind", hidden=frozenset({"a"}))
    assert [entry.visible for entry in explorer.coloring.legend] == [False, True]
    assert (other.canvas.map_view.points.rgba[:30, 3] == 0).all()
    presenter.close()


def test_every_control_says_what_it_does(view):
    controls = (QAbstractButton, QComboBox, QSlider)
    silent = [
        type(control).__name__
        for kind in controls
        for control in view.findChildren(kind)
        if control.isVisible() and not _explained(control, view)
    ]
    assert silent == []


def _explained(control: Any, top: Any) -> bool:
    """A tooltip of its own, or of a widget that it is a part of."""
    while control is not None and control is not top:
        if control.toolTip() or type(control).__name__ in ("QScrollBar", "QTabBar"):
            return True
        control = control.parentWidget()
    return False


def test_nothing_is_cut_off_at_400_pixels(view, explorer):
    inside = view.scroll_area.widget()
    assert inside.minimumSizeHint().width() <= view.scroll_area.viewport().width()
