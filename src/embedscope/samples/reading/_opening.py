"""Open an image by its path: its pixels, and what the file says of axes, scale and channels.

OME-Zarr 0.4 and 0.5 state these in the attributes of the group, OME-TIFF in its XML, and ImageJ in
its description. Other formats than these, PNG and numpy's are read by bioio, if it is installed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from embedscope._errors import InvalidInputError, MissingDependencyError
from embedscope.samples.identity._arrays import finest_level
from embedscope.samples.reading._image_files import (
    MEMBER,
    axes_of,
    file_of,
    is_pattern,
    multiscales_of,
    open_file,
)
from embedscope.samples.reading._needed import existing
from embedscope.samples.reading._squeezed import without_single_axes

IMAGES = (".npy", ".npz", ".png", ".tif", ".tiff", ".btf", ".tf8", ".zarr")
"""Endings of the image files that need no further package."""

_TIFFS = (".tif", ".tiff", ".btf", ".tf8")
_MICROMETRES = {
    "um": 1.0,
    "µm": 1.0,
    "μm": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "Å": 1e-4,
    "angstrom": 1e-4,
    "mm": 1e3,
    "millimeter": 1e3,
    "cm": 1e4,
    "centimeter": 1e4,
    "m": 1e6,
    "meter": 1e6,
}
_SPATIAL = "zyx"


@dataclass(frozen=True, eq=False)
class ImageFile:
    """An opened image.

    Attributes
    ----------
    path : str
        Absolute, with ``::`` and a name for a member of a file.
    image : array or pyramid
        Read lazily where the format allows it.
    axes : str
        A letter of "tczyx" for each axis; "" if the file does not say.
    pixel_size : dict of str to float
        Micrometres per pixel along the spatial axes that the file states.
    channel_names : tuple of str
        () if the file does not say.
    is_rgb : bool
        Whether the file states that its channels are red, green and blue: one channel of three
        samples in OME-XML. RGB in a plain TIFF may be three stains as well.
    """

    path: str
    image: Any
    axes: str = ""
    pixel_size: dict[str, float] | None = None
    channel_names: tuple[str, ...] = ()
    is_rgb: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the finest level."""
        return tuple(map(int, finest_level(self.image).shape))

    def steps(self, axes: str) -> tuple[float, ...] | None:
        """Micrometres per pixel along the spatial ones of `axes`; None if one is unknown."""
        known = self.pixel_size or {}
        wanted = [axis for axis in axes if axis in _SPATIAL]
        return tuple(known[axis] for axis in wanted) if set(wanted) <= known.keys() else None


def open_image_file(path: str | os.PathLike[str], what: str = "image") -> ImageFile:
    """Open an image by the kind that its name tells.

    Parameters
    ----------
    path : str or path
        May end with ``::`` and the name of a member of an ``.npz`` file, or the number of a series
        of a TIFF file.
    what : str
        Its name in errors.

    Raises
    ------
    InvalidInputError
        If there is no such file, or it cannot be read.
    """
    file = existing(path, what)
    name = str(file) if MEMBER in str(file) else str(file.resolve())
    try:
        return _opened(name)
    except InvalidInputError:
        raise
    except ImportError as error:
        raise MissingDependencyError(
            f"{error.name} must be installed to read {what} {str(path)!r}; got {error}. Run: pip "
            'install "embedscope[images]"'
        ) from error
    except Exception as error:  # whatever a damaged file makes its reader raise
        raise InvalidInputError(
            f"{what} must be one of {', '.join(IMAGES)} that can be read; got {str(path)!r}: "
            f"{error}. Save it as TIFF or OME-Zarr."
        ) from error


