"""Iterate over large arrays by tiles, so that only one tile is in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

TILE_PIXELS = 2**22
"""Pixels of a tile, unless a chunk is larger: 4 MB for each byte of a pixel."""

IntArray = npt.NDArray[np.int64]


def tile_sides(shape: tuple[int, ...], chunks: tuple[int, ...]) -> tuple[int, ...]:
    """Side of a tile along each axis: whole chunks, so that each chunk is read once.

    Parameters
    ----------
    shape : tuple of int
        Length of each axis in pixels.
    chunks : tuple of int
        Side of a chunk along each axis; 1 for an array in memory.
    """
    aim = round(TILE_PIXELS ** (1 / len(shape)))
    return tuple(
        min(side, max(1, aim // chunk) * chunk) for side, chunk in zip(shape, chunks, strict=True)
    )


def tiles(shape: tuple[int, ...], sides: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Boxes that cover an array of this shape, each pixel once."""
    starts = (range(0, length, side) for length, side in zip(shape, sides, strict=True))
    for corner in product(*starts):
        yield tuple(
            slice(start, min(start + side, length))
            for start, side, length in zip(corner, sides, shape, strict=True)
        )


def group_by_tile(
    frame: IntArray, positions: npt.NDArray[Any], sides: tuple[int, ...], at_most: int
) -> Iterator[npt.NDArray[np.intp]]:
    """Rows of objects that lie in one tile of one frame, tile by tile.

    Parameters
    ----------
    frame : ndarray of shape (n,), int64
        The frame of each object.
    positions : ndarray of shape (n, d)
        A pixel of each object, 0 or larger.
    sides : tuple of int
        Side of a tile along each of the d axes.
    at_most : int
        Larger groups are split.
    """
    if len(frame) == 0:
        return
    tile = np.column_stack([frame, (positions // np.array(sides)).astype(np.int64)])
    order = np.lexsort(tile.T[::-1])
    changes = np.flatnonzero((tile[order][1:] != tile[order][:-1]).any(axis=1)) + 1
    for group in np.split(order, changes):
        for start in range(0, len(group), at_most):
            yield group[start : start + at_most]
