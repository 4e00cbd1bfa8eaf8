"""Samples from the files of an image and of its labels, and a table of the same objects."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples.common._matching import matched_frames, rows_of, unmatched
from embedscope.samples.common._samples import NotLearned, Samples
from embedscope.samples.images._field import AXES
from embedscope.samples.images._labels import samples_from_labels
from embedscope.samples.images._locating import known_objects
from embedscope.samples.reading._needed import is_path
from embedscope.samples.reading._opening import ImageFile, open_image_file
from embedscope.samples.reading._table_files import read_table_file
from embedscope.samples.tables._rows import read_rows

File = str | os.PathLike[str]


def samples_from_files(
    image: File,
    labels: File,
    size: int | None = None,
    *,
    table: Any = None,
    label_column: str | None = None,
    frame_column: str | None = None,
    source: str | None = None,
    axes: str | None = None,
    image_axes: str | None = None,
    pixel_size: float | Sequence[float] | None = None,
    channel_names: Sequence[str] | None = None,
    rgb: bool | None = None,
    **options: Any,
) -> Samples:
    """Make a sample of every labelled object of an image in a file.

    TIFF, OME-TIFF, PNG, OME-Zarr 0.4 and 0.5, zarr, ``.npy`` and ``.npz`` files are read, and what
    bioio opens, if it is installed. Axes, pixel size and channel names are those that the files
    state.

    Parameters
    ----------
    image, labels : str or path
        May end with ``::`` and the name of a member of an ``.npz`` file, or the number of a series
        of a TIFF file. An image inside a zarr group is a path too: ``"a.zarr/labels/cells"``.
    size : int, optional
        As in `samples_from_labels`.
    table : path or DataFrame, optional
        Measurements of the objects, which become features.
    label_column, frame_column : str, optional
        The columns of the table that hold the labels and the frames; known names if None, such as
        "CellID" of MCMICRO.
    source : str, optional
        Name of the source; by default the image's file name without its ending.
    axes, image_axes, pixel_size, channel_names : optional
        As in `samples_from_labels`, instead of what the files state.
    rgb : bool, optional
        As in `samples_from_labels`. If None, as OME-TIFF states it.
    **options
        Further ones of `samples_from_labels`.

    Returns
    -------
    Samples
        `left_out` says which rows of the table have no object, and which objects have no row.

    Raises
    ------
    InvalidInputError
        If a file cannot be read, or its data do not fit.
    """
    pixels, ids = open_image_file(image, "image"), open_image_file(labels, "labels")
    return samples_from_opened(
        pixels,
        ids,
        size,
        table=table,
        keys=(label_column, frame_column),
        source=source,
        axes=axes,
        image_axes=image_axes,
        pixel_size=pixel_size,
        channel_names=channel_names,
        rgb=rgb,
        **options,
    )


def samples_from_opened(
    image: ImageFile,
    labels: ImageFile,
    size: int | None,
    *,
    table: Any = None,
    keys: tuple[str | None, str | None] = (None, None),
    source: str | None = None,
    axes: str | None = None,
    image_axes: str | None = None,
    pixel_size: float | Sequence[float] | None = None,
    channel_names: Sequence[str] | None = None,
    rgb: bool | None = None,
    **options: Any,
) -> Samples:
    """Samples of files that are opened already; see `samples_from_files`."""
    read_axes, read_image_axes = axes_of_pair(image, labels, axes, image_axes)
    if pixel_size is None and read_axes is not None:
        pixel_size = image.steps(read_axes) or labels.steps(read_axes)
    if channel_names is None and _n_channels(image, read_image_axes) == len(image.channel_names):
        channel_names = image.channel_names or None
    samples = samples_from_labels(
        image.image,
        labels.image,
        size,
        axes=read_axes,
        image_axes=read_image_axes,
        pixel_size=pixel_size,
        source=source or stem_of(image.path),
        channel_names=channel_names,
        rgb=image.is_rgb if rgb is None else rgb,
        image_path=image.path,
        labels_path=labels.path,
        **options,
    )
    return samples if table is None else with_table(samples, table, *keys)


def axes_of_pair(
    image: ImageFile, labels: ImageFile, axes: str | None = None, image_axes: str | None = None
) -> tuple[str | None, str | None]:
    """The axes of labels and image: as given, as the files state, or by their shapes."""
    n_axes = len(labels.shape)
    if axes is None:
        of_image = image.axes.replace("c", "")
        stated = [each for each in (labels.axes, of_image) if each in AXES and len(each) == n_axes]
        axes = stated[0] if stated else None
    if image_axes is None and axes is not None and image.axes.replace("c", "", 1) == axes:
        image_axes = image.axes
    return axes, image_axes or image_axes_by_shape(image.shape, labels.shape, axes)


def image_axes_by_shape(
    shape: tuple[int, ...], inner: tuple[int, ...], axes: str | None
) -> str | None:
    """The axes of an image, by the shape of its labels; None where channels are last or absent."""
    if len(shape) != len(inner) + 1:
        return None
    fits = [axis for axis in range(len(shape)) if shape[:axis] + shape[axis + 1 :] == inner]
    if len(fits) != 1:
        return None
    names = axes or {2: "yx"}.get(len(inner))
    return None if names is None else names[: fits[0]] + "c" + names[fits[0] :]


def _n_channels(image: ImageFile, image_axes: str | None) -> int:
    return image.shape[image_axes.index("c")] if image_axes and "c" in image_axes else 1


def stem_of(path: str) -> str:
    """The name of a file without its folder and its ending, also that of an OME file."""
    name = os.path.basename(os.path.normpath(path))
    stem = name.partition("::")[0].rsplit(".", 1)[0] if "." in name else name
    return stem.removesuffix(".ome").removesuffix(".OME") or name


def with_table(
    samples: Samples,
    table: Any,
    label_column: str | None = None,
    frame_column: str | None = None,
) -> Samples:
    """Samples with the columns of a table of the same objects as further features.

    Parameters
    ----------
    samples : Samples
        Of one source, with labels.
    table : path or DataFrame
    label_column, frame_column : str, optional
        The columns that hold labels and frames; known names if None.

    Raises
    ------
    InvalidInputError
        If the rows cannot be matched with the objects.
    """
    import pandas as pd

    frame = read_table_file(table) if is_path(table) else table
    (source,) = samples.sources.values()
    rows = read_rows(frame, source, label_column, frame_column)
    objects = known_objects(source)
    frames, notes = matched_frames(rows.ids, objects)
    own = rows.ids.labels > 0
    notes += unmatched(rows_of(rows.ids, own), frames[own], objects)
    found = samples.identities.rows(source.name, rows.ids.labels, frames)
    kept = own & (found >= 0)
    values = rows.without_own(())[kept].set_axis(pd.Index(found[kept]), axis=0)
    values = values.reindex(np.arange(len(samples)))
    new = [name for name in values.columns if name not in (*samples.features.columns, "source")]
    twice = [str(name) for name in values.columns if name not in new]
    if twice:
        notes += (NotLearned(", ".join(twice), "the image has been measured for these already"),)
    by = rows.keys.label
    if by is not None:
        notes += (NotLearned(by, "the column that names the object of each row, so no feature"),)
    if not new:
        raise InvalidInputError(
            f"table must have columns of features; got {list(frame.columns)}. Add measurements, or "
            "leave the table out."
        )
    joined = samples.with_features(**{str(name): values[name] for name in new})
    return replace(joined, left_out=(*samples.left_out, *rows.notes, *notes))
