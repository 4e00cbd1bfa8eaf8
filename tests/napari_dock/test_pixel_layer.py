"""Large maps painted by the processor: known pixels, and fast enough to follow the hand."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from map_pixels import inked, pixels, settle

from embedscope.napari_dock.map._map_view import MapView
from embedscope.napari_dock.map._pixel_layer import Window, paint_points
from embedscope.napari_dock.map._point_layer import MOST_MARKERS

RED, GREEN = np.array([[255, 0, 0, 255], [0, 255, 0, 255]], np.uint8)
WINDOW = Window(0.0, 0.0, 8.0, 4.0, 16, 8)  # two pixels a unit


def test_a_point_is_painted_where_it_is():
    picture = paint_points(np.array([[3.25, 1.25]], np.float32), RED[None], 1, 1.0, WINDOW)
    assert picture.shape == (8, 16, 4)
    assert np.argwhere(picture[..., 3]).tolist() == [[2, 6]]  # row 0 is the lowest
    assert picture[2, 6].tolist() == RED.tolist()


@given(st.integers(1, 9))
def test_discs_are_round_and_as_wide_as_asked(size_px):
    picture = paint_points(np.array([[4.0, 2.0]], np.float32), RED[None], size_px, 1.0, WINDOW)
    covered = picture[..., 3] > 0
    extent = [np.ptp(np.flatnonzero(covered.any(axis=axis))) + 1 for axis in (0, 1)]
    assert extent == [min(size_px, 16), min(size_px, 8)]
    if size_px >= 4:
        rows, columns = np.nonzero(covered)
        assert not covered[rows.min(), columns.min()]  # no corner


def test_of_points_in_one_place_the_last_is_on_top():
    both = np.array([[4.1, 2.1], [4.1, 2.1]], np.float32)
    for colors in ([RED, GREEN], [GREEN, RED]):
        picture = paint_points(both, np.array(colors), 3, 1.0, WINDOW)
        assert picture[4, 8].tolist() == colors[1].tolist()


def test_where_many_lie_they_cover_more():
    crowd = np.repeat(np.array([[1.1, 1.1], [6.1, 1.1]], np.float32), [1, 3], axis=0)
    picture = paint_points(crowd, np.tile(RED, (4, 1)), 1, 0.5, WINDOW)
    assert picture[2, 2, 3] == pytest.approx(255 * 0.5, abs=1)
    assert picture[2, 12, 3] == pytest.approx(255 * 0.875, abs=1)


def test_discs_reach_into_the_window_from_outside():
    outside = np.array([[-0.6, 2.0], [50.0, 2.0]], np.float32)
    picture = paint_points(outside, np.tile(RED, (2, 1)), 5, 1.0, WINDOW)
    assert picture[4, 0, 3] == 255
    assert (picture[:, 3:, 3] == 0).all()
    assert (paint_points(outside, np.tile(RED, (2, 1)), 1, 1.0, WINDOW) == 0).all()


@pytest.fixture
def view(qtbot) -> MapView:
    made = MapView()
    qtbot.addWidget(made.native)
    made.native.resize(300, 300)
    made.native.show()
    settle()
    return made


def squares(n_points: int) -> np.ndarray:
    """Two unit squares of points, the second half of them to the right of the first."""
    positions = np.random.default_rng(0).random((n_points, 2), np.float32)
    positions[n_points // 2 :, 0] += 3
    return positions


def test_a_large_map_is_painted_as_a_small_one_is_drawn(view):
    large = squares(4 * MOST_MARKERS)
    for positions in (large[:: len(large) // MOST_MARKERS + 1], large):
        view.set_positions(positions)
        view.points.set_size(4)
        colors = np.tile(RED, (len(positions), 1))
        colors[len(positions) // 2 :] = GREEN
        view.points.set_colors(colors)
        shown = pixels(view)
        for place, color in (([0.5, 0.5], RED), ([3.5, 0.5], GREEN)):
            x, y = view.to_pixels(np.array([place]))[0].astype(int)
            around = shown[y - 5 : y + 5, x - 5 : x + 5].reshape(-1, 3)
            assert (np.abs(around - color[:3]).max(axis=1) < 12).mean() > 0.5
        x, y = view.to_pixels(np.array([[2.0, 0.5]]))[0].astype(int)
        assert not inked(view)[y - 5 : y + 5, x - 5 : x + 5].any()


def test_a_large_map_moves_with_the_camera(view):
    view.set_positions(squares(2 * MOST_MARKERS))
    view.show_box(np.array([2.9, -0.2]), np.array([4.2, 1.1]))
    shown = inked(view)
    x, y = view.to_pixels(np.array([[3.5, 0.5]]))[0].astype(int)
    assert shown[y - 20 : y + 20, x - 20 : x + 20].mean() > 0.1
    view.pan((150, 150), (5000, 150))
    assert not inked(view).any()


def test_a_selection_in_a_large_map_stands_out(view):
    positions = squares(4 * MOST_MARKERS)
    view.set_positions(positions)
    plain = pixels(view)
    view.points.set_selected(np.arange(2 * MOST_MARKERS))  # the left square: more than markers
    marked = pixels(view)
    left, right = (view.to_pixels(np.array([[x, 0.5]]))[0].astype(int) for x in (0.5, 3.5))

    def contrast(shown, place):
        x, y = place
        return np.abs(shown[y - 8 : y + 8, x - 8 : x + 8] - shown[1, 1]).mean()

    assert contrast(marked, left) >= contrast(plain, left)
    assert contrast(marked, right) < 0.8 * contrast(plain, right)
    view.points.set_selected(np.zeros(0, np.int64))
    np.testing.assert_array_equal(pixels(view), plain)


@pytest.mark.speed
@pytest.mark.parametrize(("n_points", "most_s"), [(100_000, 0.06), (1_000_000, 0.35)])
def test_panning_follows_the_hand(view, n_points, most_s):
    view.set_positions(squares(n_points))
    pixels(view)
    seconds = []
    for step in range(7):
        began = perf_counter()
        view.pan((100, 100), (101 + step % 2, 100))
        view.native.grabFramebuffer()
        seconds.append(perf_counter() - began)
    assert median(seconds) < most_s
