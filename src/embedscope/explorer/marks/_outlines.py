"""Simplify outlines drawn by hand: a user can drag a few corners, not a hundred."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.explorer.marks._regions import check_polygon, in_polygon

_COARSER = (4.0, 2.0, 1.0, 0.5)  # tolerances to try, as multiples of the given one


def simplify_outline(
    outline: npt.ArrayLike, positions: npt.NDArray[Any], tolerance: float
) -> npt.NDArray[np.float64]:
    """Remove corners of an outline as long as it holds the same samples.

    Parameters
    ----------
    outline : array-like of shape (n_corners, 2)
        A closed line on the map, drawn by hand.
    positions : ndarray of shape (n_samples, 2), float
        NaN for samples without a position.
    tolerance : float
        How far the line may move, in map units, at least 0; up to four times that if no sample
        changes sides.

    Returns
    -------
    ndarray of shape (k, 2), float64, with 3 <= k <= n_corners
        Some of the corners, in their order. All of them if a simpler outline would hold other
        samples.

    Raises
    ------
    InvalidInputError
        If there are fewer than three corners, or they are not finite pairs of numbers.
    """
    corners = check_polygon(outline)
    inside = in_polygon(positions, corners)
    for factor in _COARSER:
        fewer = thin_outline(corners, factor * tolerance)
        if np.array_equal(in_polygon(positions, fewer), inside):
            return fewer
    return corners


def thin_outline(outline: npt.ArrayLike, tolerance: float) -> npt.NDArray[np.float64]:
    """Remove corners of an outline that lie close to the line between others.

    Parameters
    ----------
    outline : array-like of shape (n_corners, 2)
        A closed line on the map.
    tolerance : float
        How far the line may move, in map units, at least 0.

    Returns
    -------
    ndarray of shape (k, 2), float64, with 3 <= k <= n_corners
        Some of the corners, in their order; all of them if fewer than three would be left.

    Raises
    ------
    InvalidInputError
        If there are fewer than three corners, or they are not finite pairs of numbers.

    References
    ----------
    Douglas, D. H. and Peucker, T. K. Algorithms for the reduction of the number of points required
    to represent a digitized line or its caricature. Cartographica 10 (1973).
    https://doi.org/10.3138/FM57-6770-U75U-7727
    """
    import skimage.measure

    measure: Any = skimage.measure  # its functions have no types
    corners = check_polygon(outline)
    closed = np.concatenate([corners, corners[:1]])
    fewer: npt.NDArray[np.float64] = measure.approximate_polygon(closed, tolerance)[:-1]
    return fewer if len(fewer) >= 3 else corners
