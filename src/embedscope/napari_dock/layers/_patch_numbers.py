"""The patches of an image as if they were labels, computed when a slice is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.napari_dock.layers._coded_labels import full_key
from embedscope.samples import PatchGrid


class PatchNumbers:
    """The number of the patch at each pixel of an image; of the nearest if patches overlap.

    Parameters
    ----------
    grid : PatchGrid
        On the last two axes of the finest level.
    shape : tuple of int
        Shape of this level, without channels.
    """

    dtype = np.dtype(np.int64)

    def __init__(self, grid: PatchGrid, shape: tuple[int, ...]) -> None:
        self._grid = grid
        self.shape = shape

    def __getitem__(self, key: Any) -> npt.NDArray[np.int64]:
        key = full_key(key, len(self.shape))
        rows, columns = (
            self._pixels(axis, key[axis], of_finest)
            for axis, of_finest in ((-2, self._grid.height), (-1, self._grid.width))
        )
        numbers = self._grid.labels_at(np.atleast_1d(rows), np.atleast_1d(columns))
        numbers = numbers.reshape(rows.shape + columns.shape)
        leading = np.broadcast_to(np.int8(0), self.shape[:-2])[key[:-2]].shape
        return np.broadcast_to(numbers, leading + numbers.shape)

    def _pixels(self, axis: int, key: Any, of_finest: int) -> npt.NDArray[np.int64]:
        """Pixels of the finest level that correspond to those of this level."""
        side = self.shape[axis]
        return np.arange(side)[key] * of_finest // side
