"""Exact Euclidean nearest neighbours by blocked matrix products.

Up to some hundred thousand rows this beats building an index: the matrix product runs at the
processor's full speed, nothing is compiled on a first run but one small kernel, and the
interpreter lock stays free. `_neighbors` decides when it applies.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

from embedscope.core._projection import principal_axes

_BLOCK_ROWS = 512
_FULL_SPACE_WORK = 4e11  # multiplications: above this, candidates come from principal components
_SEARCH_COMPONENTS = 100
_CANDIDATES_PER_NEIGHBOR = 3


@numba.njit(parallel=True, nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _smallest(scores: np.ndarray, k: int, out: np.ndarray) -> None:
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
        for column in range(k, scores.shape[1]):
            if scores[row, column] < limit:
                best[worst] = scores[row, column]
                out[row, worst] = column
                for candidate in range(k):
                    if best[candidate] > best[worst]:
                        worst = candidate
                limit = best[worst]


@numba.njit(parallel=True, nogil=True, fastmath=True, cache=True)  # type: ignore[untyped-decorator]
def _squared_distances(
    X: np.ndarray, start: int, candidates: np.ndarray, out: np.ndarray
) -> None:
    """Squared distance of row ``start + i`` to each of its candidates, free of cancellation."""
    for row in numba.prange(candidates.shape[0]):
        for column in range(candidates.shape[1]):
            total = np.float32(0.0)
            other = candidates[row, column]
            for feature in range(X.shape[1]):
                difference = X[start + row, feature] - X[other, feature]
                total += difference * difference
            out[row, column] = total


def euclidean_neighbors(
    X: np.ndarray, k: int, report: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Find each row's `k` nearest rows, itself first.

    In data so large that the full product would take minutes, three times as many candidates are
    searched among 100 principal components and then ranked by their exact distances.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32
    k : int
        Neighbours to find, the row itself included; at most n_samples.
    report : callable
        Told the fraction done, 0..1, after each block of rows; may raise to stop.

    Returns
    -------
    indices : ndarray of shape (n_samples, k), int32
    distances : ndarray of shape (n_samples, k), float32
        Ascending.
    """
    n_samples, n_features = X.shape
    centred = X - X.mean(axis=0, dtype=np.float64).astype(np.float32)
    searched = centred
    n_candidates = min(k + 1, n_samples)
    if n_samples**2 * n_features > _FULL_SPACE_WORK and n_features > 2 * _SEARCH_COMPONENTS:
        searched = centred @ principal_axes(centred, _SEARCH_COMPONENTS)
        n_candidates = min(_CANDIDATES_PER_NEIGHBOR * k, n_samples)
    squares = np.einsum("ij,ij->i", searched, searched)
    # |x - y|^2 ranks like |y|^2 - 2 x.y: one product gives both terms.
    library = np.ascontiguousarray(np.column_stack([-2.0 * searched, squares]).T, dtype=np.float32)
    queries = np.column_stack([searched, np.ones(n_samples, dtype=np.float32)])
    indices = np.empty((n_samples, k), dtype=np.int32)
    distances = np.empty((n_samples, k), dtype=np.float32)
    scores = np.empty((min(_BLOCK_ROWS, n_samples), n_samples), dtype=np.float32)
    for start in range(0, n_samples, _BLOCK_ROWS):
        rows = slice(start, min(start + _BLOCK_ROWS, n_samples))
        block = scores[: rows.stop - rows.start]
        np.matmul(queries[rows], library, out=block)
        candidates = np.empty((len(block), n_candidates), dtype=np.int32)
        _smallest(block, n_candidates, candidates)
        indices[rows], distances[rows] = _rank(centred, start, candidates, k)
        report(rows.stop / n_samples)
    return indices, distances


def _rank(
    X: np.ndarray, start: int, candidates: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Order candidates by their exact distance and keep `k`, the row itself first."""
    own = np.arange(start, start + len(candidates), dtype=candidates.dtype)
    missing = ~(candidates == own[:, None]).any(axis=1)  # crowded out by duplicates
    candidates[missing, 0] = own[missing]
    squared = np.empty(candidates.shape, dtype=np.float32)
    _squared_distances(X, start, candidates, squared)
    squared[candidates == own[:, None]] = -1.0
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    nearest = np.take_along_axis(squared, order, axis=1)
    return np.take_along_axis(candidates, order, axis=1), np.sqrt(np.maximum(nearest, 0.0))
