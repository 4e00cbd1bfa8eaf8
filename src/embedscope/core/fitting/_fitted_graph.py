"""The neighbour graph of a fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope._warning import warn_caller
from embedscope.core.arrays._rows import Rows
from embedscope.core.arrays._sources import ArraySource, Source
from embedscope.core.fitting._request import Request
from embedscope.core.graph._distances import NeighborSearch
from embedscope.core.graph._graph import GraphOptions, NeighborGraph, build_graph
from embedscope.core.networks._projected import fit_projection

_FEWEST_SAMPLES = 3  # two neighbours, a sample itself included
_UNEVEN_SCALES = 1_000.0  # a range this many times the median leads to a warning
_SMALLEST_RANGE = 1e-32  # of the data: its inverse still fits in float32


def fitted_graph(request: Request, report: Callable[[float], None]) -> NeighborGraph:
    """The graph of the request's samples; `report` is called with the fraction done, 0..1."""
    parameters, rows = request.parameters, request.rows
    search = NeighborSearch(
        n_neighbors=possible_neighbors(parameters["n_neighbors"], len(rows)),
        metric="euclidean" if parameters["metric"] == "precomputed" else parameters["metric"],
        metric_kwds=parameters["metric_kwds"] or {},
        n_jobs=parameters["n_jobs"] or 1,
        seed=request.seed,
        low_memory=parameters["low_memory"],
        angular_rp_forest=parameters["angular_rp_forest"],
    )
    options = GraphOptions(
        search,
        local_connectivity=parameters["local_connectivity"],
        set_op_mix_ratio=parameters["set_op_mix_ratio"],
        target_metric=parameters["target_metric"],
        target_metric_kwds=parameters["target_metric_kwds"] or {},
        target_weight=parameters["target_weight"],
        target_n_neighbors=parameters["target_n_neighbors"],
    )
    _check_samples(rows, parameters)
    knn = _given_knn(parameters["precomputed_knn"])
    if _is_stored(rows) and search.canonical_metric == "euclidean" and knn is None:
        rows = _in_components(rows)
    return build_graph(
        rows,
        request.y,
        options,
        precomputed_knn=knn,
        precomputed_distances=request.precomputed_distances,
        report=report,
    )


def _is_stored(rows: Rows) -> bool:
    """Whether rows in random order, which the search for neighbours reads, take long to read."""
    return isinstance(rows.flat, Source) and not isinstance(rows.flat, ArraySource)


def _in_components(rows: Rows) -> Rows:
    """The leading principal components of samples."""
    projection = fit_projection(rows)
    return replace(projection, scale=1.0).apply(rows)


def _given_knn(given: Any) -> Any:
    """None also for a tuple of three None, umap-learn's default."""
    return None if given is None or given[0] is None else given


def possible_neighbors(n_neighbors: int, n_samples: int) -> int:
    """Reduce `n_neighbors` if there are too few samples, with a warning, as in umap-learn.

    Parameters
    ----------
    n_neighbors : int
        The wanted number.
    n_samples : int

    Returns
    -------
    int
        At most ``n_samples - 1``.

    Raises
    ------
    InvalidInputError
        If there are too few samples for a map.
    """
    if n_neighbors < n_samples:
        return n_neighbors
    if n_samples < _FEWEST_SAMPLES:
        raise InvalidInputError(
            f"X must have at least {_FEWEST_SAMPLES} samples; got "
            f"n_samples={n_samples}. Add more samples."
        )
    warn_caller(
        f"n_neighbors should be less than the number of samples; got {n_neighbors} for "
        f"{n_samples} samples, so {n_samples - 1} are taken."
    )
    return n_samples - 1


def _check_samples(rows: Rows, parameters: Mapping[str, Any]) -> None:
    lowest, highest = rows.ranges()
    spread = highest - lowest
    if spread.max() < _SMALLEST_RANGE:
        raise InvalidInputError(
            f"X must hold samples that differ, by at least {_SMALLEST_RANGE:g}; got constant data: "
            f"all rows are equal, or differ by at most {spread.max():g}. Check how the samples "
            "were read, or give tiny numbers in smaller units."
        )
    used = spread[spread > 0]
    given = parameters["precomputed_knn"] is not None or parameters["metric"] != "euclidean"
    if not given and len(rows.shape) == 1 and used.max() > _UNEVEN_SCALES * np.median(used):
        warn_caller(
            f"X has features of very different scales (the largest range is "
            f"{used.max() / np.median(used):,.0f} times the median): a few of them decide the "
            "map. Consider sklearn.preprocessing.StandardScaler."
        )
