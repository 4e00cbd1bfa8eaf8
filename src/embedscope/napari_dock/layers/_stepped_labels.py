"""A coarse level of a pyramid, read from the finest one, for levels that have fewer frames.

Samples are identified by frame. If a level has only every other frame, it is unknown which frame
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
        Shape of the coarse level.
    frame_axis : int
        Axis along which all frames are kept.
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
            # The middle of the pixels that a coarse one covers.
            at = (np.arange(side)[entry] * 2 + 1) * fine // (2 * side)
            if np.ndim(at) == 0:
                window.append(int(at))
                continue
            first = int(at.min()) if len(at) else 0
            window.append(slice(first, int(at.max()) + 1 if len(at) else 0))
            places.append(at - first)
        block = np.asarray(self._labels[tuple(window)])
        return block[np.ix_(*places)] if places else block
