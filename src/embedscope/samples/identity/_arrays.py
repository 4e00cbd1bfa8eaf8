"""Read parts of arrays that may be in memory, lazy (dask) or on disk (zarr), pyramids included.

Nothing here imports dask or zarr: an array is any object with a shape, a dtype and slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

Array = npt.NDArray[Any]


def finest_level(data: Any, name: str = "image") -> Any:
    """Return the array itself, or the first level of a pyramid.

    Parameters
    ----------
    data : array or sequence of arrays
        A pyramid goes from the finest level to the coarsest.
    name : str
        Its name in errors.

    Returns
    -------
    array with shape, ndim, dtype and slices
        Numbers in nested lists become a numpy array.

    Raises
    ------
    InvalidInputError
        If it is a sequence of arrays whose shapes do not shrink, has no slices, or has masked
        values.
    """
    if is_pyramid(data):
        shapes = [tuple(level.shape) for level in data]
        shrinking = all(
            len(finer) == len(coarser)
            and finer != coarser
            and np.all(np.less_equal(coarser, finer))
            for finer, coarser in pairwise(shapes)
        )
        if not shrinking:
            raise InvalidInputError(
                f"{name} must be an array, or a pyramid from its finest level to its coarsest; got "
                f"shapes {shapes}. Stack images of one size with numpy.stack."
            )
        _check_not_masked(data[0], name)
        return data[0]
    if all(hasattr(data, attribute) for attribute in ("shape", "dtype", "ndim", "__getitem__")):
        _check_not_masked(data, name)
        return data
    if isinstance(data, Sequence) or np.isscalar(data) or hasattr(data, "__array__"):
        return _as_array(data, name)
    raise InvalidInputError(
        f"{name} must be a numpy, dask or zarr array, or a pyramid of them; got "
        f"{type(data).__name__}. {_remedy(data)}"
    )


def _remedy(data: Any) -> str:
    if hasattr(data, "to_df"):  # AnnData
        return "Take the table out of it, with to_df(), or the array .X."
    return "Open the array itself, for example zarr.open(path)['0']."


def _check_not_masked(array: Any, name: str) -> None:
    """Raise if values are masked: otherwise they would be read like any others."""
    # The type of a dask array's values is known without computing them.
    is_lazy_mask = isinstance(getattr(array, "_meta", None), np.ma.MaskedArray)
    if is_lazy_mask or np.ma.is_masked(array):
        filled = "dask.array.ma.filled(array, 0)" if is_lazy_mask else "array.filled(0)"
        raise InvalidInputError(
            f"{name} must have no masked values; got a masked array. Replace them by a number: "
            f"{filled}, which makes masked labels background."
        )


def _as_array(data: Any, name: str) -> Array:
    try:
        return np.asarray(data)
    except ValueError as error:  # rows of different lengths
        raise InvalidInputError(
            f"{name} must have rows of one length; got a list that is no array ({error}). Pad the "
            "shorter ones."
        ) from error


def is_pyramid(data: Any) -> bool:
    """Whether `data` is a sequence of arrays, finest first."""
    # numpy, dask and zarr arrays are not Sequences; napari's MultiScaleData is one.
    return (
        isinstance(data, Sequence)
        and len(data) > 0
        and all(hasattr(level, "shape") and level.shape for level in data)
    )


def read(array: Any, index: tuple[Any, ...]) -> Array:
    """Read a part into memory, in the machine's byte order; a view of a numpy array."""
    part = np.asarray(array[index])
    return part.astype(native(part.dtype), copy=False)


def native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in the machine's byte order: TIFF files may have the other one."""
    return dtype.newbyteorder("=")


def chunk_sides(array: Any) -> tuple[int, ...]:
    """Side of a chunk along each axis; 1 for arrays in memory, which are not read from disk."""
    chunks = getattr(array, "chunks", None)
    if chunks is None:
        return (1,) * int(array.ndim)
    # zarr has one number for each axis, dask the length of each chunk along it.
    return tuple(side if isinstance(side, int) else int(max(side)) for side in chunks)
