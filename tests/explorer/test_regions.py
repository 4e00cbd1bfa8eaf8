"""Polygons against a slow reference and matplotlib, rectangles, bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._regions import (
    check_polygon,
    in_polygon,
    in_rectangle,
    winding_numbers,
)

SQUARE = [(0, 0), (2, 0), (2, 2), (0, 2)]

# A coarse grid, so that positions often lie on corners, edges and each other.
coordinates = st.integers(-4, 4).map(float)
polygons = arrays(np.float64, st.tuples(st.integers(3, 9), st.just(2)), elements=coordinates)
positions = arrays(np.float32, st.tuples(st.integers(0, 30), st.just(2)), elements=coordinates)


def slow_winding_number(x, y, polygon):
    """Count the crossings of a ray to the right, edge by edge, in exact whole-number arithmetic."""
    winding = 0
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        side = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)  # positive: left of the edge
        if y0 <= y < y1 and side > 0:
            winding += 1
        if y1 <= y < y0 and side < 0:
            winding -= 1
    return winding


@given(positions, polygons)
def test_polygon_agrees_with_slow_reference(positions, polygon):
    windings = [slow_winding_number(x, y, polygon) for x, y in positions.astype(float)]
    np.testing.assert_array_equal(winding_numbers(positions, polygon), windings)
    np.testing.assert_array_equal(in_polygon(positions, polygon), np.array(windings) != 0)


@given(st.integers(0, 2**32 - 1), st.integers(3, 40))
def test_odd_windings_are_what_matplotlib_calls_inside(seed, n_corners):
    from matplotlib.path import Path

    rng = np.random.default_rng(seed)
    polygon = rng.normal(size=(n_corners, 2))  # crosses itself many times
    positions = rng.normal(size=(200, 2)).astype(np.float32)
    expected = Path(np.vstack([polygon, polygon[:1]])).contains_points(positions)
    np.testing.assert_array_equal(winding_numbers(positions, polygon) % 2 == 1, expected)


@given(positions, polygons, st.integers(0, 8))
def test_direction_and_first_corner_do_not_matter(positions, polygon, shift):
    expected = in_polygon(positions, polygon)
    np.testing.assert_array_equal(in_polygon(positions, polygon[::-1]), expected)
    np.testing.assert_array_equal(in_polygon(positions, np.roll(polygon, shift, axis=0)), expected)
    closed = np.vstack([polygon, polygon[:1]])
    np.testing.assert_array_equal(in_polygon(positions, closed), expected)


@given(positions, arrays(np.float64, (5,), elements=st.floats(-4, 4)))
def test_neighbours_share_no_sample_and_lose_none(positions, border):
    """Two polygons with a common edge of several corners part the square between them."""
    line = np.column_stack([border, np.linspace(-5, 5, 5)])
    left = np.vstack([[(-5, 5), (-5, -5)], line])
    right = np.vstack([[(5, 5), (5, -5)], line])
    both = in_polygon(positions, left).astype(int) + in_polygon(positions, right)
    np.testing.assert_array_equal(both, np.ones(len(positions)))


def test_known_positions():
    places = [(1, 1), (3, 1), (1, -1), (-1, 1), (1, 3), (0, 0), (1, 0), (0, 1), (2, 1), (1, 2)]
    inside = in_polygon(np.array(places, np.float32), SQUARE)
    assert inside.tolist() == [True, False, False, False, False, True, True, True, False, False]


def test_area_that_a_line_goes_around_twice_is_inside():
    angle = np.linspace(0, 2.5 * 2 * np.pi, 60)  # two and a half times around
    loop = np.column_stack([np.cos(angle), np.sin(angle)])
    assert in_polygon(np.zeros((1, 2), np.float32), loop).all()
    star = np.array([[np.sin(t), np.cos(t)] for t in np.arange(5) * 0.8 * np.pi])
    assert in_polygon(np.zeros((1, 2), np.float32), star).all()


def test_both_halves_of_a_figure_of_eight_are_inside():
    eight = [(-2, -1), (2, 1), (2, -1), (-2, 1)]
    inside = in_polygon(np.array([(-1.5, 0), (1.5, 0), (0, 0.5)], np.float32), eight)
    assert inside.tolist() == [True, True, False]


def test_hole_in_the_other_direction_is_outside():
    """Outer and inner ring, joined by a cut that the line follows in both directions."""
    ring = [(-3, -3), (3, -3), (3, 3), (-3, 3), (-3, -3)]
    hole = [(-1, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)]
    inside = in_polygon(np.array([(0, 0), (2, 0)], np.float32), ring + hole)
    assert inside.tolist() == [False, True]


@pytest.mark.parametrize(
    "polygon", [[(1, 1)] * 3, [(0, 0), (1, 1), (2, 2)], [(0, 1), (2, 1), (1, 1)]]
)
def test_polygon_without_area_holds_nothing(polygon):
    places = np.array([(0, 0), (1, 1), (2, 2), (0.5, 0.5), (0, 1)], np.float32)
    assert not in_polygon(places, polygon).any()


@pytest.mark.parametrize(
    "gap", [(np.nan, np.nan), (np.nan, 1), (1, np.nan), (np.inf, 1), (1, -np.inf)]
)
def test_sample_without_a_position_is_in_no_polygon(gap):
    places = np.array([gap, (1, 1)], np.float32)
    assert in_polygon(places, SQUARE).tolist() == [False, True]
    assert in_rectangle(places, (0, 0), (2, 2)).tolist() == [False, True]


def test_no_samples():
    assert in_polygon(np.empty((0, 2), np.float32), SQUARE).shape == (0,)


def test_huge_polygon_holds_all():
    places = np.array([(3e38, -3e38), (0, 0)], np.float32)
    corners = np.array(SQUARE) * 1e99 - 1e99
    assert in_polygon(places, corners).all()


@given(positions, st.tuples(*[coordinates] * 4))
def test_rectangle_is_its_inequalities(positions, corners):
    x0, y0, x1, y1 = corners
    expected = [
        min(x0, x1) <= x <= max(x0, x1) and min(y0, y1) <= y <= max(y0, y1) for x, y in positions
    ]
    assert in_rectangle(positions, (x0, y0), (x1, y1)).tolist() == expected


def test_rectangle_of_the_extremes_holds_every_sample(rng):
    places = rng.normal(size=(1000, 2)).astype(np.float32)
    assert in_rectangle(places, places.min(axis=0), places.max(axis=0)).all()


def test_corners_between_two_float32_numbers_are_not_rounded():
    places = np.array([(1, 1)], np.float32)
    assert not in_rectangle(places, (1 + 1e-12, 0), (2, 2)).any()
    assert in_rectangle(places, (1 - 1e-12, 0), (2, 2)).all()


@pytest.mark.parametrize(
    ("polygon", "said"),
    [
        ([(0, 0), (1, 1)], "at least 3 corners; got 2"),
        (np.empty((0, 2)), "at least 3 corners; got 0"),
        ([(0, 0, 0)] * 4, "shape"),
        ([0, 1, 2], "shape"),
        ([(0, 0), (1, np.nan), (2, 2)], "NaN"),
        ([(0, 0), (1, np.inf), (2, 2)], "NaN, infinity"),
        ([(0, 0), (1, 1e101), (2, 2)], "1e100"),
        ([("a", "b")] * 3, "array of"),
        ([(1, 2), (1,)], "polygon must be corners"),
        ([(1 + 1j, 2)] * 3, "array of complex128"),
        (None, "array of object"),
    ],
)
def test_bad_polygon_is_refused(polygon, said):
    with pytest.raises(InvalidInputError, match=said):
        in_polygon(np.zeros((1, 2), np.float32), polygon)


def test_bad_corner_is_named():
    with pytest.raises(InvalidInputError, match="opposite must be a pair"):
        in_rectangle(np.zeros((1, 2), np.float32), (0, 0), (1, np.nan))


def test_checked_polygon_is_a_copy_that_stays():
    given_corners = np.array(SQUARE, float)
    corners = check_polygon(given_corners)
    given_corners[0] = 9
    assert corners[0].tolist() == [0, 0]
    with pytest.raises(ValueError, match="read-only"):
        corners[0] = 1
