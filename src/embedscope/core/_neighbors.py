"""Nearest neighbours: which search fits the data, the metric and the size.

======================================================  =========================================
Euclidean, cosine, correlation; dense; to 100,000 rows  exact, by matrix products
any metric that scikit-learn knows; to 4,096 rows       exact, scikit-learn
everything else                                         nearest-neighbour descent, pynndescent
======================================================  =========================================

The first two run outside the interpreter lock. pynndescent holds it for seconds at a time, so it
runs in a process of its own, where a stop request can also end it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidInputError

_MATRIX_PRODUCT_LIMIT = 100_000
_SCIKIT_LEARN_LIMIT = 4_096
_POLL_S = 0.1

Metric = str | Callable[..., float]


@dataclass(frozen=True)
class NeighborSearch:
    """What to search for, and how.

    Attributes
    ----------
    n_neighbors : int
        Neighbours of each sample, the sample itself included.
    metric : str or callable
        A metric of scikit-learn or pynndescent, or a function of two vectors.
    metric_kwds : mapping
        Further arguments of the metric.
    n_jobs : int
        Threads for scikit-learn and pynndescent; -1 for all.
    seed : int
        Seed of the approximate search.
    low_memory, angular_rp_forest : bool
        Passed on to pynndescent.
    """

    n_neighbors: int
    metric: Metric = "euclidean"
    metric_kwds: Mapping[str, Any] = field(default_factory=dict)
    n_jobs: int = -1
    seed: int = 0
    low_memory: bool = True
    angular_rp_forest: bool = False


def nearest_neighbors(
    X: np.ndarray | sparse.csr_matrix,
    search: NeighborSearch,
    report: Callable[[float], None] = lambda fraction: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of every row of `X`, itself first.

    Parameters
    ----------
    X : ndarray or csr_matrix of shape (n_samples, n_features), float32
    search : NeighborSearch
    report : callable
        Told the fraction done, 0..1; may raise to stop the search.

    Returns
    -------
    indices : ndarray of shape (n_samples, n_neighbors), int32
    distances : ndarray of shape (n_samples, n_neighbors), float32
        Ascending.

    Raises
    ------
    InvalidInputError
        If the metric is not known, or does not work on these data.
    """
    check_metric(search.metric)
    n_samples = X.shape[0]
    if n_samples <= _MATRIX_PRODUCT_LIMIT and not sparse.issparse(X):
        projected = _as_euclidean(X, search)
        if projected is not None:
            return _matrix_product_search(projected, search, report)
    if n_samples <= _SCIKIT_LEARN_LIMIT and _scikit_learn_knows(search.metric):
        found = _scikit_learn_search(X, search)
    else:
        found = _descent_search(X, search, report)
    report(1.0)
    return found


def neighbors_from_distances(
    distances: np.ndarray | sparse.csr_matrix, n_neighbors: int
) -> tuple[np.ndarray, np.ndarray]:
    """Take the nearest neighbours from a square matrix of distances.

    A sparse matrix holds the distances that are known; absent entries are far away, and a sample
    with too few of them gets -1 and infinity in the places that are left.
    """
    n_samples = distances.shape[0]
    if not sparse.issparse(distances):
        square = np.array(distances, dtype=np.float32)
        np.fill_diagonal(square, -1.0)
        indices = np.argsort(square, axis=1, kind="stable")[:, :n_neighbors].astype(np.int32)
        nearest = np.take_along_axis(square, indices, axis=1)
        return indices, np.maximum(nearest, 0.0)
    indices = np.full((n_samples, n_neighbors), -1, dtype=np.int32)
    nearest = np.full((n_samples, n_neighbors), np.inf, dtype=np.float32)
    known = sparse.csr_matrix(distances)
    for row in range(n_samples):
        span = slice(known.indptr[row], known.indptr[row + 1])
        columns, values = known.indices[span], known.data[span]
        others = columns != row
        order = np.argsort(values[others], kind="stable")[: n_neighbors - 1]
        indices[row, 0], nearest[row, 0] = row, 0.0
        indices[row, 1 : 1 + len(order)] = columns[others][order]
        nearest[row, 1 : 1 + len(order)] = values[others][order]
    return indices, nearest


def check_metric(metric: Metric) -> None:
    """Raise unless `metric` is a function or the name of a known metric."""
    if callable(metric) or metric in _EUCLIDEAN_LIKE or _scikit_learn_knows(metric):
        return
    from pynndescent.distances import named_distances

    if metric not in named_distances:
        raise InvalidInputError(
            "metric must be a function or the name of a metric of scikit-learn or pynndescent; "
            f"got {metric!r}. Choose for instance 'euclidean', 'cosine', 'manhattan' or 'hamming'."
        )


