"""One function that reads whatever somebody has."""

from __future__ import annotations

import os
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples.combining._repeating import as_samples
from embedscope.samples.common._samples import Samples
from embedscope.samples.images._labels import samples_from_labels
from embedscope.samples.reading._annotated_files import samples_from_anndata
from embedscope.samples.reading._cellprofiler import DATABASES, samples_from_cellprofiler
from embedscope.samples.reading._files import samples_from_files
from embedscope.samples.reading._manifest import is_manifest, samples_from_manifest
from embedscope.samples.reading._needed import existing, is_path, needed
from embedscope.samples.reading._ome_zarr import is_ome_zarr, samples_from_ome_zarr
from embedscope.samples.reading._qupath import OUTLINES, samples_from_qupath
from embedscope.samples.reading._spatial import is_spatial, samples_from_spatialdata
from embedscope.samples.reading._table_files import TABLES, TEXTS, read_table_file
from embedscope.samples.reading._trackmate import samples_from_trackmate
from embedscope.samples.reading._tracks import is_tracks, samples_from_tracks
from embedscope.samples.tables._annotated import is_annotated
from embedscope.samples.tables._array_samples import samples_from_array
from embedscope.samples.tables._columns import checked_frame
from embedscope.samples.tables._table import samples_from_table

ARRAYS = (".npy", ".zarr")
"""Endings of the files of arrays, samples first."""


def read(data: Any, labels: Any = None, **options: Any) -> Samples:
    """Make samples of a file or an object, by what it is.

    Parameters
    ----------
    data : path, DataFrame, AnnData, SpatialData, array or Samples
        An image, if labels are given; a table; a manifest; an array with a sample in each row; an
        OME-Zarr image with labels inside, or a plate of them; a folder of AnnData or SpatialData.
    labels : path or array, optional
        The labels of an image; the folder of masks and tracks for a folder of images.
    **options
        Those of the function that reads such data: see the table in docs/samples.md.

    Returns
    -------
    Samples

    Raises
    ------
    InvalidInputError
        If the data are of no known kind, or cannot be read.
    MissingDependencyError
        If a package that this kind needs is not installed.

    See Also
    --------
    samples_from_files, samples_from_manifest, samples_from_ome_zarr, samples_from_anndata,
    samples_from_spatialdata, samples_from_table, samples_from_cellprofiler, samples_from_qupath,
    samples_from_trackmate, samples_from_tracks
    """
    if labels is not None:
        return _read_pair(data, labels, options)
    if is_path(data):
        return _read_path(existing(data, "data"), options)
    if is_spatial(data):
        return _made(samples_from_spatialdata, options, data)
    if is_annotated(data):
        return _made(samples_from_anndata, options, data)
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        if is_manifest(data):
            return _made(samples_from_manifest, options, data)
        return _made(samples_from_table, options, data)
    return _made(samples_from_array, options, data) if options else as_samples(data)


def _made(reader: Callable[..., Samples], options: dict[str, Any], *data: Any) -> Samples:
    """Call a reader, if it has these options.

    Raises
    ------
    InvalidInputError
        If it has no option of a name.
    """
    known = dict(signature(reader).parameters)
    if "options" in known:  # those of the cut itself
        known |= (
            signature(samples_from_files).parameters | signature(samples_from_labels).parameters
        )
    given = [*options]
    wrong = [name for name in given if name not in known or name == "options"]
    if wrong:
        names = [name for name in list(known)[len(data) :] if name != "options"]
        raise InvalidInputError(
            f"options must be those of {reader.__name__}, which reads such data; got {wrong}. "
            f"Leave them out, or use {names}."
        )
    return reader(*data, **options)


def _read_pair(data: Any, labels: Any, options: dict[str, Any]) -> Samples:
    if not is_path(data) and not is_path(labels):
        return _made(samples_from_labels, options, data, labels)
    if not (is_path(data) and is_path(labels)):
        raise InvalidInputError(
            f"labels must be a path where data is one, or both arrays; got {type(data).__name__} "
            f"and {type(labels).__name__}. Give two paths."
        )
    if Path(data).is_dir() and is_tracks(Path(labels)):
        return _made(samples_from_tracks, options, data, labels)
    return _made(samples_from_files, options, data, labels)


