"""Label images of the gates on disk: a file for each source, all of them or none."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from embedscope._errors import InvalidInputError
from embedscope.core.storage import as_path
from embedscope.explorer.export._annotated import safe_names
from embedscope.explorer.export._new_folders import check_new
from embedscope.explorer.export._ome_tiff import new_ome_tiff
from embedscope.explorer.export._ome_zarr import list_in_image, new_ome_zarr

if TYPE_CHECKING:
    from embedscope.explorer.export._gate_image import GateImage

_WRITERS = {".zarr": new_ome_zarr, ".tif": new_ome_tiff, ".tiff": new_ome_tiff}


def write_gate_labels(path: str | os.PathLike[str], images: dict[str, GateImage]) -> list[Path]:
    """Write the gates as label images. If one cannot be written, none is.

    Parameters
    ----------
    path : str or path
        Ends in .zarr for OME-Zarr, or in .tif or .tiff for OME-TIFF; or lies in the folder
        ``labels`` of an OME-Zarr image. With several sources, the name of each is added:
        ``gates.ome.tif`` becomes ``gates_plate_1.ome.tif``.
    images : dict of str to GateImage
        By the name of the source.

    Returns
    -------
    list of Path
        The files, in the order of the sources.

    Raises
    ------
    InvalidInputError
        If the path has another ending, or is an OME-Zarr that exists.
    MissingDependencyError
        If zarr or tifffile is missing.
    NotWrittenError
        If a file cannot be written.
    """
    files = gate_label_files(path, images)
    ending = ".zarr" if _is_in_labels(files[0]) else files[0].suffix.lower()
    if ending == ".zarr":
        for each in files:  # before the first is written
            check_new(each)
    with ExitStack() as all_written:  # only then each is moved to its place
        for each, image in zip(files, images.values(), strict=True):
            all_written.enter_context(_WRITERS[ending](each, image))
    if ending == ".zarr":
        list_in_image(files)
    return files


def gate_label_files(path: str | os.PathLike[str], sources: Collection[str]) -> list[Path]:
    """The files of the gates of each source, which need not exist.

    Parameters
    ----------
    path : str or path
        As in `write_gate_labels`.
    sources : collection of str
        Names of the sources that have pixels.

    Returns
    -------
    list of Path
        In the order of the sources.

    Raises
    ------
    InvalidInputError
        If the path has another ending.
    """
    file = as_path(path)
    if not _is_in_labels(file) and file.suffix.lower() not in _WRITERS:
        raise InvalidInputError(
            f"path must end in .zarr, .tif or .tiff; got {str(file)!r}. Name it 'gates.ome.zarr' "
            "or 'gates.ome.tif'."
        )
    return [file] if len(sources) == 1 else _named(file, sources)


def _is_in_labels(file: Path) -> bool:
    """Whether it is a name in the folder ``labels``, such as of an OME-Zarr image."""
    return file.absolute().parent.name == "labels" and not file.suffix


def _named(file: Path, sources: Iterable[str]) -> list[Path]:
    stem = file.name.removesuffix(file.suffix)
    is_ome = stem.lower().endswith(".ome")
    stem, ending = (stem[:-4], stem[-4:] + file.suffix) if is_ome else (stem, file.suffix)
    names = safe_names(list(sources), reserved=())
    return [file.with_name(f"{stem}_{name}{ending}") for name in names]
