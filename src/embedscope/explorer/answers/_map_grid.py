"""An atlas of the map: a grid of points, with a decoded sample at each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.answers._decoding import Reconstruction

_MARGIN = 0.02  # around the map, as a share of its width
_MOST_PER_SIDE = 256
_POINTS_AT_ONCE = 96  # between blocks, other threads can issue commands


@dataclass(frozen=True, eq=False)
class MapGrid:
    """Samples decoded on a grid over the map, row by row from the lower left corner.

    Attributes
    ----------
    low, high : ndarray of shape (2,), float64
        Corners of the box that the cells fill, in map units. A point is the middle of its cell.
    n_per_side : int
        Cells along each side.
    samples : ndarray of shape (n_per_side ** 2, *sample_shape), float32
        In the range of ``Samples.X``.
    support : ndarray of shape (n_per_side ** 2,), float64
        In 0..1, as `Reconstruction.support`.
    decoded : bool
        False if there is no decoder, or none yet: the samples are the nearest real ones.
    """

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    n_per_side: int
    samples: npt.NDArray[np.float32]
    support: npt.NDArray[np.float64]
    decoded: bool


def draw_grid(
    draw: Callable[[npt.NDArray[np.float64]], Sequence[Reconstruction]],
    positions: npt.NDArray[Any],
    n_per_side: Any,
) -> MapGrid:
    """Decode a grid over a map.

    Parameters
    ----------
    draw : callable
        ``draw(points)`` for points of shape (k, 2); called for some of the points at a time.
    positions : ndarray of shape (n_samples, 2), float
        The map; rows that are not finite are samples without a position.
    n_per_side : int
        In [1, 256].

    Returns
    -------
    MapGrid

    Raises
    ------
    InvalidInputError
        If `n_per_side` is out of its range, or no sample has a place.
    """
    if not isinstance(n_per_side, int | np.integer) or not 1 <= n_per_side <= _MOST_PER_SIDE:
        raise InvalidInputError(
            f"n_per_side must be an int in [1, {_MOST_PER_SIDE}]; got {n_per_side!r}. Draw a "
            "coarser grid."
        )
    low, high = _box_around(positions)
    places = _middles(low, high, int(n_per_side))
    drawn = [
        each
        for start in range(0, len(places), _POINTS_AT_ONCE)
        for each in draw(places[start : start + _POINTS_AT_ONCE])
    ]
    return MapGrid(
        low,
        high,
        int(n_per_side),
        np.stack([each.sample for each in drawn]),
        np.array([each.support for each in drawn]),
        all(each.decoded for each in drawn),
    )


def _box_around(
    positions: npt.NDArray[Any],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    placed = positions[np.isfinite(positions).all(axis=1)].astype(np.float64)
    if not len(placed):
        raise InvalidInputError(
            "the map must hold at least one sample; got none with a position. Train first, or "
            "wait for the first picture of the map."
        )
    low, high = placed.min(axis=0), placed.max(axis=0)
    margin = _MARGIN * np.maximum(high - low, 1e-6)
    return low - margin, high + margin


def _middles(
    low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], n_per_side: int
) -> npt.NDArray[np.float64]:
    shares = (np.arange(n_per_side) + 0.5) / n_per_side
    x, y = low[0] + shares * (high[0] - low[0]), low[1] + shares * (high[1] - low[1])
    return np.stack([np.tile(x, n_per_side), np.repeat(y, n_per_side)], axis=1)