def _read_path(file: Path, options: dict[str, Any]) -> Samples:
    suffix = file.suffix.lower()
    if file.is_dir() and (reader := _reader_of_folder(file)) is not None:
        return _made(reader, options, file)
    if suffix == ".h5ad":
        return _made(samples_from_anndata, options, file)
    if suffix in OUTLINES:
        return _made(samples_from_qupath, options, file)
    if suffix in DATABASES:
        return _made(samples_from_cellprofiler, options, file)
    if suffix == ".xml":
        return _made(samples_from_trackmate, options, file)
    if suffix in (*TEXTS, ".parquet"):
        return _read_table(file, options)
    if suffix in ARRAYS:
        return _made(samples_from_array, options, open_array(file))
    raise InvalidInputError(
        f"data must be a table ({', '.join(TABLES)}), an array ({', '.join(ARRAYS)}), or an image "
        f"and its labels; got {str(file)!r} alone. Give the labels too, or save it as one of "
        "these. An image without labels is cut by samples_from_patches."
    )


def _reader_of_folder(folder: Path) -> Any:
    """The function for a folder, by what its zarr attributes say; None for an array."""
    if is_tracks(folder):
        raise InvalidInputError(
            f"data must be the folder of the images where labels is that of the tracks; got "
            f"{str(folder)!r} alone. Use samples_from_tracks(images, masks)."
        )
    if not any((folder / name).is_file() for name in ("zarr.json", ".zgroup")):
        return None
    zarr = needed("zarr", "images")
    opened = zarr.open(folder, mode="r")
    if isinstance(opened, zarr.Array):
        return None
    attributes = dict(opened.attrs)
    if "spatialdata_attrs" in attributes:
        return samples_from_spatialdata
    if attributes.get("encoding-type") == "anndata":
        return samples_from_anndata
    if is_ome_zarr(opened):
        return samples_from_ome_zarr
    raise InvalidInputError(
        f"data must be OME-Zarr, SpatialData, AnnData or one array; got {str(folder)!r}, a group "
        f"of {sorted(opened.keys())}. Give the path of one of these."
    )


def _read_table(file: Path, options: dict[str, Any]) -> Samples:
    frame = read_table_file(file)
    names = checked_frame(frame).columns
    if is_manifest(frame):
        return _made(samples_from_manifest, options, file)
    if {"ImageNumber", "ObjectNumber"} <= set(names):
        return _made(samples_from_cellprofiler, options, file)
    is_named = "Object ID" in names or {"Image", "ROI"} <= set(names)  # no ids up to QuPath 0.3
    if is_named and any(name.startswith("Centroid X") for name in names):
        return _made(samples_from_qupath, options, file)
    if {"ID", "FRAME", "TRACK_ID"} <= set(names):
        return _made(samples_from_trackmate, options, file)
    return _made(samples_from_table, options, frame)


def open_array(path: str | os.PathLike[str]) -> Any:
    """Open an array of numbers lazily, samples first.

    Raises
    ------
    InvalidInputError
        If it cannot be read, or is no array of numbers.
    """
    file = existing(path, "data")
    try:
        if file.suffix.lower() == ".zarr":
            zarr = needed("zarr", "images")
            opened = zarr.open_array(str(file), mode="r")
        else:
            opened = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InvalidInputError(
            f"data must be an .npy file of numbers or a zarr array; got {str(file)!r}, which "
            f"cannot be read: {error} Save the array with numpy.save."
        ) from error
    if opened.dtype.kind not in "biuf" or opened.ndim < 2:
        raise InvalidInputError(
            f"data must be numbers, samples first; got {opened.dtype} of shape {opened.shape}. "
            "Give an array of at least two axes."
        )
    return opened
