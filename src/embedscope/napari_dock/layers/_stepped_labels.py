"""The coarse level of a pyramid as the finest one has it, for levels that have fewer frames.

Who is who goes by the frame. A level with every other frame alone does not say which of two frames
each of its planes shows, so its pixels are read from the finest level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class SteppedLabels:
    """Every n-th pixel of labels, but every frame.

    Parameters
    ----------
    labels : array-like
        numpy, dask or zarr; the finest level.
    shape : tuple of int
        Of the coarse level.
    frame_axis : int
        Along which all frames are there.
    """

    def __init__(self, labels: Any, shape: tuple[int, ...], frame_axis: int) -> None:
        self._labels = labels
        self.dtype = labels.dtype
        sides = list(shape)
        sides[frame_axis] = int(labels.shape[frame_axis])
        self.shape = tuple(sides)

    def __getitem__(self, key: tuple[Any, ...]) -> npt.NDArray[Any]:
        """Read a block.

        Parameters
        ----------
        key : tuple of int and slice
            One entry for each axis.
        """
        window: list[int | slice] = []
        places = []
        for entry, side, fine in zip(key, self.shape, self._labels.shape, strict=True):
            # Of the pixels that a coarse one covers, the middle.
            at = (np.arange(side)[entry] * 2 + 1) * fine // (2 * side)
            if np.ndim(at) == 0:
                window.append(int(at))
                continue
            first = int(at.min()) if len(at) else 0
            window.append(slice(first, int(at.max()) + 1 if len(at) else 0))
            places.append(at - first)
        block = np.asarray(self._labels[tuple(window)])
        return block[np.ix_(*places)] if places else block
