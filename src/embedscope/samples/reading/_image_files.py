"""The image files that are opened by path, without pickles.

They are ``.npy`` files, members of ``.npz`` files (``cells.npz::image``), PNG files, TIFF files and
their series (``cells.btf::1``), and zarr arrays and pyramids, also inside a larger group
(``plate.zarr/labels/cells``); other images are absent until a user attaches them. A small file may
unpack to more than the memory holds, so its header is read first, and only the expected image is
unpacked.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.samples.reading._squeezed import without_single_axes
from embedscope.samples.reading._stacks import Stack

MEMBER = "::"  # between a file and the name of the array, or the number of the series, in it

_LARGEST_CHUNK = 2**28  # bytes, for images that are smaller than their chunks
_MODES_OF_16_BITS = ("I", "I;16")
_PNG_DTYPES: dict[str, np.dtype[Any]] = {
    "1": np.dtype(np.bool_),
    "I": np.dtype(np.uint16),  # of earlier versions of Pillow
    "I;16": np.dtype(np.uint16),
}

# How a shape and dtype differ from those of the expected image; "" if they do not.
Differ = Callable[[tuple[int, ...], Any], str]
Opener = Callable[[str, str, Differ], tuple[Any, str]]


def open_file(path: str, differ: Differ) -> tuple[Any, str]:
    """Open a local image by the suffix of its name.

    Parameters
    ----------
    path : str
        The file; for a member of an ``.npz`` file or a series of a TIFF file that is not the first,
        followed by ``::`` and its name or number from 0. For an array in a group, its own folder.
        For a TIFF file a time point, with ``*`` in the name.
    differ : callable
        ``differ(shape, dtype)`` returns how an image differs from the expected one, or "".

    Returns
    -------
    image : array, list of arrays (a pyramid) or None
        Read lazily if the kind of file allows.
    reason : str
        The result of `differ`; "" with an image.

    Raises
    ------
    Exception
        Any error that a reader raises for a damaged file.
    """
    if is_remote(path):
        raise ValueError("it is not on this computer")
    if is_pattern(path):
        stack = Stack(path)
        reason = differ(stack.shape, stack.dtype)
        return (None if reason else stack), reason
    file, member = file_of(path), path.partition(MEMBER)[2]
    opener = _opener_of(file)
    if opener is None:
        raise ValueError(f"images opened by themselves are {', '.join(sorted(_OPENERS))}")
    if not (Path(file).is_file() or Path(file).is_dir()):
        raise ValueError("it is a pipe or a device")  # to open one might block forever
    return opener(file, member, differ)


def members_of(path: str) -> list[str]:
    """The paths of all images in a file, if it holds several and the path names none of them.

    Parameters
    ----------
    path : str
        A local file that exists.

    Returns
    -------
    list of str
        The path itself for a file of one image.

    Raises
    ------
    Exception
        Any error that a reader raises for a damaged file.
    """
    opener = None if MEMBER in path or not Path(path).is_file() else _opener_of(path)
    names = []
    if opener is _open_npz:
        names = _names_in_npz(path)
    elif opener is _open_tiff:
        names = _numbers_of_series(path)
    return [f"{path}{MEMBER}{name}" for name in names] if len(names) > 1 else [path]


def _opener_of(file: str) -> Opener | None:
    # Arrays and groups inside of a zarr group are folders with names of any kind.
    if any((Path(file) / marker).is_file() for marker in _ZARR_MARKERS):
        return _open_zarr
    return _OPENERS.get(Path(file).suffix.lower())


def file_of(path: str) -> str:
    """The file of a path, without the name of a member."""
    return path.partition(MEMBER)[0]


def is_pattern(path: str) -> bool:
    """Whether a path means the TIFF files of several time points: ``"masks/t*.tif"``."""
    return "*" in Path(path).name


def is_remote(path: str) -> bool:
    """Whether a path is on another computer, to which no session may make a connection."""
    return "://" in path


def _open_npy(file: str, _: str, differ: Differ) -> tuple[npt.NDArray[Any] | None, str]:
    array: npt.NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    reason = differ(array.shape, array.dtype)
    return (None if reason else array), reason


def _open_npz(file: str, member: str, differ: Differ) -> tuple[npt.NDArray[Any] | None, str]:
    names = _names_in_npz(file)
    with np.load(file, allow_pickle=False) as archive:
        if not member and len(names) != 1:
            raise ValueError(f"it holds {', '.join(names)}; a path ends with {MEMBER} and a name")
        name = member or names[0]
        with archive.zip.open(f"{name.removesuffix('.npy')}.npy") as opened:
            reason = differ(*_declared(opened))
        return (None if reason else archive[name]), reason


def _names_in_npz(file: str) -> list[str]:
    with np.load(file, allow_pickle=False) as archive:
        return list(archive)


def _declared(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of an array in numpy's format, from its header."""
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"its format is {version}, which holds no images")
    shape, _, dtype = readers[version](file)
    return shape, dtype


