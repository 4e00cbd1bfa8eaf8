"""Read parts of arrays that may be in memory, lazy (dask) or on disk (zarr), pyramids included.

Nothing here imports dask or zarr: an array is any object with a shape, a dtype and slices.
"""

from __future__ import annotations

import os
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
        values; or if it is a path or a container of arrays.
    """
    if remedy := remedy_for(data):
        raise InvalidInputError(
            f"{name} must be a numpy, dask or zarr array, or a pyramid of them; got "
            f"{described(data)}. {remedy}"
        )
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
                f"shapes {shapes}. {_remedy_for_levels(shapes)}"
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
        f"{type(data).__name__}. Open the array itself, for example zarr.open(path)['0']."
    )


def described(data: Any) -> str:
    """What was given, for errors: a path in quotes, or a type."""
    is_path = isinstance(data, str | os.PathLike)
    return f"the path {os.fspath(data)!r}" if is_path else type(data).__name__


def remedy_for(data: Any) -> str:
    """How to get an array or a table out of something that holds it; "" for anything else."""
    if isinstance(data, str | os.PathLike):
        return f"Open it first, for example with {_reader_of(str(os.fspath(data)))}."
    if isinstance(data, dict):
        arrays = [name for name, value in data.items() if getattr(value, "ndim", 0) > 1]
        if arrays:
            return f"Pass one of its arrays, for example data[{arrays[0]!r}]."
        return "Pass one of its values, or a table of them: pandas.DataFrame(data)."
    if hasattr(data, "to_df"):  # AnnData
        return "Pass it to samples_from_table, or take its array .X."
    if hasattr(data, "arrays") and hasattr(data, "attrs"):  # a zarr group
        names = sorted(str(name) for name, _ in data.arrays())
        if not names:
            return "Open an array inside of it, as group['labels/cells/0']."
        levels = ", ".join(f"group[{each!r}]" for each in names)
        return f"Pass one of its arrays, or [{levels}] if they are the levels of a pyramid."
    if hasattr(data, "children") and hasattr(data, "to_dataset"):  # an xarray DataTree
        variables = [str(each) for level in data.children.values() for each in level.data_vars]
        name = variables[0] if variables else "image"
        return f"Pass its levels: [level[{name!r}].data for level in tree.children.values()]."
    return ""


def _reader_of(path: str) -> str:
    suffix = path.lower().rsplit(".", 1)[-1]
    return {
        "csv": "pandas.read_csv(path)",
        "tsv": "pandas.read_csv(path, sep='\\t')",
        "parquet": "pandas.read_parquet(path)",
        "h5ad": "anndata.read_h5ad(path)",
        "npy": "numpy.load(path)",
        "npz": "numpy.load(path)['name']",
        "tif": "tifffile.imread(path)",
        "tiff": "tifffile.imread(path)",
        "zarr": "zarr.open(path)['0']",
    }.get(suffix, "the library of this format")


def _remedy_for_levels(shapes: list[tuple[int, ...]]) -> str:
    if len({len(shape) for shape in shapes}) > 1:
        return "Pass one of the arrays alone, for example data[0]."
    sizes = [int(np.prod(shape)) for shape in shapes]
    if len(set(sizes)) == len(sizes):
        order = np.argsort(sizes)[::-1].tolist()
        return f"Put the largest first: [levels[k] for k in {order}]."
    return "Stack images of one size with numpy.stack."


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