def _opened(path: str) -> ImageFile:
    file = file_of(path)
    suffix = Path(file).suffix.lower()
    is_group = any((Path(file) / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray"))
    if suffix not in IMAGES and not is_group and find_spec("bioio") is not None:
        return _open_by_bioio(path)
    image, _ = open_file(path, lambda shape, dtype: "")
    opened = ImageFile(path, image)
    if is_pattern(path):
        return replace(opened, axes={3: "tyx", 4: "tzyx"}.get(image.ndim, ""))
    if suffix == ".png":
        return replace(opened, axes="yxc" if image.ndim == 3 else "yx")
    if suffix in _TIFFS:
        return _with_tiff_metadata(opened)
    return _with_zarr_metadata(opened) if is_group else opened


def _with_zarr_metadata(opened: ImageFile) -> ImageFile:
    """Axes, scale and channels of an OME-Zarr image; axes of length 1 are dropped."""
    import zarr

    group: Any = zarr.open(opened.path, mode="r")
    if isinstance(group, zarr.Array):
        return opened
    described = multiscales_of(group)
    axes = axes_of(described)
    levels = opened.image if isinstance(opened.image, list) else [opened.image]
    if len(axes) != levels[0].ndim or not set(axes) <= set("tczyx"):
        return opened
    levels, left = without_single_axes(levels, axes)
    attributes = dict(group.attrs)
    omero = attributes.get("ome", attributes).get("omero") or {}
    names = tuple(
        str(channel.get("label") or f"channel {number}")
        for number, channel in enumerate(omero.get("channels") or ())
    )
    return ImageFile(
        opened.path,
        levels if len(levels) > 1 else levels[0],
        left,
        _zarr_scale(described, axes),
        _distinct(names),
    )


def _zarr_scale(described: Any, axes: str) -> dict[str, float]:
    """Micrometres per pixel of the finest level, along the axes whose unit is a known length."""
    scales = np.ones(len(axes))
    found = False
    for transforms in (
        described["datasets"][0].get("coordinateTransformations") or (),
        described.get("coordinateTransformations") or (),
    ):
        for each in transforms:
            if each.get("type") == "scale" and len(each["scale"]) == len(axes):
                scales, found = scales * np.asarray(each["scale"], float), True
    named = [axis for axis in described["axes"] if isinstance(axis, dict)]
    units = {axis["name"]: str(axis.get("unit")) for axis in named}
    return {
        axis: float(scale) * _MICROMETRES[units[axis]]
        for axis, scale in zip(axes, scales, strict=True)
        if found and axis in _SPATIAL and units.get(axis, "") in _MICROMETRES
    }


def _with_tiff_metadata(opened: ImageFile) -> ImageFile:
    import tifffile

    file, _, member = opened.path.partition(MEMBER)
    number = int(member or 0)
    with tifffile.TiffFile(file) as tiff:
        series = tiff.series[number]
        axes = "".join({"S": "C"}.get(axis, axis) for axis in series.axes).lower()
        is_known = set(axes) <= set("tczyx") and len(set(axes)) == len(axes)
        found = replace(opened, axes=axes if is_known and len(axes) == len(opened.shape) else "")
        if tiff.is_ome and tiff.ome_metadata:
            return _with_ome_xml(found, tiff.ome_metadata, number)
        if tiff.is_imagej:
            return replace(found, pixel_size=_imagej_scale(tiff))
    return found


def _with_ome_xml(opened: ImageFile, text: str, number: int) -> ImageFile:
    root = ET.fromstring(text)
    images = [each for each in root if _tag(each) == "Image"]
    pixels = [part for image in images[number : number + 1] for part in image]
    sizes: dict[str, float] = {}
    names: list[str] = []
    is_rgb = False
    for part in pixels:
        if _tag(part) != "Pixels":
            continue
        for axis in _SPATIAL:
            step = part.get(f"PhysicalSize{axis.upper()}")
            unit = part.get(f"PhysicalSize{axis.upper()}Unit", "µm")
            if step is not None and unit in _MICROMETRES:
                sizes[axis] = float(step) * _MICROMETRES[unit]
        channels = [each for each in part if _tag(each) == "Channel"]
        names = [each.get("Name") or f"channel {k}" for k, each in enumerate(channels)]
        is_rgb = [each.get("SamplesPerPixel") for each in channels] in (["3"], ["4"])
    named = _distinct(tuple(names))
    return replace(opened, pixel_size=sizes, channel_names=named, is_rgb=is_rgb)


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _imagej_scale(tiff: Any) -> dict[str, float]:
    described = tiff.imagej_metadata or {}
    unit = _MICROMETRES.get(str(described.get("unit", "")).replace("\\u00B5", "µ"))
    per_unit = tiff.pages[0].resolution
    if unit is None or not all(per_unit):
        return {}
    sizes = {"x": unit / float(per_unit[0]), "y": unit / float(per_unit[1])}
    if described.get("spacing"):
        sizes["z"] = unit * float(described["spacing"])
    return sizes


def _open_by_bioio(path: str) -> ImageFile:
    """Open an image by bioio and the readers that are installed with it."""
    from bioio import BioImage

    image = BioImage(path)
    levels, axes = without_single_axes([_Chunked(image.dask_data)], image.dims.order.lower())
    if "c" not in axes:
        axes = axes.replace("s", "c")  # the colours of an RGB image
    return ImageFile(
        path,
        levels[0],
        axes if set(axes) <= set("tczyx") else "",
        _bioio_scale(image),
        _distinct(tuple(map(str, image.channel_names))),
    )


def _bioio_scale(image: Any) -> dict[str, float]:
    """Micrometres per pixel: bioio gives the numbers of a file as they are, in its units.

    Some readers name the unit of an axis, others have it in OME metadata alone. Where neither says,
    the reader has converted to micrometres, or knows no unit.
    """
    units = _bioio_units(image)
    return {
        axis: float(step) * _MICROMETRES[units[axis]]
        for axis in _SPATIAL
        if (step := getattr(image.physical_pixel_sizes, axis.upper()))
        and units[axis] in _MICROMETRES
    }


def _bioio_units(image: Any) -> dict[str, str]:
    try:
        described = image.ome_metadata.images[image.current_scene_index].pixels
    except Exception:  # most readers have none, and others fail on some files
        described = None
    named = getattr(image, "dimension_properties", None)  # earlier versions have none
    units = {}
    for axis in _SPATIAL:
        unit = getattr(getattr(named, axis.upper(), None), "unit", None)
        if unit is None:
            unit = getattr(getattr(described, f"physical_size_{axis}_unit", None), "value", "µm")
        units[axis] = str(unit)
    return units


class _Chunked:
    """A dask array whose chunks are told by their sides, as those of zarr."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim
        self.chunks = array.chunksize

    def __getitem__(self, index: Any) -> Any:
        return self._array[index]


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of channels, numbered where two are equal."""
    return tuple(
        name if names.count(name) == 1 else f"{name} {number}" for number, name in enumerate(names)
    )
