"""The grid over a map: its points and samples, and that other threads run between blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.explorer.answers._decoding import Reconstruction
from embedscope.explorer.answers._map_grid import draw_grid

MAP = np.array([[-2.0, 1.0], [2.0, 3.0], [0.0, 2.0], [np.nan, 9.0]], np.float32)


def the_place_itself(points: np.ndarray) -> tuple[Reconstruction, ...]:
    """A decoder whose sample is the point itself."""
    none = np.zeros(0, np.int64)
    return tuple(
        Reconstruction(point, point.astype(np.float32), None, none, np.zeros(0), point[0], True)
        for point in points
    )


def test_points_are_the_middles_of_cells_from_the_lower_left_row_by_row():
    grid = draw_grid(the_place_itself, MAP, 2)
    np.testing.assert_allclose(grid.low, [-2.08, 0.96])
    np.testing.assert_allclose(grid.high, [2.08, 3.04])
    expected = [[-1.04, 1.48], [1.04, 1.48], [-1.04, 2.52], [1.04, 2.52]]
    np.testing.assert_allclose(grid.samples, expected, rtol=1e-6)
    np.testing.assert_allclose(grid.support, np.array(expected)[:, 0])
    assert grid.decoded


@given(st.integers(1, 24))
def test_each_cell_holds_its_own_point(n_per_side):
    grid = draw_grid(the_place_itself, MAP, n_per_side)
    column = ((grid.samples[:, 0] - grid.low[0]) / (grid.high[0] - grid.low[0])) * n_per_side
    row = ((grid.samples[:, 1] - grid.low[1]) / (grid.high[1] - grid.low[1])) * n_per_side
    order = np.arange(n_per_side**2)
    np.testing.assert_array_equal(np.floor(column), order % n_per_side)
    np.testing.assert_array_equal(np.floor(row), order // n_per_side)


def test_large_grid_is_decoded_in_parts():
    sizes: list[int] = []

    def draw(points: np.ndarray) -> tuple[Reconstruction, ...]:
        sizes.append(len(points))
        return the_place_itself(points)

    assert len(draw_grid(draw, MAP, 24).samples) == sum(sizes) == 576
    assert max(sizes) < 100


def test_map_of_one_position_has_a_grid():
    grid = draw_grid(the_place_itself, np.ones((5, 2), np.float32), 3)
    assert (grid.high > grid.low).all()


@pytest.mark.parametrize("n_per_side", [0, -1, 257, 2.5, "3"])
def test_a_side_out_of_range_is_refused(n_per_side: Any):
    with pytest.raises(InvalidInputError, match="n_per_side must be an int in"):
        draw_grid(the_place_itself, MAP, n_per_side)


def test_map_without_positions_has_no_grid():
    with pytest.raises(InvalidInputError, match="must hold at least one sample"):
        draw_grid(the_place_itself, np.full((3, 2), np.nan), 3)
