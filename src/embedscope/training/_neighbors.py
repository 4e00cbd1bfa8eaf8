"""Nearest neighbours of blurred pictures.

Compared pixel by pixel, two cells differ most in the random positions of their granules. A blur and
the leading principal components leave the larger structures.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from embedscope._errors import InvalidInputError
from embedscope.core.arrays import principal_axes
from embedscope.core.graph import NeighborSearch, nearest_neighbors

_N_COMPONENTS = 40
_BLOCK_VALUES = 2**20  # values blurred between two reports: some tens of milliseconds
_BLURRING_SHARE = 0.4  # of the time, for the reports


def picture_neighbors(
    pictures: np.ndarray,
    n_neighbors: int,
    *,
    blur_px: float,
    metric: str = "euclidean",
    seed: int = 0,
    report: Callable[[float], None] = lambda fraction: None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest neighbours of blurred pictures.

    Parameters
    ----------
    pictures : ndarray of shape (n_samples, [depth,] height, width, n_channels), float32
    n_neighbors : int
        Neighbours of each, itself included; at least 2 and fewer than there are pictures.
    blur_px : float
        Standard deviation of the blur, in pixels; 0 for none.
    metric : str
        "euclidean" compares 40 principal components of the blurred pictures. Other metrics compare
        the blurred pictures, since they may have no meaning for components.
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
        If there are too few pictures.
    """
    if not 2 <= n_neighbors < len(pictures):
        raise InvalidInputError(
            f"n_neighbors must be an int in [2, n_samples); got {n_neighbors} "
            f"(n_samples={len(pictures)}). Lower n_neighbors, or add samples."
        )
    flat = _blurred(pictures, blur_px, lambda share: report(_BLURRING_SHARE * share))
    if metric == "euclidean" and flat.shape[1] > _N_COMPONENTS:
        flat -= flat.mean(axis=0, dtype=np.float64).astype(np.float32)
        flat = flat @ principal_axes(flat, _N_COMPONENTS)
    found = nearest_neighbors(
        flat,
        NeighborSearch(n_neighbors, metric, seed=seed),
        lambda share: report(_BLURRING_SHARE + (1.0 - _BLURRING_SHARE) * share),
    )
    report(1.0)
    return found


def _blurred(pictures: np.ndarray, blur_px: float, report: Callable[[float], None]) -> np.ndarray:
    """A copy of the pictures, blurred block by block and flattened."""
    flat = np.empty((len(pictures), int(np.prod(pictures.shape[1:]))), dtype=np.float32)
    blurred = flat.reshape(pictures.shape)
    sigma = (0.0, *[blur_px] * (pictures.ndim - 2), 0.0)
    step = max(1, _BLOCK_VALUES // max(1, flat.shape[1]))
    for start in range(0, len(pictures), step):
        block = slice(start, start + step)
        gaussian_filter(pictures[block], sigma=sigma, output=blurred[block])
        report(min(1.0, (start + step) / len(pictures)))
    return flat
