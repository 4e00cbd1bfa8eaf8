"""The map as it is drawn: pixels of a real canvas, and the camera."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from map_pixels import inked, pixels, settle
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDockWidget, QMainWindow, QVBoxLayout

from embedscope.napari_dock.map._map_canvas import MapCanvas
from embedscope.napari_dock.map._map_view import MapView
from embedscope.napari_dock.map._point_cloud import default_size
from embedscope.napari_dock.widgets._theme import DARK, LIGHT

SQUARE = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5]], np.float32)
RED = np.array([255, 0, 0, 255], np.uint8)


@pytest.fixture
def canvas(show_widget):
    return show_widget(MapCanvas(), 300, 300)


@pytest.fixture
def view(canvas) -> MapView:
    return canvas.map_view


def drawn_near(view: MapView, point: np.ndarray) -> bool:
    x, y = view.to_pixels(np.asarray(point, np.float64)[None])[0].round().astype(int)
    return bool(inked(view)[y - 2 : y + 3, x - 2 : x + 3].any())


def test_each_point_is_drawn_where_it_is_said_to_be(view):
    view.set_positions(SQUARE)
    assert all(drawn_near(view, point) for point in SQUARE)
    assert not drawn_near(view, [0.25, 0.5])
    view.set_positions(SQUARE * (1, 0.5))
    assert not drawn_near(view, [0, 1])


def test_points_have_their_colours(view):
    view.set_positions(SQUARE)
    view.points.set_size(20)
    view.points.set_colors(np.tile(RED, (5, 1)))
    x, y = view.to_pixels(np.array([[0.5, 0.5]]))[0].astype(int)
    assert pixels(view)[y, x].tolist() == [255, 0, 0]


@pytest.mark.parametrize("lost", [[2], [0, 1, 2, 3], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_places_that_are_not_finite_are_not_drawn(view, lost, value):
    positions = SQUARE.copy()
    positions[lost, 0] = value
    view.set_positions(positions)
    view.points.set_selected(np.arange(5))
    kept = [row for row in range(5) if row not in lost]
    assert all(drawn_near(view, SQUARE[row]) for row in kept)
    assert inked(view).any() == bool(kept)
    assert np.isfinite(view.rect).all()
    view.set_tracks(np.array([[0, 1], [3, 4]]))
    assert inked(view).any() == bool(kept)


def test_no_points_and_points_again(view):
    assert not inked(view).any()
    view.set_positions(SQUARE)
    view.points.set_selected(np.array([1]))
    view.set_positions(np.zeros((0, 2), np.float32))
    assert not inked(view).any()
    assert len(view.points.selected) == 0
    view.set_positions(SQUARE)
    assert drawn_near(view, SQUARE[3])


def test_what_is_selected_stands_out(view):
    view.set_positions(SQUARE)
    view.points.set_colors(np.tile(RED, (5, 1)))
    view.points.set_size(12)
    plain = pixels(view)[..., 0]
    view.points.set_selected(np.array([4]))
    marked = pixels(view)[..., 0]
    x, y = view.to_pixels(SQUARE[4:].astype(float))[0].astype(int)
    assert marked[y, x] == 255
    x, y = view.to_pixels(SQUARE[:1].astype(float))[0].astype(int)
    assert marked[y, x] < plain[y, x]
    view.points.set_selected(np.array([], np.int64))
    np.testing.assert_array_equal(pixels(view)[..., 0], plain)


def test_opacity_is_seen(view):
    view.set_positions(SQUARE)
    view.points.set_size(20)
    view.points.set_colors(np.tile(RED, (5, 1)))
    x, y = view.to_pixels(np.array([[0.5, 0.5]]))[0].astype(int)
    reds = []
    for opacity in (0.1, 0.5, 1.0):
        view.points.set_opacity(opacity)
        reds.append(pixels(view)[y, x, 0])
    assert reds == sorted(set(reds))
    assert reds[-1] == 255


def test_points_of_other_frames_fade(view):
    view.set_positions(SQUARE)
    view.points.set_size(12)
    view.points.set_colors(np.tile(RED, (5, 1)))
    view.points.set_faded(np.arange(5) == 0)
    shown = pixels(view)[..., 0]
    places = view.to_pixels(SQUARE.astype(float)).astype(int)
    assert shown[places[0, 1], places[0, 0]] < 120
    assert shown[places[1, 1], places[1, 0]] == 255
    view.points.set_selected(np.array([0, 1]))  # also in their selection they stand back
    chosen = pixels(view)[..., 0]
    assert chosen[places[0, 1], places[0, 0]] < 150
    assert chosen[places[1, 1], places[1, 0]] == 255


def test_tracks_join_points_and_leave_out_what_is_not_there(view):
    view.set_positions(SQUARE)
    assert not drawn_near(view, [0.5, 0])
    view.set_tracks(np.array([[0, 1], [3, 99]]))  # 99: a row of another map
    assert drawn_near(view, [0.5, 0])
    assert not drawn_near(view, [0.5, 1])
    view.set_tracks(np.zeros((0, 2), np.int64))
    assert not drawn_near(view, [0.5, 0])


@pytest.mark.parametrize("colors", [DARK, LIGHT])
def test_a_theme_before_there_is_anything_to_see(view, colors):
    view.set_theme(colors)
    assert pixels(view)[3, 3].tolist() == list(colors.background)


def move_to_window(canvas: MapCanvas, window: QMainWindow) -> None:
    dialog = QDialog(window)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(canvas)
    dialog.resize(300, 300)
    dialog.show()


def test_it_survives_the_way_into_another_window_and_back(qtbot):
    window, dock, canvas = QMainWindow(), QDockWidget(), MapCanvas()
    view = canvas.map_view
    qtbot.addWidget(window)
    dock.setWidget(canvas)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.resize(320, 320)
    window.show()
    settle()
    view.set_positions(SQUARE)
    view.set_tracks(np.array([[0, 1]]))
    assert drawn_near(view, [0.5, 0])
    for step in ("dialog", "dock", "float", "dock again"):
        if step == "dialog":
            move_to_window(canvas, window)
        elif step == "dock":
            dock.setWidget(canvas)
            canvas.show()
        else:
            dock.setFloating(step == "float")
        settle()
        for point in [*SQUARE, [0.5, 0], [0.8, 0]]:
            assert drawn_near(view, point), step
        view.points.set_selected(np.array([1]))
        view.set_positions(SQUARE[::-1])
        assert drawn_near(view, SQUARE[4]), step
        view.set_positions(SQUARE)


def test_the_view_follows_a_map_in_training_until_somebody_moves_it(view):
    view.set_positions(SQUARE)
    view.set_positions(SQUARE * 10)
    assert view.rect[2] >= 10
    view.set_positions(SQUARE)  # shrunk: shown larger
    assert view.rect[2] < 2
    view.pan((100, 100), (140, 100))
    rect = view.rect
    view.set_positions(SQUARE * 10)
    assert view.rect == rect
    view.show_all()
    assert view.rect[2] >= 10


def test_panning_keeps_the_map_under_the_hand(view):
    view.set_positions(SQUARE)
    before = view.to_map((100, 120))
    view.pan((100, 120), (160, 90))
    np.testing.assert_allclose(view.to_map((160, 90)), before, atol=1e-6)


def test_a_box_comes_into_view(view):
    view.set_positions(SQUARE)
    view.show_box(np.array([0.2, 0.3]), np.array([0.4, 0.5]))
    corners = view.to_pixels(np.array([[0.2, 0.3], [0.4, 0.5]]))
    assert corners.min() > -2
    assert corners.max() < 302
    first, second = view.to_map((0, 0)), view.to_map((1, 0))
    assert view.map_units_per_pixel == pytest.approx(second[0] - first[0])


def test_one_point_and_points_in_one_place_have_a_view(view):
    for positions in (np.ones((1, 2), np.float32), np.full((50, 2), -3e5, np.float32)):
        view.set_positions(positions)
        assert drawn_near(view, positions[0])


@given(st.integers(0, 10**8))
def test_the_more_points_the_smaller(n_points):
    assert 2 <= default_size(n_points + 1) <= default_size(n_points) <= 9
