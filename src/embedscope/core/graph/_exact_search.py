"""Exact Euclidean nearest neighbours by blocked matrix products.

Up to some ten thousand rows this is as fast as an approximate search: the matrix product runs at
the processor's full speed, a first run compiles only two small kernels, and the interpreter lock
stays free. `_neighbors` decides when to use it.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

from embedscope.core.arrays._principal_axes import in_safe_units
from embedscope.core.graph._kernels import one_at_a_time

# Rows at a time: few enough for their scores to fit in memory, many enough that the threads seldom
# wait for each other.
_FEWEST_ROWS, _MOST_ROWS, _BLOCK_SCORES = 512, 2_048, 2**24
_CANDIDATES_SHARE = 0.9  # of the reported progress; the rest is for ranking them
_RANKED_ROWS = 16_384  # between two calls of `report`
# A product in float32 has an error of one percent or more for squared distances below this share of
# the squared norm, times the root of the number of features.
_CANCELLED = 1e-5
_STRIDE = 64  # columns that are skipped together if their minimum is too large
_BLOCK_COLUMNS = 8_192  # converted to float64 at once


@one_at_a_time
@numba.njit(parallel=True, nogil=True, fastmath=True, cache=True)
def smallest(scores: np.ndarray, k: int, out: np.ndarray) -> None:
    """Write the columns of the `k` smallest scores of each row, in no particular order."""
    for row in numba.prange(scores.shape[0]):
        best = np.empty(k, dtype=np.float32)
        worst = 0
        for column in range(k):
            best[column] = scores[row, column]
            out[row, column] = column
            if best[column] > best[worst]:
                worst = column
        limit = best[worst]
        for start in range(k, scores.shape[1], _STRIDE):
            stop = min(start + _STRIDE, scores.shape[1])
            # Few stretches hold a better score, and their minimum is fast to compute.
            least = scores[row, start]
            for column in range(start, stop):
                least = min(least, scores[row, column])
            if least >= limit:
                continue
            for column in range(start, stop):
                if scores[row, column] < limit:
                    best[worst] = scores[row, column]
                    out[row, worst] = column
                    for candidate in range(k):
                        if best[candidate] > best[worst]:
                            worst = candidate
                    limit = best[worst]


@one_at_a_time
@numba.njit(parallel=True, nogil=True, fastmath=True, cache=True)
def squared_distances(
    X: np.ndarray, rows: np.ndarray, candidates: np.ndarray, out: np.ndarray
) -> None:
    """Squared distance of row ``rows[i]`` to each of its candidates, free of cancellation."""
    for row in numba.prange(candidates.shape[0]):
        for column in range(candidates.shape[1]):
            total = np.float32(0.0)
            other = candidates[row, column]
            for feature in range(X.shape[1]):
                difference = X[rows[row], feature] - X[other, feature]
                total += difference * difference
            out[row, column] = total


def euclidean_neighbors(
    X: np.ndarray, k: int, report: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Find each row's `k` nearest rows, itself first.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32
    k : int
        Neighbours to find, the row itself included; at most n_samples.
    report : callable
        Called with the fraction done, 0..1, after each block of rows; may raise to stop.

    Returns
    -------
    indices : ndarray of shape (n_samples, k), int32
    distances : ndarray of shape (n_samples, k), float32
        Ascending.
    """
    # Always the same memory layout, so that the kernels are compiled once.
    X, exponent = in_safe_units(np.require(X, np.float32, ["C", "W"]))
    n_samples = len(X)
    library = _Library(X)
    n_candidates = min(k + k // 4 + 4, n_samples)
    resolved = _CANCELLED * np.sqrt(X.shape[1] + 1.0) * library.squares
    indices = np.empty((n_samples, k), dtype=np.int32)
    squared = np.empty((n_samples, k), dtype=np.float32)
    candidates = np.empty((n_samples, n_candidates), dtype=np.int32)
    n_rows = min(n_samples, max(_FEWEST_ROWS, min(_MOST_ROWS, _BLOCK_SCORES // n_samples)))
    scores = np.empty((n_rows, n_samples), dtype=np.float32)
    for start in range(0, n_samples, n_rows):
        block = slice(start, min(start + n_rows, n_samples))
        rows = np.arange(block.start, block.stop)
        smallest(library.scores(rows, scores[: len(rows)]), n_candidates, candidates[block])
        report(_CANDIDATES_SHARE * block.stop / n_samples)
    for start in range(0, n_samples, _RANKED_ROWS):
        block = slice(start, min(start + _RANKED_ROWS, n_samples))
        rows = np.arange(block.start, block.stop)
        indices[block], squared[block] = nearest_of(X, rows, candidates[block], k)
        report(_CANDIDATES_SHARE + (1.0 - _CANDIDATES_SHARE) * block.stop / n_samples)
    unsure = np.flatnonzero(squared[:, -1] < resolved)
    for start in range(0, len(unsure), n_rows):
        rows = unsure[start : start + n_rows]
        smallest(library.precise_scores(rows, scores[: len(rows)]), n_candidates, candidates)
        indices[rows], squared[rows] = nearest_of(X, rows, candidates[: len(rows)], k)
        report(1.0)
    return indices, np.ldexp(np.sqrt(squared), exponent)


class _Library:
    """All rows, prepared for the product that ranks them by distance from a block of rows.

    Attributes
    ----------
    squares : ndarray of shape (n_samples,), float32
        Squared distances from the centre of the data.
    """

    def __init__(self, X: np.ndarray) -> None:
        self._X = X
        self._mean = X.mean(axis=0, dtype=np.float64)
        points = X - self._mean.astype(np.float32)
        self.squares = np.einsum("ij,ij->i", points, points)
        # |x - y|^2 ranks like |y|^2 - 2 x.y: one product gives both terms.
        self._columns = np.empty((points.shape[1] + 1, len(X)), dtype=np.float32)
        self._columns[:-1], self._columns[-1] = points.T, self.squares

    def scores(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Scores that rank all rows by their distance from each of `rows`."""
        ones = np.ones(len(rows), dtype=np.float32)
        queries = np.column_stack([-2.0 * self._columns[:-1, rows].T, ones])
        return np.matmul(queries, self._columns, out=out)

    def precise_scores(self, rows: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Squared distances of all rows from each of `rows`, by products in float64.

        Needed where neighbours are much closer than the centre of the data: distant clusters, a
        feature of large values, duplicates.
        """
        queries, query_squares = self._precise_points(rows)
        for start in range(0, len(self._X), _BLOCK_COLUMNS):
            columns = slice(start, start + _BLOCK_COLUMNS)
            others, squares = self._precise_points(columns)
            out[:, columns] = query_squares[:, None] - 2.0 * (queries @ others.T) + squares
        return out

    def _precise_points(self, index: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        points = self._X[index] - self._mean
        return points, np.einsum("ij,ij->i", points, points)


def nearest_of(
    X: np.ndarray, rows: np.ndarray, candidates: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rank candidates of `rows` by exact distance and keep `k`, the row itself first.

    Only the row itself may be there more than once, to fill a list.
    """
    own = rows[:, None].astype(candidates.dtype)
    missing = ~(candidates == own).any(axis=1)  # displaced by duplicates
    candidates[missing, 0] = own[missing, 0]
    squared = np.empty(candidates.shape, dtype=np.float32)
    squared_distances(X, rows, candidates, squared)
    is_own = candidates == own
    squared[is_own] = np.inf
    squared[np.arange(len(rows)), is_own.argmax(axis=1)] = -1.0
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    nearest = np.take_along_axis(squared, order, axis=1)
    return np.take_along_axis(candidates, order, axis=1), np.maximum(nearest, 0.0)
