"""The search by matrix products finds what a search of all pairs in float64 finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.spatial.distance import cdist

from embedscope.core.graph._exact_search import euclidean_neighbors


def search(X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    return euclidean_neighbors(np.asarray(X, np.float32), k, lambda fraction: None)


def all_pairs(X: np.ndarray) -> np.ndarray:
    exact = np.asarray(X, np.float32).astype(np.float64)
    return cdist(exact, exact)


def assert_nearest(X: np.ndarray, k: int, *, atol: float = 0.0) -> None:
    """Each row itself first, then k - 1 others at the smallest distances."""
    indices, distances = search(X, k)
    pairs = all_pairs(X)
    assert indices.shape == distances.shape == (len(X), k)
    assert indices.dtype == np.int32
    assert distances.dtype == np.float32
    np.testing.assert_array_equal(indices[:, 0], np.arange(len(X)))
    assert all(len(set(row)) == k for row in indices.tolist())
    own_distances = np.take_along_axis(pairs, indices, axis=1)
    np.testing.assert_allclose(distances, own_distances, rtol=1e-5, atol=atol)
    np.testing.assert_allclose(distances, np.sort(pairs, axis=1)[:, :k], rtol=1e-5, atol=atol)


@pytest.mark.parametrize("n_samples", [2, 15, 511, 512, 513, 1100])  # blocks are of 512 rows
def test_neighbors_are_the_nearest(rng: np.random.Generator, n_samples: int) -> None:
    assert_nearest(rng.normal(size=(n_samples, 7)), min(15, n_samples))


def test_all_rows_may_be_neighbors(rng: np.random.Generator) -> None:
    assert_nearest(rng.normal(size=(20, 3)), 20)


def test_ties_are_found_on_a_lattice() -> None:
    lattice = np.stack(np.meshgrid(*[np.arange(8)] * 3), axis=-1).reshape(-1, 3)
    assert_nearest(lattice, 10)


def test_duplicates_have_distance_zero_and_each_row_stays_first() -> None:
    X = np.repeat(np.arange(30.0).reshape(-1, 1), 40, axis=0) * [1.0, 3.0, -2.0] + 0.1
    assert_nearest(X, 12)
    assert not search(X, 12)[1].any()


@pytest.mark.parametrize(
    "offset", [1e4, -1e6, [1e4, 0, 0, 0, 0, 0]], ids=["far", "farther", "one feature"]
)
def test_data_far_from_the_origin(rng: np.random.Generator, offset: float) -> None:
    assert_nearest(rng.normal(size=(300, 6)) + offset, 15)


@pytest.mark.parametrize("offset", [1e3, 1e4, 1e6])
def test_two_groups_far_apart(rng: np.random.Generator, offset: float) -> None:
    # In float32, |y|^2 - 2 x.y of rows that are this far from the centre is mostly rounding.
    X = rng.normal(size=(400, 6))
    X[200:, 0] += offset
    assert_nearest(X, 15)


def test_one_outlier_does_not_blur_the_rest(rng: np.random.Generator) -> None:
    X = rng.normal(size=(400, 6))
    X[7] *= 1e7
    assert_nearest(X, 15)


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_data_whose_squares_leave_float32(rng: np.random.Generator, scale: float) -> None:
    assert_nearest(rng.normal(size=(200, 6)) * scale, 15)


def test_progress_is_reported_and_may_stop_the_search(rng: np.random.Generator) -> None:
    X = rng.normal(size=(5000, 3)).astype(np.float32)
    told: list[float] = []
    euclidean_neighbors(X, 5, told.append)
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)

    def stop(fraction: float) -> None:
        told.append(fraction)
        raise KeyboardInterrupt

    first = told[0]
    told.clear()
    with pytest.raises(KeyboardInterrupt):
        euclidean_neighbors(X, 5, stop)
    assert told == [first]


def test_data_of_any_layout(rng: np.random.Generator) -> None:
    X = rng.normal(size=(100, 6)).astype(np.float32)
    wanted = search(X, 5)
    read_only = X.copy()
    read_only.setflags(write=False)
    for laid_out in (np.asfortranarray(X), read_only, np.repeat(X, 2, axis=1)[:, ::2]):
        found = euclidean_neighbors(laid_out, 5, lambda fraction: None)
        np.testing.assert_array_equal(found[0], wanted[0])
        np.testing.assert_array_equal(found[1], wanted[1])


def test_the_data_are_left_as_they_were(rng: np.random.Generator) -> None:
    X = rng.normal(size=(100, 5)).astype(np.float32)
    before = X.copy()
    search(X, 5)
    np.testing.assert_array_equal(X, before)


@settings(max_examples=60, deadline=None)
@given(
    X=st.tuples(st.integers(2, 30), st.integers(1, 4)).flatmap(
        lambda shape: npst.arrays(
            np.float32, shape, elements=st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
        )
    ),
    k=st.integers(1, 30),
)
def test_any_data(X: np.ndarray, k: int) -> None:
    # Distances beyond float32's digits of the largest value are not told apart.
    assert_nearest(X, min(k, len(X)), atol=1e-7 * float(np.abs(X).max()))
