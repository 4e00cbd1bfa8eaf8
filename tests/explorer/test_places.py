"""Nearest samples on the map, against a search through all samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.explorer.answers._places import PlaceIndex


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 8))
def test_nearest_agrees_with_a_search_through_all(seed, n_samples, k):
    rng = np.random.default_rng(seed)
    positions = rng.normal(size=(n_samples, 2)).astype(np.float32)
    positions[rng.random(n_samples) < 0.3] = np.nan
    point = rng.normal(size=2)
    rows, distances = PlaceIndex(positions).nearest(point, k)
    every = np.linalg.norm(positions.astype(float) - point, axis=1)
    n_found = min(k, np.isfinite(every).sum())
    np.testing.assert_array_equal(rows, np.argsort(every)[:n_found])
    np.testing.assert_allclose(distances, np.sort(every)[:n_found], rtol=1e-12)


def test_single_neighbour_is_an_array_too():
    rows, distances = PlaceIndex(np.array([(0, 0), (3, 4)], np.float32)).nearest((3, 5))
    assert rows.tolist() == [1]
    assert distances.tolist() == [1.0]


@pytest.mark.parametrize(
    "positions", [np.empty((0, 2)), np.full((3, 2), np.nan), [[np.nan, 1]], [[1, np.inf]]]
)
def test_map_without_positions_has_no_nearest_sample(positions):
    rows, distances = PlaceIndex(np.asarray(positions, np.float32)).nearest((0, 0), 3)
    assert rows.shape == distances.shape == (0,)
    assert rows.dtype == np.int64


@pytest.mark.parametrize("point", [(np.nan, 0), (1, 2, 3), "ab", None, (np.inf, 0)])
def test_bad_point_is_refused(point):
    with pytest.raises(InvalidInputError, match="point must be a pair"):
        PlaceIndex(np.zeros((1, 2), np.float32)).nearest(point)


def test_bad_k_is_refused():
    with pytest.raises(InvalidInputError, match="k must be at least 1; got 0"):
        PlaceIndex(np.zeros((1, 2), np.float32)).nearest((0, 0), 0)
