"""Approximate Euclidean nearest neighbours of many rows, by cells and neighbours of neighbours.

1. The rows are projected to their leading principal components, and divided by k-means into cells
   of some hundred. All rows of a cell are compared with those of the nearest cells by one matrix
   product.
2. Neighbours of neighbours are tried as neighbours, as in nearest-neighbour descent [1]_. Every row
   improves its own list and reads the other lists of the pass before, so the result does not depend
   on the number of threads.
3. The best candidates are ranked by their exact distances in the space of the data.

The time grows nearly in proportion to the number of rows. Memory holds the components and a list
for each row, but never a copy of the data: these are read in blocks. The interpreter lock stays
free.

References
----------
.. [1] W. Dong, M. Charikar and K. Li, "Efficient k-nearest neighbor graph construction for generic
   similarity measures", WWW (2011) 577-586, doi:10.1145/1963405.1963487.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from embedscope.core.arrays._principal_axes import principal_axes, safe_exponent
from embedscope.core.graph._cells import Cells
from embedscope.core.graph._exact_search import nearest_of, smallest
from embedscope.core.graph._joining import holders_of, improve

_COMPONENTS = 128  # of the lists' distances
_CELL_COMPONENTS = 50  # of the comparison of whole cells, and of k-means
_FLAT_SHARE = 0.8  # of the variance; pictures of MNIST have more in 128 components
_FLAT_ROWS = 2_000  # enough for that share
_SAMPLE_ROWS = 20_000  # at most, for the principal axes
_BLOCK_ROWS = 4_096  # at most, read or improved at a time
_COMPARED_ROWS = 12_000  # at least, of the nearest cells: with 6,000 one percent fewer are found
_FEWEST_LISTED = 30  # in the list of a row, itself included
_FEWEST_LINKS = 20  # rows of a list whose own lists are tried
_MORE_CANDIDATES = 15  # for the last ranking, besides three for each neighbour
_RANKED_VALUES = 2**24  # of the data, read at a time for the last ranking
_MOVED_COLUMNS = 16  # moved at once when rows are put in another order
# Shares of the reported progress.
_PROJECTED, _COMPARED, _JOINED = 0.15, 0.45, 0.6


def clustered_neighbors(
    X: Any, k: int, report: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Find nearly all of each row's `k` nearest rows, itself first.

    Parameters
    ----------
    X : array of shape (n_samples, n_features), float32
        Any object with a shape that gives rows when it is indexed by a slice or by row numbers.
    k : int
        Neighbours to find, the row itself included; at most n_samples.
    report : callable
        Called with the fraction done, 0..1, after each block of rows; may raise to stop.

    Returns
    -------
    indices : ndarray of shape (n_samples, k), int32
    distances : ndarray of shape (n_samples, k), float32
        Exact, ascending.
    """
    points, exponent = _components(X, lambda share: report(_PROJECTED * share))
    # Many small products and numba's kernels take turns. With threads of their own, the products
    # would wait for the kernels' threads, which still spin: 60,000 pictures took 1.7 times as long.
    with threadpool_limits(1, user_api="blas"):
        return _found(X, points, exponent, k, report)


