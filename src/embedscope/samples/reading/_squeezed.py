"""A view of an array on disk without its axes of length 1, which reads nothing by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Squeezed:
    """An array without some of its axes of length 1.

    Parameters
    ----------
    array : array with shape, dtype, chunks and slices
        A zarr array, for example.
    dropped : tuple of int
        The axes to leave out, each of length 1.
    """

    def __init__(self, array: Any, dropped: tuple[int, ...]) -> None:
        self._array, self._dropped = array, dropped
        self._kept = tuple(axis for axis in range(array.ndim) if axis not in dropped)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis that is left."""
        return tuple(int(self._array.shape[axis]) for axis in self._kept)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Side of a chunk along each axis that is left."""
        return tuple(int(self._array.chunks[axis]) for axis in self._kept)

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the array."""
        dtype: np.dtype[Any] = np.dtype(self._array.dtype)
        return dtype

    @property
    def ndim(self) -> int:
        """Number of axes that are left."""
        return len(self._kept)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        given = list(index) if isinstance(index, tuple) else [index]
        if Ellipsis in given:
            place = given.index(Ellipsis)
            given[place : place + 1] = [slice(None)] * (self.ndim - len(given) + 1)
        given += [slice(None)] * (self.ndim - len(given))
        whole: list[Any] = [0] * self._array.ndim
        for axis, part in zip(self._kept, given, strict=True):
            whole[axis] = part
        return np.asarray(self._array[tuple(whole)])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[...], dtype=dtype)


def without_single_axes(levels: list[Any], axes: str) -> tuple[list[Any], str]:
    """Levels of a pyramid without axes t, c and z of length 1, and the axes that are left.

    Parameters
    ----------
    levels : list of arrays
        Finest first.
    axes : str
        One letter for each axis.
    """
    shape = levels[0].shape
    dropped = tuple(k for k, axis in enumerate(axes) if axis in "tcz" and shape[k] == 1)
    if not dropped:
        return levels, axes
    left = "".join(axis for k, axis in enumerate(axes) if k not in dropped)
    return [Squeezed(level, dropped) for level in levels], left
