"""Where the patches of a grid lie, and which of them holds a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class PatchGrid:
    """Square patches on a regular grid; all of them lie whole in the image.

    Patch 1 is in the corner at row 0, column 0; numbers rise along rows, then columns.

    Attributes
    ----------
    height, width : int
        Size of the image in pixels.
    size : int
        Side of a patch in pixels.
    step : int
        Distance between neighbouring patches in pixels.
    """

    height: int
    width: int
    size: int
    step: int

    @property
    def n_rows(self) -> int:
        """Number of patches from top to bottom."""
        return max(0, (self.height - self.size) // self.step + 1)

    @property
    def n_columns(self) -> int:
        """Number of patches from left to right."""
        return max(0, (self.width - self.size) // self.step + 1)

    def __len__(self) -> int:
        return self.n_rows * self.n_columns

    def corners(self) -> npt.NDArray[np.int64]:
        """First row and column of every patch, by number: shape (n_patches, 2)."""
        steps = np.indices((self.n_rows, self.n_columns)).reshape(2, -1).T
        return steps.astype(np.int64) * self.step

    def label_at(self, row: float, column: float) -> int | None:
        """Number of the patch whose middle is nearest among those that hold the pixel, or None."""
        pixels = (np.floor(np.array([position + 0.5])) for position in (row, column))
        return int(self.labels_at(*pixels)[0, 0]) or None

    def labels_at(
        self, rows: npt.NDArray[np.number[Any]], columns: npt.NDArray[np.number[Any]]
    ) -> npt.NDArray[np.int64]:
        """Number of the patch at each pixel of some rows and columns, as in `label_at`.

        Parameters
        ----------
        rows : ndarray of shape (k,), whole numbers
        columns : ndarray of shape (m,), whole numbers

        Returns
        -------
        ndarray of shape (k, m), int64
            0 where no patch holds the pixel.
        """
        down = self._steps(rows, self.n_rows)[:, np.newaxis]
        across = self._steps(columns, self.n_columns)[np.newaxis]
        return np.where((down < 0) | (across < 0), 0, down * self.n_columns + across + 1)

    def _steps(self, pixels: npt.NDArray[np.number[Any]], count: int) -> npt.NDArray[np.int64]:
        """Index along one axis of the nearest patch that holds each pixel, -1 if none does."""
        nearest = np.round((pixels + 0.5 - self.size / 2) / self.step)
        index = np.clip(nearest, 0, max(count - 1, 0))
        offset = pixels - index * self.step
        return np.where((count > 0) & (offset >= 0) & (offset < self.size), index, -1).astype(
            np.int64
        )
