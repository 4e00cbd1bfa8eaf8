"""Gates as an OME-TIFF image, whose annotations name the classes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from embedscope.core.storage import replace_file
from embedscope.explorer.export._exports import require_export
from embedscope.explorer.export._gate_image import Classes, GateImage

_TILE = 512  # blocks of the image are a multiple of it
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
    import tifffile

    with replace_file(file) as written:
        tifffile.imwrite(
            written,
            _tiles(image),
            shape=image.shape,
            dtype=image.dtype,
            tile=(_TILE, _TILE),
            compression="zlib",
            photometric="minisblack",
            ome=True,
            metadata={
                "axes": image.axes.upper(),
                "Name": "gates",
                "MapAnnotation": [
                    {"Namespace": _CLASSES, **_numbered(image.names)},
                    {"Namespace": _COLORS, **_numbered(image.colors)},
                ],
                **_pixel_sizes(image),
            },
        )
        yield


def _tiles(image: GateImage) -> Iterator[Classes]:
    """The tiles of each plane, along rows."""
    for _, block in image.blocks(single_planes=True):
        height, width = block.shape[-2:]
        plane = block.reshape(height, width)
        for row in range(0, height, _TILE):
            for column in range(0, width, _TILE):
                yield np.ascontiguousarray(plane[row : row + _TILE, column : column + _TILE])


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
