"""Nearest neighbours: choose the search by the data, the metric and the size.

======================================================  =========================================
Euclidean and angles between rows; to some 10,000 rows  exact, by matrix products
the same metrics, more rows                             in cells of rows, approximate
metrics of scikit-learn, if that takes only seconds     exact, scikit-learn
everything else                                         nearest-neighbour descent, pynndescent
======================================================  =========================================

Every search releases the interpreter lock, unless the metric is a Python function, and can be
stopped at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidInputError
from embedscope.core.arrays._rows import dense_if_small
from embedscope.core.graph._distances import (
    NeighborSearch,
    check_metric,
    is_boolean,
    metric_failed,
    reason_of,
    scikit_learn_knows,
)
from embedscope.core.graph._metric_arguments import complete_arguments
from embedscope.core.graph._unit_rows import UnitRows

# Of a search of all pairs: multiplications, and as many more for each pair as choosing takes.
_ALL_PAIRS_WORK, _CHOOSING = 1e11, 64
# Where the search in cells would find few neighbours, all pairs are compared for longer.
_FLAT_WORK = 4 * _ALL_PAIRS_WORK
_FEWEST_PER_NEIGHBOR = 20  # rows, for a search in cells to be worth while
_SCIKIT_LEARN_WORK = 2e10  # differences of two numbers: some ten seconds
_FUNCTION_CALLS = 1e6  # most calls of a metric that is a Python function
_BLOCK_ROWS = 512  # searched between two calls of `report`
_ANGULAR = ("cosine", "correlation", "true_angular")

Neighbors = tuple[np.ndarray, np.ndarray]


def nearest_neighbors(
    X: Any,
    search: NeighborSearch,
    report: Callable[[float], None] = lambda fraction: None,
) -> Neighbors:
    """Find the nearest neighbours of every row of `X`, itself first.

    Parameters
    ----------
    X : ndarray, csr_matrix or other array of shape (n_samples, n_features), float32
        Another array is any object with a shape that gives rows when it is indexed by a slice or by
        row numbers. The search in cells reads such rows in blocks; other searches read all.
    search : NeighborSearch
    report : callable
        Called with the fraction done, 0..1; may raise to stop the search.

    Returns
    -------
    indices : ndarray of shape (n_samples, n_neighbors), int32
        -1 where the metric found no neighbour.
    distances : ndarray of shape (n_samples, n_neighbors), float32
        Ascending; infinite where there is no neighbour.

    Raises
    ------
    InvalidInputError
        If the metric is not known, or does not work on these data.
    """
    check_metric(search.metric)
    search = replace(search, metric=search.canonical_metric)
    if sparse.issparse(X):
        X = dense_if_small(X)
    if not sparse.issparse(X):
        if _is_euclidean_like(search):
            return _euclidean_like_search(X, search, report)
        X = X[:]
    elif search.metric == "true_angular":
        indices, distances = nearest_neighbors(X, replace(search, metric="cosine"), report)
        return indices, np.arccos(np.clip(1.0 - distances, -1.0, 1.0)) / np.float32(np.pi)
    search = _with_all_arguments(search, X)
    if _suits_scikit_learn(X, search):
        return _scikit_learn_search(X, search, report)
    from embedscope.core.graph._descent import descent_search

    found = _self_first(*descent_search(X, search, report))
    report(1.0)
    return found


def _is_euclidean_like(search: NeighborSearch) -> bool:
    return search.metric in ("euclidean", *_ANGULAR) and not search.metric_kwds


def _euclidean_like_search(
    X: Any, search: NeighborSearch, report: Callable[[float], None]
) -> Neighbors:
    from embedscope.core.graph._clustered_search import clustered_neighbors, is_flat
    from embedscope.core.graph._exact_search import euclidean_neighbors

    n_samples, n_features = X.shape
    angular = search.metric in _ANGULAR
    rows = UnitRows(X, centred=search.metric == "correlation") if angular else X
    work = n_samples**2 * (n_features + _CHOOSING)
    few = work <= _ALL_PAIRS_WORK or n_samples < _FEWEST_PER_NEIGHBOR * search.n_neighbors
    if few or (work <= _FLAT_WORK and is_flat(rows)):
        indices, distances = euclidean_neighbors(rows[:], search.n_neighbors, report)
    else:
        indices, distances = clustered_neighbors(rows, search.n_neighbors, report)
    if search.metric == "true_angular":
        # pynndescent 0.7.0 gives 1 minus this, so that alike rows are far apart.
        return indices, 2.0 / np.pi * np.arcsin(np.minimum(distances / 2.0, 1.0))
    return indices, distances**2 / 2.0 if angular else distances  # 1 - cos of unit vectors


def _with_all_arguments(search: NeighborSearch, X: Any) -> NeighborSearch:
    arguments = _attempt(search, partial(complete_arguments, search, X))
    return replace(search, metric_kwds=arguments)


def _suits_scikit_learn(X: np.ndarray | sparse.csr_matrix, search: NeighborSearch) -> bool:
    from sklearn.neighbors import VALID_METRICS_SPARSE

    n_samples, n_features = X.shape
    if callable(search.metric):
        return not sparse.issparse(X) and n_samples**2 <= _FUNCTION_CALLS
    if sparse.issparse(X) and search.metric not in VALID_METRICS_SPARSE["brute"]:
        return False
    few = n_samples**2 * n_features <= _SCIKIT_LEARN_WORK
    return few and scikit_learn_knows(search.metric)


def _scikit_learn_search(
    X: np.ndarray | sparse.csr_matrix, search: NeighborSearch, report: Callable[[float], None]
) -> Neighbors:
    from sklearn.neighbors import NearestNeighbors

    metric, arguments = search.metric, dict(search.metric_kwds)
    if callable(metric):
        metric, arguments = partial(metric, **arguments), {}
    elif is_boolean(metric):
        X = X != 0
    searcher = NearestNeighbors(
        n_neighbors=search.n_neighbors,
        algorithm="brute",
        metric=metric,
        p=arguments.pop("p", 2) if metric == "minkowski" else 2,
        metric_params=arguments or None,
        n_jobs=search.n_jobs,
    )
    _attempt(search, partial(searcher.fit, X))
    n_samples = X.shape[0]
    blocks = []
    for start in range(0, n_samples, _BLOCK_ROWS):
        block = X[start : start + _BLOCK_ROWS]
        blocks.append(_attempt(search, partial(searcher.kneighbors, block)))
        report(min(1.0, (start + _BLOCK_ROWS) / n_samples))
    distances, indices = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return _self_first(indices, distances)


def _attempt(search: NeighborSearch, step: Callable[[], Any]) -> Any:
    """Run a step in which the metric may fail; a metric function may raise any exception."""
    try:
        return step()
    except (MemoryError, InvalidInputError):
        raise
    except Exception as error:
        raise metric_failed(search, reason_of(error)) from error


def _self_first(indices: np.ndarray, distances: np.ndarray) -> Neighbors:
    """Put each sample first in its row, where a duplicate may be first or the sample missing."""
    indices, distances = np.array(indices, np.int32), np.array(distances, np.float32)
    missing = ~np.isfinite(distances) | (indices < 0)
    indices[missing], distances[missing] = -1, np.inf
    own = np.arange(len(indices), dtype=np.int32)
    is_own = indices == own[:, None]
    place = np.where(is_own.any(axis=1), is_own.argmax(axis=1), indices.shape[1] - 1)
    indices[own, place], distances[own, place] = own, -np.inf
    order = np.argsort(distances, axis=1, kind="stable")
    indices = np.take_along_axis(indices, order, axis=1)
    distances = np.take_along_axis(distances, order, axis=1)
    distances[:, 0] = 0.0
    return indices, distances
