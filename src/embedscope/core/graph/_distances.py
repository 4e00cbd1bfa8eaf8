"""The description of a neighbour search, and the metrics that it may use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from embedscope._errors import InvalidInputError

Metric = str | Callable[..., float]

# Other names of the same metric. "nan_euclidean" is Euclidean here: the data contain no NaN.
# pynndescent's "dot" divides each row by its length first, and so is the cosine distance.
_ALIASES = {
    "l2": "euclidean",
    "nan_euclidean": "euclidean",
    "cityblock": "manhattan",
    "dot": "cosine",
    "direct_cosine": "cosine",
    "standardised_euclidean": "seuclidean",
    "weighted_minkowski": "minkowski",
    "wminkowski": "minkowski",
}

# pynndescent has these, but they cannot give a neighbour graph of numbers.
_NOT_FOR_A_GRAPH = {
    "inner_product": "is negative, so it is no distance. Choose 'cosine', or 'euclidean'",
    "bit_hamming": "reads bits packed into bytes. Give one column for each bit, and 'hamming'",
    "bit_jaccard": "reads bits packed into bytes. Give one column for each bit, and 'jaccard'",
}


@dataclass(frozen=True)
class NeighborSearch:
    """A neighbour search: the number of neighbours, the metric and the options.

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

    @property
    def canonical_metric(self) -> Metric:
        """The metric, by the name that scikit-learn and pynndescent share."""
        return self.metric if callable(self.metric) else _ALIASES.get(self.metric, self.metric)


def check_metric(metric: Metric, name: str = "metric") -> None:
    """Raise unless `metric` is a function or the name of a known metric."""
    if scikit_learn_knows(metric):
        return
    from pynndescent.distances import named_distances

    if metric in _NOT_FOR_A_GRAPH:
        raise InvalidInputError(
            f"{name} must be a distance between rows of numbers; got {metric!r}, which "
            f"{_NOT_FOR_A_GRAPH[metric]}."
        )
    if metric not in named_distances:
        raise InvalidInputError(
            f"{name} must be a function or the name of a metric of scikit-learn or pynndescent; "
            f"got {metric!r}. Choose for instance 'euclidean', 'cosine', 'manhattan' or 'hamming'."
        )


def scikit_learn_knows(metric: Metric) -> bool:
    """Whether scikit-learn can search with `metric`; it accepts any function."""
    from sklearn.neighbors import VALID_METRICS

    known = set(VALID_METRICS["brute"]) - {"precomputed"}  # distances are an argument of their own
    return callable(metric) or metric in known


def is_boolean(metric: Metric) -> bool:
    """Whether `metric` only uses whether each value is zero."""
    from sklearn.metrics.pairwise import PAIRWISE_BOOLEAN_FUNCTIONS

    return metric in PAIRWISE_BOOLEAN_FUNCTIONS


def metric_failed(search: NeighborSearch, reason: str) -> InvalidInputError:
    """The error to raise where the metric failed; see `reason_of`."""
    return InvalidInputError(
        f"metric must work on these data; got metric={search.metric!r} with metric_kwds="
        f"{dict(search.metric_kwds)!r}, which failed with {reason} "
        "Check the metric's own requirements and arguments."
    )


def reason_of(error: Exception) -> str:
    """The type of an error and the first informative line of its message."""
    lines = [line.strip() for line in str(error).splitlines()]
    telling = [line for line in lines if line and not line.startswith("Failed in nopython mode")]
    message = telling[0] if telling else "no reason given"
    return f"{type(error).__name__}: {message.rstrip('.')}."