def _found(
    X: Any, points: np.ndarray, exponent: int, k: int, report: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray]:
    """The neighbours, from the components of all rows, which get another order."""
    n_samples = X.shape[0]
    cells = Cells(points[:, :_CELL_COMPONENTS])
    _reorder(points, cells.order)
    n_listed = min(n_samples, max(_FEWEST_LISTED, k))
    lists = np.empty((n_samples, n_listed), dtype=np.int32)
    for number, (start, stop) in enumerate(cells.bounds):
        lists[start:stop] = _nearest_in_cells(points, cells, number, n_listed)
        report(_PROJECTED + (_COMPARED - _PROJECTED) * stop / n_samples)
    n_links = min(n_listed, max(_FEWEST_LINKS, k))
    joined = np.empty_like(lists)
    holders = holders_of(lists, n_links)
    for start, stop in _blocks(n_samples, _BLOCK_ROWS):
        improve(points, lists, holders, n_links, start, joined[start:stop])
        report(_COMPARED + (_JOINED - _COMPARED) * stop / n_samples)
    lists = joined
    holders = holders_of(lists, n_links)
    n_candidates = min(n_samples, 3 * k + _MORE_CANDIDATES)
    indices = np.empty((n_samples, k), dtype=np.int32)
    distances = np.empty((n_samples, k), dtype=np.float32)
    # The last lists are long, so they are only made for one block of rows.
    for start, stop in _blocks(n_samples, _RANKED_VALUES // (n_candidates * X.shape[1])):
        found = np.empty((stop - start, n_candidates), dtype=np.int32)
        improve(points, lists, holders, n_links, start, found)
        rows = cells.order[start:stop]
        indices[rows], distances[rows] = _ranked(X, rows, cells.order[found], k, exponent)
        report(_JOINED + (1.0 - _JOINED) * stop / n_samples)
    return indices, distances


def is_flat(X: Any) -> bool:
    """Whether much of the variance lies outside the components in which neighbours are searched.

    Then the search finds few of the neighbours: 16 % in uniform noise of 300 features.
    """
    if X.shape[1] <= _COMPONENTS:
        return False
    sample = np.asarray(X[np.arange(0, X.shape[0], -(-X.shape[0] // _FLAT_ROWS))])
    centred = sample - sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    exponent = safe_exponent(max(float(centred.max()), -float(centred.min())))
    centred = np.ldexp(centred, -exponent)
    inside = centred @ principal_axes(centred, _COMPONENTS)
    return bool(np.square(inside).sum() < _FLAT_SHARE * np.square(centred).sum())


def _components(X: Any, report: Callable[[float], None]) -> tuple[np.ndarray, int]:
    """Leading principal components in a safe unit, and the exponent of that unit, a power of 2."""
    n_samples, n_features = X.shape
    sample = X[np.arange(0, n_samples, -(-n_samples // _SAMPLE_ROWS))]
    mean = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    axes = principal_axes(sample - mean, min(_COMPONENTS, n_features))
    points = np.empty((n_samples, axes.shape[1]), dtype=np.float32)
    largest = 0.0
    for start, stop in _blocks(n_samples, _BLOCK_ROWS):
        block = X[start:stop] - mean
        largest = max(largest, float(block.max()), -float(block.min()))
        np.matmul(block, axes, out=points[start:stop])
        report(stop / n_samples)
    exponent = safe_exponent(largest)
    if exponent:
        np.ldexp(points, -exponent, out=points)
    return points, exponent


def _blocks(n_samples: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Bounds of blocks of rows, of at least one row and at most a few thousand."""
    step = min(max(1, wanted), _BLOCK_ROWS)
    for start in range(0, n_samples, step):
        yield start, min(start + step, n_samples)


def _reorder(points: np.ndarray, order: np.ndarray) -> None:
    """Put rows in another order, in place, with a copy of a few columns only."""
    for start in range(0, points.shape[1], _MOVED_COLUMNS):
        columns = slice(start, start + _MOVED_COLUMNS)
        points[:, columns] = points[order, columns]


def _nearest_in_cells(points: np.ndarray, cells: Cells, number: int, n_listed: int) -> np.ndarray:
    """The nearest rows of each row of a cell, among those of the nearest cells, in order."""
    start, stop = cells.bounds[number]
    n_rows = stop - start
    others = cells.nearest(number, max(_COMPARED_ROWS, 4 * n_listed))
    # Distances from the cell's centre are small numbers, which a product in float32 resolves.
    near = points[others, :_CELL_COMPONENTS] - cells.centres[number]
    columns = np.column_stack([near, np.einsum("ij,ij->i", near, near)])
    queries = np.column_stack([-2.0 * near[:n_rows], np.ones(n_rows, dtype=np.float32)])
    scores = queries @ columns.T
    chosen = np.empty((n_rows, n_listed), dtype=np.int32)
    smallest(scores, n_listed, chosen)
    order = np.argsort(np.take_along_axis(scores, chosen, axis=1), axis=1, kind="stable")
    return others[np.take_along_axis(chosen, order, axis=1)]


def _ranked(
    X: Any, rows: np.ndarray, candidates: np.ndarray, k: int, exponent: int
) -> tuple[np.ndarray, np.ndarray]:
    """The `k` nearest candidates of `rows` by exact distance, the row itself first."""
    # Neighbours share most of their candidates, so each is read once for all of them.
    read = np.unique(candidates)
    values = np.require(X[read], np.float32, ["C", "W"])
    if exponent:
        values = np.ldexp(values, -exponent)
    places = np.searchsorted(read, candidates).astype(np.int32)
    nearest, squared = nearest_of(values, np.searchsorted(read, rows), places, k)
    return read[nearest], np.ldexp(np.sqrt(squared), exponent)
