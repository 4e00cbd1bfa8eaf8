"""The map in a window of its own, and back: points, camera, tools and keys go along."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from dock_hands import circle_on_screen, drag_map
from map_pixels import inked, settle
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget
from view_contract import explorer_with_map

from embedscope.explorer import Presenter
from embedscope.napari_dock._dock_view import DockView
from embedscope.napari_dock.map._gestures import Tool


@pytest.fixture
def window(qtbot):
    """A main window with the view in a dock, as in napari."""
    made = QMainWindow()
    qtbot.addWidget(made)
    made.setCentralWidget(QWidget())
    made.resize(900, 950)
    return made


@pytest.fixture
def view(window, qtbot):
    shown, dock = DockView(), QDockWidget()
    dock.setWidget(shown)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.resizeDocks([dock], [400], Qt.Orientation.Horizontal)
    with qtbot.waitExposed(window):
        window.show()
    settle()
    return shown


@pytest.fixture
def explorer(view):
    made = explorer_with_map()
    presenter = Presenter(made, view, "view")
    settle()
    yield made
    presenter.close()


def drawn(view, row) -> bool:
    map_view = view.canvas.map_view
    pixel = map_view.to_pixels(map_view.points.positions[[row]].astype(float))[0]
    x, y = pixel.round().astype(int)
    return bool(inked(map_view)[y - 2 : y + 3, x - 2 : x + 3].any())


def in_view(view) -> np.ndarray:
    """Middle of the window of the map, and how wide it is, in map units."""
    left, bottom, width, height = view.canvas.map_view.rect
    return np.array([left + width / 2, bottom + height / 2, width])


def test_the_map_goes_into_a_window_and_comes_back_as_it_was(view, explorer, qtbot):
    explorer.select_rows([3, 4, 5])
    view.map_panel.tools[Tool.RECTANGLE].click()
    view.canvas.map_view.show_box(np.array([-0.6, -0.6]), np.array([0.7, 0.7]))
    settle()
    before = in_view(view)
    n_before = inked(view.canvas.map_view).sum()
    for out in (True, False, True, False):
        if out:
            view.map_panel.pop.click()
        else:
            view.map_container.window_of_map.close()
        settle()
        qtbot.waitUntil(lambda: inked(view.canvas.map_view).any(), timeout=60_000)
        assert view.map_container.is_popped_out == out
        assert view.map_container.window_of_map.isVisible() == out
        assert view.map_container.placeholder.isVisible() == out
        assert view.map_panel.isVisible()
        assert drawn(view, 24)
        np.testing.assert_allclose(in_view(view), before, atol=1e-6)
        assert view.canvas.tool is Tool.RECTANGLE
        assert view.canvas.map_view.points.selected.tolist() == [3, 4, 5]
    assert inked(view.canvas.map_view).sum() == pytest.approx(n_before, rel=0.3)


def test_in_its_window_the_map_is_larger_and_works(view, explorer, qtbot):
    narrow = view.canvas.width()
    view.map_panel.pop.click()
    window = view.map_container.window_of_map
    with qtbot.waitActive(window):
        window.activateWindow()
    settle()
    assert view.canvas.width() > 1.3 * narrow
    drag_map(SimpleNamespace(view=view), Tool.LASSO, circle_on_screen(view))
    chosen = explorer.selection.rows.tolist()
    assert 0 < len(chosen) < 60
    view.canvas.native.setFocus()
    QTest.keyClick(view.canvas.native, Qt.Key.Key_Escape)
    assert len(explorer.selection) == 0
    QTest.keyClick(view.canvas.native, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert explorer.selection.rows.tolist() == chosen
    assert "into the dock" in view.map_panel.pop.toolTip()
    view.map_panel.pop.click()
    assert not view.map_container.is_popped_out
    assert view.canvas.width() == pytest.approx(narrow, abs=30)


def test_the_placeholder_brings_the_map_back(view, explorer):
    view.map_container.pop_out()
    view.map_container.dock_back()
    view.map_container.dock_back()
    assert not view.map_container.is_popped_out
    assert not view.map_container.window_of_map.isVisible()


def test_it_moves_live_in_its_window(view, explorer):
    view.map_container.pop_out()
    settle()
    moved = explorer.embedding.positions * np.float32(3)
    explorer.place(moved)
    settle()
    assert drawn(view, 24)
    np.testing.assert_array_equal(view.canvas.map_view.points.positions, moved)


def test_nothing_of_the_map_is_cut_off_at_400_pixels(view, explorer):
    panel = view.map_panel
    assert panel.minimumSizeHint().width() <= 400 - 2 * 8
    for button in (*panel.tools.values(), panel.keep, panel.whole, panel.pop, panel.more):
        right = button.mapTo(view, button.rect().topRight()).x()
        assert 0 < right <= view.width(), button.toolTip()
