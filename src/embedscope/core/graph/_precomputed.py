"""Check precomputed neighbours and distances, and convert them to the form that the graph takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidInputError
from embedscope.core.arrays._numbers import as_array, as_float32

_BLOCK_ROWS = 512  # of the distances sorted at a time, so that no copy of the whole matrix is made


def given_neighbors(given: Any, n_samples: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Check given neighbours, and put each sample first in its row.

    Parameters
    ----------
    given : tuple of array-like
        Indices and distances of shape (n_samples, at least k), or k - 1 without the samples
        themselves.
    n_samples, k : int

    Returns
    -------
    indices : ndarray of shape (n_samples, k), int32
        -1 where a neighbour is missing.
    distances : ndarray of shape (n_samples, k), float32
        Ascending; infinite where a neighbour is missing.

    Raises
    ------
    InvalidInputError
        If these cannot be the neighbours of `n_samples` samples.
    """
    try:
        indices = _as_row_numbers(as_array(given[0], "its first part"))
        distances = as_float32(given[1], "its second part")
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise InvalidInputError(
            f"precomputed_knn must be a tuple (indices, distances); got {type(given).__name__} "
            f"({error}). Pass two arrays of shape (n_samples, n_neighbors)."
        ) from error
    fits = indices.ndim == 2 and indices.shape == distances.shape and len(indices) == n_samples
    if not fits:
        raise InvalidInputError(
            "precomputed_knn must hold indices and distances of shape (n_samples, n_neighbors); "
            f"got {indices.shape} and {distances.shape} for n_samples={n_samples}. "
            "Search the neighbours of these same samples."
        )
    if indices.size and (indices.min() < -1 or indices.max() >= n_samples):
        raise InvalidInputError(
            f"precomputed_knn must hold row numbers in [-1, {n_samples}); got values from "
            f"{indices.min()} to {indices.max()}. Search the neighbours of these same samples."
        )
    if np.isnan(distances).any() or (distances < 0).any():
        raise InvalidInputError(
            "precomputed_knn must hold distances of at least 0; got negative or NaN distances. "
            "Mark a missing neighbour by index -1 and distance infinity."
        )
    own = np.arange(n_samples)[:, None]
    is_own = indices == own
    missing = is_own | (indices < 0) | np.isinf(distances)
    indices, distances = np.where(missing, -1, indices), np.where(missing, np.inf, distances)
    order = np.argsort(distances, axis=1, kind="stable")
    others, far = (np.take_along_axis(array, order, axis=1) for array in (indices, distances))
    n_given = indices.shape[1] + (0 if is_own.any(axis=1).all() else 1)
    if n_given < k:
        raise InvalidInputError(
            f"precomputed_knn must hold at least n_neighbors={k} neighbours, the sample itself "
            f"included; got {n_given}. Search more neighbours, or lower n_neighbors."
        )
    indices = np.hstack([own, others])[:, :k].astype(np.int32)
    distances = np.hstack([np.zeros((n_samples, 1)), far])[:, :k].astype(np.float32)
    _check_different(indices)
    return indices, distances


def _check_different(indices: np.ndarray) -> None:
    """Raise if a row holds a neighbour twice: the strengths of repeated edges would add up."""
    ordered = np.sort(indices, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise InvalidInputError(
            "precomputed_knn must hold different neighbours in each row; got the same row number "
            "twice in a row. Mark a missing neighbour by index -1 and distance infinity."
        )


def _as_row_numbers(numbers: np.ndarray) -> np.ndarray:
    if numbers.dtype.kind not in "iu":
        raise TypeError(f"row numbers of dtype {numbers.dtype}")
    return numbers.astype(np.int64)


def given_distances(given: Any, n_samples: int) -> np.ndarray | sparse.csr_matrix:
    """Check a matrix of distances.

    Raises
    ------
    InvalidInputError
        If these cannot be the distances between `n_samples` samples.
    """
    if sparse.issparse(given):
        distances = sparse.csr_matrix(given)
    else:
        distances = as_float32(given, "precomputed_distances")
    if distances.shape != (n_samples, n_samples):
        raise InvalidInputError(
            f"precomputed_distances must be square, of shape ({n_samples}, {n_samples}); got "
            f"{distances.shape}. Give the distances between all rows of X."
        )
    values = distances.data if sparse.issparse(distances) else distances
    if np.isnan(values).any() or (values < 0).any():
        raise InvalidInputError(
            "precomputed_distances must be at least 0; got negative or NaN distances. "
            "Mark pairs that are not connected by infinity."
        )
    return distances


def neighbors_from_distances(
    distances: np.ndarray | sparse.csr_matrix, n_neighbors: int
) -> tuple[np.ndarray, np.ndarray]:
    """Take the nearest neighbours from a square matrix of distances.

    Parameters
    ----------
    distances : ndarray or csr_matrix of shape (n_samples, n_samples)
        A sparse matrix holds the known distances, stored zeros included; absent entries count as
        infinite.
    n_neighbors : int
        The sample itself included.

    Returns
    -------
    indices : ndarray of shape (n_samples, n_neighbors), int32
        Itself first; -1 where a sample has too few others at finite distance.
    distances : ndarray of shape (n_samples, n_neighbors), float32
        Ascending; infinite where there is no neighbour.
    """
    if sparse.issparse(distances):
        return _from_sparse(distances, n_neighbors)
    n_samples = len(distances)
    indices = np.empty((n_samples, n_neighbors), dtype=np.int32)
    nearest = np.empty((n_samples, n_neighbors), dtype=np.float32)
    for start in range(0, n_samples, _BLOCK_ROWS):
        rows = np.arange(start, min(start + _BLOCK_ROWS, n_samples))
        block = np.array(distances[rows], dtype=np.float32)
        block[rows - start, rows] = -1.0
        chosen = np.argpartition(block, n_neighbors - 1, axis=1)[:, :n_neighbors]
        values = np.take_along_axis(block, chosen, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        indices[rows] = np.take_along_axis(chosen, order, axis=1)
        nearest[rows] = np.take_along_axis(values, order, axis=1)
    indices[np.isinf(nearest)] = -1
    return indices, np.maximum(nearest, 0.0)


def _from_sparse(known: sparse.csr_matrix, n_neighbors: int) -> tuple[np.ndarray, np.ndarray]:
    n_samples = known.shape[0]
    indices = np.full((n_samples, n_neighbors), -1, dtype=np.int32)
    nearest = np.full((n_samples, n_neighbors), np.inf, dtype=np.float32)
    indices[:, 0], nearest[:, 0] = np.arange(n_samples), 0.0
    for row in range(n_samples):
        span = slice(known.indptr[row], known.indptr[row + 1])
        columns, values = known.indices[span], known.data[span]
        others = (columns != row) & np.isfinite(values)
        columns, values = columns[others], values[others]
        order = np.argsort(values, kind="stable")[: n_neighbors - 1]
        indices[row, 1 : 1 + len(order)] = columns[order]
        nearest[row, 1 : 1 + len(order)] = values[order]
    return indices, nearest
