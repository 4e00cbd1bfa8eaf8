"""Precomputed neighbours and distances give the same neighbours as a search, or a clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist

from embedscope._errors import InvalidInputError
from embedscope.core.graph._precomputed import (
    given_distances,
    given_neighbors,
    neighbors_from_distances,
)

K = 5


@pytest.fixture
def pairs(rng: np.random.Generator) -> np.ndarray:
    X = rng.normal(size=(530, 4))  # more than one block of 512 rows
    return cdist(X, X)


def nearest(pairs: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    indices = np.argsort(pairs, axis=1, kind="stable")[:, :k]
    return indices, np.take_along_axis(pairs, indices, axis=1)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.coo_array])
def test_neighbors_of_a_matrix_of_distances(pairs: np.ndarray, kind: Any) -> None:
    given = given_distances(kind(pairs), len(pairs))
    indices, distances = neighbors_from_distances(given, K)
    np.testing.assert_array_equal(indices, nearest(pairs, K)[0])
    np.testing.assert_allclose(distances, nearest(pairs, K)[1], rtol=1e-6)
    assert indices.dtype == np.int32
    assert distances.dtype == np.float32


def test_the_matrix_is_left_as_it_was(pairs: np.ndarray) -> None:
    given = pairs.astype(np.float32)
    before = given.copy()
    neighbors_from_distances(given_distances(given, len(given)), K)
    np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize("is_sparse", [False, True])
def test_pairs_that_are_not_connected_are_no_neighbors(is_sparse: bool) -> None:
    square = np.full((6, 6), np.inf)
    np.fill_diagonal(square, 0.0)
    square[0, 3] = square[3, 0] = 2.0
    square[0, 5] = 1.0  # known in one direction only
    known = np.isfinite(square)
    given = sparse.csr_matrix((square[known], np.nonzero(known)), (6, 6)) if is_sparse else square
    indices, distances = neighbors_from_distances(given, 4)
    np.testing.assert_array_equal(indices[0], [0, 5, 3, -1])
    np.testing.assert_array_equal(distances[0], [0, 1, 2, np.inf])
    np.testing.assert_array_equal(indices[3], [3, 0, -1, -1])
    np.testing.assert_array_equal(indices[5], [5, -1, -1, -1])


def test_a_stored_zero_is_a_duplicate_and_an_absent_entry_is_far() -> None:
    given = sparse.csr_matrix(([0.0, 3.0], ([0, 0], [2, 1])), (3, 3))
    indices, distances = neighbors_from_distances(given_distances(given, 3), 3)
    np.testing.assert_array_equal(indices[0], [0, 2, 1])
    np.testing.assert_array_equal(distances[0], [0, 0, 3])
    np.testing.assert_array_equal(indices[1], [1, -1, -1])


def test_a_stored_infinity_is_as_good_as_absent() -> None:
    given = sparse.csr_matrix(([np.inf, 3.0], ([0, 0], [2, 1])), (3, 3))
    indices, _ = neighbors_from_distances(given, 3)
    np.testing.assert_array_equal(indices[0], [0, 1, -1])


def test_all_samples_may_be_neighbors(pairs: np.ndarray) -> None:
    few = pairs[:7, :7]
    np.testing.assert_array_equal(neighbors_from_distances(few, 7)[0], nearest(few, 7)[0])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (np.zeros((3, 4)), "square"),
        (np.zeros((4, 4)), "square"),
        (np.full((3, 3), -1.0), "at least 0"),
        (np.full((3, 3), np.nan), "at least 0"),
        (sparse.csr_matrix(np.full((3, 3), -1.0)), "at least 0"),
        (sparse.csr_matrix((4, 3)), "square"),
    ],
)
def test_what_cannot_be_distances_is_refused(given: Any, problem: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^precomputed_distances must be {problem}"):
        given_distances(given, 3)


def test_given_neighbors_are_taken_as_they_are(pairs: np.ndarray) -> None:
    indices, distances = nearest(pairs, K + 3)
    taken = given_neighbors((indices, distances), len(pairs), K)
    np.testing.assert_array_equal(taken[0], indices[:, :K])
    np.testing.assert_allclose(taken[1], distances[:, :K], rtol=1e-6)
    assert taken[0].dtype == np.int32
    assert taken[1].dtype == np.float32


def test_given_neighbors_may_leave_the_samples_themselves_out(pairs: np.ndarray) -> None:
    indices, distances = nearest(pairs, K)
    taken = given_neighbors((indices[:, 1:], distances[:, 1:]), len(pairs), K)
    np.testing.assert_array_equal(taken[0], indices)
    np.testing.assert_allclose(taken[1], distances, rtol=1e-6)


def test_given_neighbors_may_be_in_any_order(pairs: np.ndarray) -> None:
    indices, distances = nearest(pairs, K)
    taken = given_neighbors((indices[:, ::-1], distances[:, ::-1]), len(pairs), K)
    np.testing.assert_array_equal(taken[0], indices)


def test_a_sample_that_only_some_rows_hold_changes_no_other_row() -> None:
    indices = np.array([[0, 1], [2, 0], [1, 0]])  # the first row holds itself, the others do not
    distances = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 2.0]])
    taken, far = given_neighbors((indices, distances), 3, 3)
    np.testing.assert_array_equal(taken, [[0, 1, -1], [1, 2, 0], [2, 1, 0]])
    np.testing.assert_array_equal(far, [[0, 1, np.inf], [0, 1, 1], [0, 1, 2]])


def test_missing_neighbors_come_last_at_infinity() -> None:
    indices = np.array([[0, -1, 1], [1, 0, 2], [2, 1, 0]])
    distances = np.array([[0, 0.5, 1.0], [0, 1, np.inf], [0, 1, 2]])
    taken, far = given_neighbors((indices, distances), 3, 3)
    np.testing.assert_array_equal(taken, [[0, 1, -1], [1, 0, -1], [2, 1, 0]])
    np.testing.assert_array_equal(far, [[0, 1, np.inf], [0, 1, np.inf], [0, 1, 2]])


GOOD = (np.array([[0, 1], [1, 0]]), np.array([[0.0, 1.0], [0.0, 1.0]]))


@pytest.mark.parametrize(
    ("given", "k", "problem"),
    [
        ((GOOD[0],), 2, "a tuple"),
        (7, 2, "a tuple"),
        ((GOOD[0] * 0.5, GOOD[1]), 2, "a tuple"),
        ((GOOD[0][:1], GOOD[1][:1]), 2, "indices and distances of shape"),
        ((GOOD[0], GOOD[1][:, :1]), 2, "indices and distances of shape"),
        ((GOOD[0] + 1, GOOD[1]), 2, "row numbers in"),
        ((GOOD[0] - 2, GOOD[1]), 2, "row numbers in"),
        ((GOOD[0], GOOD[1] - 1), 2, "distances of at least 0"),
        ((GOOD[0], GOOD[1] * np.nan), 2, "distances of at least 0"),
        (GOOD, 3, "at least n_neighbors=3"),
        ((np.array([[0, 1, 1], [1, 0, 0]]), np.zeros((2, 3))), 3, "different neighbours"),
    ],
)
def test_what_cannot_be_neighbors_is_refused(given: Any, k: int, problem: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^precomputed_knn must (be|hold) {problem}"):
        given_neighbors(given, 2, k)
