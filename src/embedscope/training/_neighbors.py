"""Nearest neighbours of the samples of a run, by features that count as alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.core.graph import NeighborSearch, nearest_neighbors


def feature_neighbors(
    features: np.ndarray,
    n_neighbors: int,
    *,
    metric: str = "euclidean",
    seed: int = 0,
    report: Callable[[float], None] = lambda fraction: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of rows.

    Parameters
    ----------
    features : ndarray of shape (n_samples, n_features), float32
    n_neighbors : int
        Neighbours of each, itself included; at least 2 and fewer than there are samples.
    metric : str
    seed : int
        Seed of an approximate search.
    report : callable
        Called with the fraction done, 0..1; may raise to stop.

    Returns
    -------
    indices : ndarray of shape (n_samples, n_neighbors), int32
    distances : ndarray of shape (n_samples, n_neighbors), float32
        Ascending.

    Raises
    ------
    InvalidInputError
        If there are too few samples.
    """
    check_enough(len(features), n_neighbors)
    found = nearest_neighbors(features, NeighborSearch(n_neighbors, metric, seed=seed), report)
    report(1.0)
    return found


def check_enough(n_samples: int, n_neighbors: int) -> None:
    """Raise unless there are more samples than neighbours, themselves included.

    Raises
    ------
    InvalidInputError
    """
    if 2 <= n_neighbors < n_samples:
        return
    remedy = "Choose data with more: the fewest for a map are 3."
    if n_samples > 2:
        remedy = f"Choose {n_samples - 1} at most, or add samples."
    raise InvalidInputError(
        "n_neighbors must be less than the number of samples, and at least 2; got "
        f"{n_neighbors} (n_samples={n_samples}). {remedy}"
    )