def _open_png(file: str, _: str, differ: Differ) -> tuple[Any, str]:
    from PIL import Image

    with Image.open(file, formats=["PNG"]) as opened:
        raw_mode = str(opened.tile[0].args)
        if opened.mode == "P":
            raise ValueError("its numbers are those of a palette; it must be grey or RGB")
        if raw_mode.endswith(";16B") and opened.mode not in _MODES_OF_16_BITS:
            raise ValueError("it has colours of 16 bits, of which Pillow reads 8")
        dtype = _PNG_DTYPES.get(opened.mode, np.dtype(np.uint8))
        n_channels = len(opened.getbands())
        shape = (opened.height, opened.width, *((n_channels,) if n_channels > 1 else ()))
        if reason := differ(shape, dtype):
            return None, reason
        return np.asarray(opened).astype(dtype, copy=False), ""


def _open_tiff(file: str, member: str, differ: Differ) -> tuple[Any, str]:
    import tifffile

    with tifffile.TiffFile(file) as opened:
        n_series = len(opened.series)
        if not (member or "0").isdecimal() or int(member or 0) >= n_series:
            raise ValueError(f"it holds the series 0 to {n_series - 1}, and none is {member!r}")
        series = opened.series[int(member or 0)]
        if series.dtype is None:
            raise ValueError("it holds no image with one dtype")
        if reason := differ(tuple(map(int, series.shape)), series.dtype):
            return None, reason
    number = int(member or 0)
    try:
        return tifffile.memmap(file, series=number, mode="r"), ""
    except ValueError:  # compressed or in several pieces
        return tifffile.imread(file, series=number), ""


def _numbers_of_series(file: str) -> list[str]:
    import tifffile

    with tifffile.TiffFile(file) as opened:
        return [str(number) for number in range(len(opened.series))]


def _open_zarr(file: str, _: str, differ: Differ) -> tuple[Any, str]:
    import zarr

    opened: Any = zarr.open(file, mode="r")
    is_array = isinstance(opened, zarr.Array)
    levels = [opened] if is_array else _levels_of(opened)
    for level in levels:
        _refuse_pickle(level)
        _refuse_large_chunks(level)
    if reason := differ(tuple(map(int, levels[0].shape)), levels[0].dtype):
        axes = "" if is_array else axes_of(multiscales_of(opened))
        levels, left = without_single_axes(levels, axes)
        if left == axes or differ(levels[0].shape, levels[0].dtype):
            return None, reason
    return (levels if len(levels) > 1 else levels[0]), ""


def _levels_of(group: Any) -> list[Any]:
    """The arrays of a pyramid, from the OME-Zarr attributes of the group."""
    return [group[level["path"]] for level in multiscales_of(group)["datasets"]]


def multiscales_of(group: Any) -> Any:
    """The first image that the OME-Zarr attributes of a group describe, of version 0.4 or 0.5.

    Raises
    ------
    ValueError
        If the group has no such attributes.
    """
    attributes = dict(group.attrs)
    described = attributes.get("ome", attributes)
    if "multiscales" not in described:
        raise ValueError("it is a group of arrays without multiscales: name one of the arrays")
    return described["multiscales"][0]


def axes_of(multiscales: Any) -> str:
    """The axes of an OME-Zarr image, one letter each; "" if it does not name them."""
    axes = multiscales.get("axes") or ()
    names = [axis["name"] if isinstance(axis, dict) else str(axis) for axis in axes]
    return "".join(names) if all(len(name) == 1 for name in names) else ""


def _refuse_pickle(array: Any) -> None:
    # A codec of numcodecs unpickles each chunk, which would run code of the file's author.
    metadata = array.metadata.to_dict()
    codecs = [metadata.get(kind) for kind in ("filters", "compressor", "codecs")]
    if array.dtype.kind not in "biuf" or "pickle" in str(codecs).lower():
        raise ValueError("it holds objects, or chunks that only a pickle could read")


def _refuse_large_chunks(array: Any) -> None:
    # One pixel is read by unpacking its chunk, which may be larger than the image.
    chunk = math.prod(array.chunks) * array.dtype.itemsize
    image = math.prod(array.shape) * array.dtype.itemsize
    if chunk > max(image, _LARGEST_CHUNK):
        raise ValueError(f"its chunks of {chunk:,} bytes are larger than the image")


_OPENERS: dict[str, Opener] = {
    ".btf": _open_tiff,
    ".npy": _open_npy,
    ".npz": _open_npz,
    ".png": _open_png,
    ".tf8": _open_tiff,
    ".tif": _open_tiff,
    ".tiff": _open_tiff,
    ".zarr": _open_zarr,
}
_ZARR_MARKERS = ("zarr.json", ".zarray", ".zgroup")
