"""Build the graph for the layout from samples, neighbours and labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidInputError
from embedscope.core.arrays._rows import Rows
from embedscope.core.arrays._sources import ArraySource
from embedscope.core.graph._distances import Metric, NeighborSearch
from embedscope.core.graph._fuzzy import fuzzy_simplicial_set
from embedscope.core.graph._neighbors import nearest_neighbors
from embedscope.core.graph._precomputed import (
    given_distances,
    given_neighbors,
    neighbors_from_distances,
)
from embedscope.core.graph._targets import intersect_graphs, intersect_labels

_SEARCH_SHARE = 0.9  # of the graph phase, as progress is reported


@dataclass(frozen=True)
class GraphOptions:
    """How the graph is made; each attribute is the estimator's parameter of that name."""

    search: NeighborSearch
    local_connectivity: float = 1.0
    set_op_mix_ratio: float = 1.0
    target_metric: Metric = "categorical"
    target_metric_kwds: dict[str, Any] = field(default_factory=dict)
    target_weight: float = 0.5
    target_n_neighbors: int = -1


@dataclass(frozen=True)
class NeighborGraph:
    """A fuzzy simplicial set and the neighbours it was made of.

    Attributes
    ----------
    strengths : csr_matrix of shape (n_samples, n_samples), float32
        Membership strengths in 0..1.
    indices, distances : ndarray of shape (n_samples, n_neighbors)
    """

    strengths: sparse.csr_matrix
    indices: np.ndarray
    distances: np.ndarray


def build_graph(
    rows: Rows,
    y: np.ndarray | None,
    options: GraphOptions,
    *,
    precomputed_knn: Any = None,
    precomputed_distances: Any = None,
    report: Callable[[float], None] = lambda fraction: None,
) -> NeighborGraph:
    """Find neighbours, unless they are given, and compute edge strengths; use labels if given.

    Parameters
    ----------
    rows : Rows
    y : ndarray of shape (n_samples,) or (n_samples, n_targets), optional
        Class numbers (-1 for unknown) or numeric targets, depending on `options.target_metric`.
    options : GraphOptions
    precomputed_knn : tuple of ndarray, optional
        Indices and distances of shape (n_samples, at least n_neighbors).
    precomputed_distances : ndarray or sparse matrix of shape (n_samples, n_samples), optional
    report : callable
        Called with the fraction done, 0..1; may raise to stop.

    Returns
    -------
    NeighborGraph
    """
    k = options.search.n_neighbors
    if precomputed_knn is not None:
        indices, distances = given_neighbors(precomputed_knn, len(rows), k)
    elif precomputed_distances is not None:
        square = given_distances(precomputed_distances, len(rows))
        indices, distances = neighbors_from_distances(square, k)
    else:
        # The rows of an array in memory are read as they are needed, without a float copy of all.
        flat = rows.flat if isinstance(rows.flat, ArraySource) else rows.whole()
        indices, distances = nearest_neighbors(
            flat, options.search, lambda fraction: report(_SEARCH_SHARE * fraction)
        )
    strengths, _, _ = fuzzy_simplicial_set(
        indices,
        distances,
        n_neighbors=k,
        local_connectivity=options.local_connectivity,
        set_op_mix_ratio=options.set_op_mix_ratio,
    )
    _check_connected(strengths)
    if y is not None:
        strengths = _supervised(strengths, y, options, lambda: report(_SEARCH_SHARE))
        _check_not_all_apart(strengths)
    report(1.0)
    return NeighborGraph(strengths, indices, distances)


def _supervised(
    strengths: sparse.csr_matrix,
    y: np.ndarray,
    options: GraphOptions,
    poll: Callable[[], None],
) -> sparse.csr_matrix:
    if options.target_metric == "categorical":
        return intersect_labels(strengths, y, options.target_weight)
    target_rows = np.asarray(y, dtype=np.float32).reshape(len(y), -1)
    if not np.ptp(target_rows, axis=0).any():
        return strengths  # a constant target holds no information
    k = options.target_n_neighbors
    search = NeighborSearch(
        n_neighbors=min(options.search.n_neighbors if k == -1 else k, len(y)),
        metric=options.target_metric,
        metric_kwds=options.target_metric_kwds,
        n_jobs=options.search.n_jobs,
        seed=options.search.seed,
    )
    indices, distances = nearest_neighbors(target_rows, search, lambda fraction: poll())
    target_graph, _, _ = fuzzy_simplicial_set(indices, distances, n_neighbors=search.n_neighbors)
    return intersect_graphs(strengths, target_graph, options.target_weight)


def _check_connected(strengths: sparse.csr_matrix) -> None:
    if strengths.nnz == 0:
        raise InvalidInputError(
            "X must have neighbours at finite distance; got none for any sample. Check the metric, "
            "or the precomputed neighbours."
        )


def _check_not_all_apart(strengths: sparse.csr_matrix) -> None:
    if strengths.nnz == 0:
        raise InvalidInputError(
            "y must leave some neighbours in the same class where target_weight is 1; got a class "
            "of its own for every sample. Lower target_weight, or use a numeric target_metric."
        )
