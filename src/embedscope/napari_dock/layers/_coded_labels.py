"""A labels image mapped through a table: a small code at each pixel, computed per slice on demand.

To napari it is an array, from which it reads only what is on the screen. Images in memory are not
copied, and of images on disk only the visible chunks are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.napari_dock.layers._label_rows import LabelRows

Codes = npt.NDArray[np.uint8]

_STRIPES_PX = 4  # every fourth diagonal of pixels


class CodedLabels:
    """Array of the objects' codes instead of their labels.

    Parameters
    ----------
    labels : array-like
        numpy, dask or zarr; integer labels.
    rows : LabelRows
        The row of each label.
    frame_axis : int, optional
        Axis of `labels` along which the frames run.

    Notes
    -----
    The rows of the last slice are cached, so that new codes for the same slice cost one look-up per
    pixel. An object's rim, the pixels that touch another object or background, has a code of its
    own, and so have thin stripes across its inside.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, labels: Any, rows: LabelRows, frame_axis: int | None = None) -> None:
        self._labels = labels
        self._rows = rows
        self._frame_axis = frame_axis
        self._table = np.zeros(3 * (rows.n_rows + 1), np.uint8)
        self._cached: tuple[Any, npt.NDArray[np.int32]] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the labels."""
        return tuple(self._labels.shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of pixels."""
        return int(np.prod(self.shape))

    def set_codes(
        self, inside: Codes, rim: Codes | None = None, stripes: Codes | None = None
    ) -> None:
        """Set the code of each row.

        Parameters
        ----------
        inside : ndarray of shape (n_rows,), uint8
            0 shows nothing.
        rim : ndarray of shape (n_rows,), uint8, optional
            Code of the outermost pixels; `inside` if left out.
        stripes : ndarray of shape (n_rows,), uint8, optional
            Code of every fourth diagonal of pixels; `inside` if left out.
        """
        self._table[3::3] = inside
        self._table[4::3] = inside if rim is None else rim
        self._table[5::3] = inside if stripes is None else stripes

    def forget(self) -> None:
        """Drop the cached slice: the labels were changed."""
        self._cached = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Codes:
        return self._table.take(self._places(key))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        codes = self[...]
        return codes if dtype is None else codes.astype(dtype)

    def _places(self, key: Any) -> npt.NDArray[np.int32]:
        """Index into the table for each pixel of the slice: three times its row, plus its part."""
        key = full_key(key, self.ndim)
        cache_key = tuple(map(repr, key))
        if self._cached is None or self._cached[0] != cache_key:
            rows = self.rows_at(key)
            self._cached = cache_key, 3 * rows + _parts(rows)
        return self._cached[1]

    def rows_at(self, key: tuple[Any, ...]) -> npt.NDArray[np.int32]:
        """Row + 1 of the sample at each pixel of a slice, 0 for none.

        Parameters
        ----------
        key : tuple of int and slice
            One entry for each axis.

        Returns
        -------
        ndarray, int32
            As many axes as there are slices in the key.
        """
        axis = self._frame_axis
        if axis is None:
            return self._rows.image_of(np.asarray(self._labels[key]))
        frames = np.arange(self.shape[axis])[key[axis]]
        if np.ndim(frames) == 0:
            return self._rows.image_of(np.asarray(self._labels[key]), int(frames))
        if not len(frames):
            return np.zeros(np.asarray(self._labels[key]).shape, np.int32)
        return np.stack(list(self._read_frames(key, axis, frames)), _axis_after(key, axis))

    def _read_frames(
        self, key: tuple[Any, ...], axis: int, frames: npt.NDArray[np.intp]
    ) -> Iterator[npt.NDArray[np.int32]]:
        for frame in frames:
            single = (*key[:axis], int(frame), *key[axis + 1 :])
            yield self._rows.image_of(np.asarray(self._labels[single]), int(frame))


def full_key(key: Any, n_axes: int) -> tuple[Any, ...]:
    """The key of an array with one entry for each axis.

    Parameters
    ----------
    key : int, slice, Ellipsis or tuple of them
    n_axes : int

    Returns
    -------
    tuple of int and slice
    """
    entries = list(key) if isinstance(key, tuple) else [key]
    if any(entry is Ellipsis for entry in entries):
        where = next(i for i, entry in enumerate(entries) if entry is Ellipsis)
        entries[where : where + 1] = [slice(None)] * (n_axes - len(entries) + 1)
    return tuple(entries + [slice(None)] * (n_axes - len(entries)))


def _axis_after(key: tuple[Any, ...], axis: int) -> int:
    """Index of an axis once the axes with a single index are dropped."""
    return sum(isinstance(entry, slice) or np.ndim(entry) > 0 for entry in key[:axis])


def _parts(rows: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    """1 on the rim of an object, 2 on its stripes, 0 elsewhere."""
    if rows.ndim < 2:
        return _rim(rows).astype(np.uint8)
    height, width = rows.shape[-2:]
    line = np.where(np.arange(width + _STRIPES_PX) % _STRIPES_PX == 0, np.uint8(2), np.uint8(0))
    # Each line is the one above shifted by one pixel, so every fourth line is the same.
    lines = np.stack([line[start : start + width] for start in range(_STRIPES_PX)])
    stripes = np.tile(lines, (height // _STRIPES_PX + 1, 1))[:height]
    return np.where(_rim(rows), np.uint8(1), stripes)


def _rim(rows: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """True where a pixel has a neighbour of another object along an axis."""
    rim = np.zeros(rows.shape, np.bool_)
    for axis in range(rows.ndim):
        one = (slice(None),) * axis
        low, high = (*one, slice(None, -1)), (*one, slice(1, None))
        differs = rows[low] != rows[high]
        rim[low] |= differs
        rim[high] |= differs
    return rim
