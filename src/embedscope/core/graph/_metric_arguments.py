"""The arguments of a metric, and what it needs the data to be.

pynndescent compiles its metrics without a check of bounds and passes their arguments by order, not
by name. An argument that is missing, or shorter than a row, gives wrong distances without an error.
So names, order and shapes are checked here, for both libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidInputError
from embedscope.core.graph._distances import NeighborSearch

# scikit-learn's name of an argument, by pynndescent's.
_NAMES = {"sigma": "V", "vinv": "VI"}

_TRANSPORT = frozenset({"kantorovich", "wasserstein", "sinkhorn"})
_OF_DISTRIBUTIONS = _TRANSPORT | {
    "hellinger",
    "jensen-shannon",
    "jensen_shannon",
    "symmetric-kl",
    "symmetric_kl",
    "symmetric_kullback_liebler",
    "wasserstein_1d",
    "wasserstein-1d",
    "kantorovich_1d",
    "kantorovich-1d",
    "circular_kantorovich",
    "circular_wasserstein",
}

# The order in which pynndescent takes them.
_ORDER = ("V", "VI", "w", "cost", "p", "max_iter", "regularization")


def complete_arguments(search: NeighborSearch, X: Any) -> dict[str, Any]:
    """The metric's arguments, checked, in pynndescent's order and with scikit-learn's names.

    Arguments that describe the data are estimated if none are given: the variances of "seuclidean",
    the inverse covariance of "mahalanobis".

    Raises
    ------
    InvalidInputError
        If an argument is missing or has a wrong shape, or the data have values that the metric
        cannot take.
    ValueError
        If the features' covariance has no inverse.
    """
    if callable(search.metric):
        return dict(search.metric_kwds)
    given = {_NAMES.get(name, name): value for name, value in search.metric_kwds.items()}
    if not given and search.metric == "seuclidean":
        given = {"V": np.var(X, axis=0, ddof=1, dtype=np.float64)}
    if not given and search.metric == "mahalanobis":
        given = {"VI": np.linalg.inv(np.atleast_2d(np.cov(X, rowvar=False)))}
    if search.metric in _TRANSPORT and "cost" not in given:
        raise InvalidInputError(
            f"metric={search.metric!r} must have metric_kwds={{'cost': c}}, where c[i, j] is the "
            "distance from feature i to feature j; got no 'cost'. For features in a line, such as "
            "a histogram, use 'wasserstein_1d', which needs none."
        )
    _check_shapes(search.metric, given, X.shape[1])
    if search.metric in _OF_DISTRIBUTIONS:
        _check_not_negative(search.metric, X)
    if search.metric == "minkowski" and "w" in given:
        given.setdefault("p", 2)
    return {name: given[name] for name in sorted(given, key=_place)}


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _check_shapes(metric: str, given: Mapping[str, Any], n_features: int) -> None:
    row, square = (n_features,), (n_features, n_features)
    for name, shape in {"V": row, "w": row, "VI": square, "cost": square}.items():
        if name in given and np.shape(given[name]) != shape:
            raise InvalidInputError(
                f"metric_kwds[{name!r}] of metric={metric!r} must have shape {shape}, for data of "
                f"{n_features} features; got shape {np.shape(given[name])}."
                + (f" Leave {name!r} out to estimate it." if name in ("V", "VI") else "")
            )


def _check_not_negative(metric: str, X: Any) -> None:
    values = X.data if sparse.issparse(X) else X
    lowest = float(np.min(values, initial=0.0))
    if lowest < 0:
        raise InvalidInputError(
            f"metric={metric!r} compares distributions, so data must not be negative; got "
            f"{lowest:.4g}. Give counts or shares, or choose another metric such as 'euclidean'."
        )
