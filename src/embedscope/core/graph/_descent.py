"""Approximate neighbours by pynndescent, in a separate process.

pynndescent holds the interpreter lock for seconds while it compiles and searches. A separate
process keeps the lock free, and can be ended at once when a search is stopped.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from scipy import sparse

from embedscope.core.graph._distances import Metric, NeighborSearch, metric_failed, reason_of

_POLL_S = 0.1  # time between two calls of `report`: a stop waits at most this long


def descent_search(
    X: np.ndarray | sparse.csr_matrix, search: NeighborSearch, report: Callable[[float], None]
) -> tuple[np.ndarray, np.ndarray]:
    """Find approximate nearest neighbours.

    Parameters
    ----------
    X : ndarray or csr_matrix of shape (n_samples, n_features), float32
    search : NeighborSearch
        Its arguments in the order of pynndescent, which does not use their names. A metric that is
        a function must be one that numba can compile.
    report : callable
        Called with 0 several times a second; may raise to stop the search.

    Returns
    -------
    indices : ndarray of shape (n_samples, n_neighbors), int
        -1 where no neighbour was found; a sample itself is not always the first.
    distances : ndarray of shape (n_samples, n_neighbors), float

    Raises
    ------
    InvalidInputError
        If the metric does not work on these data.
    """
    from joblib.externals.loky import ProcessPoolExecutor

    if callable(search.metric) and not sparse.issparse(X):
        _try_metric(X, search)
    executor = ProcessPoolExecutor(max_workers=1)
    try:
        future = executor.submit(_run_descent, X, search)
        while not future.done():
            report(0.0)
            with suppress(TimeoutError):
                future.result(timeout=_POLL_S)
        found = future.result()
    finally:
        executor.shutdown(wait=False, kill_workers=True)
    if isinstance(found, str):
        raise metric_failed(search, found)
    return found


def _try_metric(X: np.ndarray, search: NeighborSearch) -> None:
    """Compile the metric and call it once, to find an error now and not after half a minute."""
    try:
        float(_compiled(search.metric)(X[0], X[1], *search.metric_kwds.values()))
    except Exception as error:  # a function may raise anything
        raise metric_failed(search, reason_of(error)) from error


def _pynndescent_name(search: NeighborSearch) -> Metric:
    """scikit-learn has one name for Minkowski distances with and without weights."""
    weighted = search.metric == "minkowski" and "w" in search.metric_kwds
    return "weighted_minkowski" if weighted else search.metric


def _compiled(metric: Metric) -> Any:
    """A metric function compiled by numba; the name of a metric unchanged."""
    import numba

    return metric if isinstance(metric, str) or hasattr(metric, "py_func") else numba.njit(metric)


def _run_descent(
    X: np.ndarray | sparse.csr_matrix, search: NeighborSearch
) -> tuple[np.ndarray, np.ndarray] | str:
    """The neighbours, or the reason of a failure: not every exception can be sent to the caller."""
    from pynndescent import NNDescent

    warnings.simplefilter("ignore")  # the caller's process cannot catch them
    try:
        index = NNDescent(
            X,
            n_neighbors=search.n_neighbors,
            metric=_compiled(_pynndescent_name(search)),
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
    except MemoryError:
        raise
    except Exception as error:  # pynndescent and numba raise many kinds
        return reason_of(error)
    return found