_EUCLIDEAN_LIKE = ("euclidean", "l2", "cosine", "correlation")


def _as_euclidean(X: np.ndarray, search: NeighborSearch) -> np.ndarray | None:
    """Data whose Euclidean order is the metric's order, or None where there is none."""
    if search.metric not in _EUCLIDEAN_LIKE or search.metric_kwds:
        return None
    if search.metric in ("euclidean", "l2"):
        return X
    if search.metric == "correlation":
        X = X - X.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(X, axis=1, keepdims=True)
    if not (norms > 0).all():
        return None  # the angle of a zero vector is a matter of convention: leave it to others
    return np.asarray(X / norms, dtype=np.float32)


def _matrix_product_search(
    X: np.ndarray, search: NeighborSearch, report: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray]:
    from embedscope.core._exact_search import euclidean_neighbors

    indices, distances = euclidean_neighbors(X, search.n_neighbors, report)
    if search.metric in ("cosine", "correlation"):
        distances = distances**2 / 2.0  # 1 - cos of unit vectors
    return indices, distances


def _scikit_learn_knows(metric: Metric) -> bool:
    from sklearn.neighbors import VALID_METRICS

    return callable(metric) or metric in VALID_METRICS["brute"]


def _scikit_learn_search(
    X: np.ndarray | sparse.csr_matrix, search: NeighborSearch
) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.neighbors import NearestNeighbors

    try:
        found = NearestNeighbors(
            n_neighbors=search.n_neighbors,
            algorithm="brute",
            metric=search.metric,
            metric_params=dict(search.metric_kwds) or None,
            n_jobs=search.n_jobs,
        ).fit(X)
        distances, indices = found.kneighbors(X)
    except (ValueError, TypeError) as error:
        raise _metric_failed(search, error) from error
    return _self_first(indices, distances)


def _descent_search(
    X: np.ndarray | sparse.csr_matrix, search: NeighborSearch, report: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Run pynndescent in a process of its own."""
    from joblib.externals.loky import ProcessPoolExecutor

    executor = ProcessPoolExecutor(max_workers=1)
    try:
        future = executor.submit(_run_descent, X, search)
        while True:
            try:
                indices, distances = future.result(timeout=_POLL_S)
                break
            except FutureTimeoutError:
                report(0.0)
    except (ValueError, TypeError) as error:
        raise _metric_failed(search, error) from error
    finally:
        executor.shutdown(wait=False, kill_workers=True)
    return _self_first(indices, distances)


def _run_descent(
    X: np.ndarray | sparse.csr_matrix, search: NeighborSearch
) -> tuple[np.ndarray, np.ndarray]:
    import numba
    from pynndescent import NNDescent

    metric = search.metric
    if callable(metric) and not hasattr(metric, "py_func"):
        metric = numba.njit(metric)
    index = NNDescent(
        X,
        n_neighbors=search.n_neighbors,
        metric=metric,
        metric_kwds=dict(search.metric_kwds) or None,
        random_state=search.seed,
        n_trees=min(64, 5 + round(X.shape[0] ** 0.5 / 20)),
        n_iters=max(5, round(np.log2(X.shape[0]))),
        max_candidates=60,
        low_memory=search.low_memory,
        angular_trees=search.angular_rp_forest,
        n_jobs=search.n_jobs,
    )
    found: tuple[np.ndarray, np.ndarray] = index.neighbor_graph
    return found


def _self_first(indices: np.ndarray, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Put each sample in front of its neighbours; a duplicate may stand there, or none at all."""
    indices, distances = np.array(indices, np.int32), np.array(distances, np.float32)
    own = np.arange(len(indices), dtype=np.int32)
    is_own = indices == own[:, None]
    found = is_own.any(axis=1)
    place = np.where(found, is_own.argmax(axis=1), indices.shape[1] - 1)
    order = np.argsort(
        np.where(np.arange(indices.shape[1]) == place[:, None], -1, np.arange(indices.shape[1])),
        axis=1,
        kind="stable",
    )
    indices = np.take_along_axis(indices, order, axis=1)
    distances = np.take_along_axis(distances, order, axis=1)
    indices[:, 0], distances[:, 0] = own, 0.0
    return indices, distances


def _metric_failed(search: NeighborSearch, error: Exception) -> InvalidInputError:
    return InvalidInputError(
        f"metric must work on these data; got metric={search.metric!r} with "
        f"metric_kwds={dict(search.metric_kwds)!r}, which failed: {error} "
        "Check the metric's own requirements and arguments."
    )
