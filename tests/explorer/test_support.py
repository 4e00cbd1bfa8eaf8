"""Support of points of the map, against direct counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.explorer.answers._support import MapSupport


def grid(n: int) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=-1).reshape(-1, 2).astype("f4")


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_score_agrees_with_counting(seed, n_samples):
    rng = np.random.default_rng(seed)
    embedding = rng.normal(size=(n_samples, 2))
    points = 2.0 * rng.normal(size=(5, 2))
    k = min(5, n_samples - 1)
    between = np.linalg.norm(embedding[:, None] - embedding[None], axis=2)
    own = np.sort(between, axis=1)[:, k]  # the first is the sample itself
    isolation = np.sort(np.linalg.norm(points[:, None] - embedding[None], axis=2), axis=1)[:, k - 1]
    support = MapSupport(embedding)
    expected = (own[None] >= isolation[:, None]).mean(axis=1)
    np.testing.assert_allclose(support.score(points), expected, atol=1e-6)


def test_dense_parts_are_supported_and_far_points_are_not():
    support = MapSupport(grid(20))
    inside, corner, outside, far = support.score([[9, 9], [0, 0], [-3, 10], [500, 500]])
    assert inside == 1.0
    assert inside > corner > outside
    assert outside == far == 0.0


def test_scores_of_the_samples_themselves_are_spread_evenly(rng):
    embedding = rng.normal(size=(2000, 2))
    scores = MapSupport(embedding).score(rng.normal(size=(2000, 2)))
    # As fresh samples of the same map: a little less isolated than the map's own among others.
    quantiles = np.quantile(scores, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(quantiles, [0.1, 0.5, 0.9], atol=0.12)


def test_samples_that_coincide():
    support = MapSupport(np.zeros((20, 2)))
    np.testing.assert_array_equal(support.score([[0, 0], [1, 0]]), [1.0, 0.0])


@pytest.mark.parametrize(
    "embedding", [np.zeros((1, 2)), np.zeros((5, 3)), [[0, 0], [np.nan, 1], [2, 2]]]
)
def test_maps_without_support_are_refused(embedding):
    with pytest.raises(InvalidInputError, match=r"^embedding must .*; got "):
        MapSupport(embedding)


@pytest.mark.parametrize("points", [[0, 0], [[0, 0, 0]], [[np.nan, 0]], [["a", "b"]]])
def test_points_that_are_none_are_refused(points):
    with pytest.raises(
        InvalidInputError, match=r"^points must be pairs of finite numbers .*; got "
    ):
        MapSupport(grid(4)).score(points)
