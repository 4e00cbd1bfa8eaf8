"""Gates as an OME-TIFF image, whose annotations name the classes.

A large image is a pyramid: each page has its coarser levels in SubIFDs, as the OME model says.

References
----------
https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html#sub-resolutions
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.core.storage import replace_file
from embedscope.explorer.export._exports import require_export
from embedscope.explorer.export._gate_image import Classes, GateImage

_TILE = 512  # blocks of the image are a multiple of it
_LARGEST_FLAT = 2048  # pixels of a side; a larger image is a pyramid
_LARGEST_CLASSIC = 2**32 - 2**25  # bytes; a larger file has 64-bit offsets (BigTIFF)
_CLASSES, _COLORS = "embedscope/classes", "embedscope/colors"


@contextmanager
def new_ome_tiff(file: Path, image: GateImage) -> Iterator[None]:
    """Write the gates of one source as OME-TIFF, and move it to its place at the end.

    Parameters
    ----------
    file : Path
        An existing one is replaced.
    image : GateImage
        Names and colours of the classes become two map annotations of the file.

    Yields
    ------
    None
        All is written, beside its place. If the block raises, it is removed.

    Raises
    ------
    MissingDependencyError
        If tifffile is missing.
    """
    require_export("tifffile", "save_gate_labels", "images")
    with replace_file(file) as written:
        _write(written, image)
        yield


def _write(file: Path, image: GateImage, largest_flat: int = _LARGEST_FLAT) -> None:
    """Write the image, then the coarser levels; each keeps every second pixel of the one before."""
    import tifffile

    n_coarser = _number_of_coarser(image.shape, largest_flat)
    coarse = _coarse_file(file, image) if n_coarser else None
    n_bytes = math.prod(image.shape) * image.dtype.itemsize * (4 / 3 if n_coarser else 1)
    with tifffile.TiffWriter(file, ome=True, bigtiff=n_bytes > _LARGEST_CLASSIC) as writer:
        _write_level(
            writer,
            _tiles(image, coarse),
            image.shape,
            image.dtype,
            subifds=n_coarser,
            metadata=_metadata(image),
        )
        for level in range(n_coarser):
            assert coarse is not None
            pixels = coarse[..., :: 2**level, :: 2**level]
            _write_level(
                writer, _tiles_of(pixels), pixels.shape, image.dtype, subfiletype=1, metadata=None
            )


def _number_of_coarser(shape: tuple[int, ...], largest_flat: int) -> int:
    """How often the image is halved, until it is a tile."""
    side, number = max(shape[-2:]), 0
    while max(shape[-2:]) > largest_flat and side > _TILE:
        side, number = -(-side // 2), number + 1
    return number


def _coarse_file(file: Path, image: GateImage) -> npt.NDArray[Any]:
    """Room for the first coarser level beside the file: in memory it might be too large."""
    *leading, height, width = image.shape
    shape = (*leading, -(-height // 2), -(-width // 2))
    return np.memmap(file.with_name("coarse"), image.dtype, "w+", shape=shape)


def _write_level(
    writer: Any,
    tiles: Iterator[Classes],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    **options: Any,
) -> None:
    writer.write(
        tiles,
        shape=shape,
        dtype=dtype,
        tile=(_TILE, _TILE),
        compression="zlib",
        photometric="minisblack",
        **options,
    )


def _tiles(image: GateImage, coarse: npt.NDArray[Any] | None) -> Iterator[Classes]:
    """The tiles of each plane, along rows; fills the coarser level, if there is one."""
    for box, block in image.blocks(single_planes=True):
        if coarse is not None:
            *plane, rows, _ = box  # a block begins at an even row
            coarse[(*plane, slice(rows.start // 2, -(-rows.stop // 2)))] = block[..., ::2, ::2]
        yield from _tiles_of(block)


def _tiles_of(pixels: npt.NDArray[Any]) -> Iterator[Classes]:
    for plane in np.ndindex(pixels.shape[:-2]):
        rows, columns = (range(0, side, _TILE) for side in pixels.shape[-2:])
        for row, column in product(rows, columns):
            tile = (*plane, slice(row, row + _TILE), slice(column, column + _TILE))
            yield np.ascontiguousarray(pixels[tile])


def _metadata(image: GateImage) -> dict[str, Any]:
    return {
        "axes": image.axes.upper(),
        "Name": "gates",
        "MapAnnotation": [
            {"Namespace": _CLASSES, **_numbered(image.names)},
            {"Namespace": _COLORS, **_numbered(image.colors)},
        ],
        **_pixel_sizes(image),
    }


def _numbered(values: tuple[str, ...]) -> dict[str, str]:
    return {str(number): value for number, value in enumerate(values, start=1)}


def _pixel_sizes(image: GateImage) -> dict[str, Any]:
    if image.pixel_size is None:
        return {}
    sizes = zip(image.source.spatial_axes.upper(), image.pixel_size, strict=True)
    return {
        name: value
        for axis, size in sizes
        for name, value in (
            (f"PhysicalSize{axis}", size),
            (f"PhysicalSize{axis}Unit", "\N{MICRO SIGN}m"),
        )
    }
