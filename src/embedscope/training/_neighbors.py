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
    if not 2 <= n_neighbors < len(features):
        raise InvalidInputError(
            f"n_neighbors must be an int in [2, n_samples); got {n_neighbors} "
            f"(n_samples={len(features)}). Lower n_neighbors, or add samples."
        )
    found = nearest_neighbors(features, NeighborSearch(n_neighbors, metric, seed=seed), report)
    report(1.0)
    return found
