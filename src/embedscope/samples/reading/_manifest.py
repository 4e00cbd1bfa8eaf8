"""One set of samples of many files that a table lists: a source for each row."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from embedscope._errors import EmbedscopeError, InvalidInputError
from embedscope.samples.combining._joining import check_alike, join_samples
from embedscope.samples.common._checks import check_count
from embedscope.samples.common._intensities import check_intensities
from embedscope.samples.common._samples import LeftOut, Samples
from embedscope.samples.identity._arrays import finest_level
from embedscope.samples.images._object_samples import check_magnification
from embedscope.samples.reading._files import samples_from_files
from embedscope.samples.reading._needed import is_path
from embedscope.samples.reading._opening import open_image_file
from embedscope.samples.reading._reopened import Reopened
from embedscope.samples.reading._sizes_of_files import common_size
from embedscope.samples.reading._table_files import read_table_file
from embedscope.samples.tables._columns import checked_frame
from embedscope.samples.tables._known_columns import numbers_objects

if TYPE_CHECKING:
    import pandas as pd

_PATHS = ("image", "labels")  # the columns that make a table a manifest
_OWN = (*_PATHS, "table", "source")
FAILURES = (EmbedscopeError, OSError, ValueError, TypeError, KeyError)
"""What a file that cannot be read raises."""


class ManifestRow(NamedTuple):
    """One row of a manifest.

    Attributes
    ----------
    source : str
        Name of the source.
    image, labels : Path
    table : Path or None
    features : dict of str to Any
        The other columns, with one value for all objects of the image.
    """

    source: str
    image: Path
    labels: Path
    table: Path | None
    features: dict[str, Any]


def is_manifest(frame: Any) -> bool:
    """Whether a table lists images rather than samples."""
    import pandas as pd

    if not all(name in frame.columns for name in _PATHS):
        return False
    texts = frame[list(_PATHS)].map(lambda value: is_path(value) or pd.isna(value))
    return bool(texts.to_numpy().all())


def manifest_rows(frame: pd.DataFrame, folder: Path) -> Iterator[ManifestRow]:
    """The rows of a manifest, whose paths are relative to `folder`.

    Raises
    ------
    InvalidInputError
        If two sources have the same name.
    """
    import pandas as pd

    stems = frame["image"].map(lambda path: Path(str(path)).stem)
    names = (frame["source"] if "source" in frame.columns else stems).map(str)
    if names.duplicated().any():
        twice = names[names.duplicated()].iloc[0]
        raise InvalidInputError(
            f"source must be another name for each row of a manifest; got {twice!r} twice. Add a "
            "column source with a name for each image."
        )
    others = [name for name in frame.columns if name not in _OWN]
    for number, name in enumerate(names):
        row = frame.iloc[number]
        table = row["table"] if "table" in frame.columns else None
        yield ManifestRow(
            name,
            folder / str(row["image"]),
            folder / str(row["labels"]),
            None if table is None or pd.isna(table) else folder / str(table),
            {str(other): row[other] for other in others},
        )


def columns_of_numbers(path: str | os.PathLike[str]) -> list[str]:
    """The columns of a manifest and of its first table that objects can be compared by.

    Parameters
    ----------
    path : str or path
        Of a manifest.

    Returns
    -------
    list of str
        Without columns that number objects. Empty if the file, or the first table, cannot be read:
        reading the samples says why.
    """
    try:
        frame = checked_frame(read_table_file(path))
        if not is_manifest(frame):
            return []
        rows = manifest_rows(frame, Path(path).parent)
        first = next((row.table for row in rows if row.table is not None), None)
        tables = [frame] if first is None else [checked_frame(read_table_file(first)), frame]
    except FAILURES:
        return []
    return [
        str(name)
        for table in tables
        for name, column in table.select_dtypes("number").items()
        if name not in _OWN and not numbers_objects(str(name), column)
    ]


def samples_from_manifest(
    manifest: Any,
    size: int | None = None,
    *,
    folder: str | os.PathLike[str] | None = None,
    scale_within: str | None = None,
    n_jobs: int | None = None,
    **options: Any,
) -> Samples:
    """Make one set of samples of many images.

    Parameters
    ----------
    manifest : DataFrame or path
        A row for each image, with the columns "image" and "labels", which hold paths; optionally
        "table", a table of the same objects, and "source", a name, by default the image's. All
        other columns, such as a well or a treatment, become features.
    size : int, optional
        Side of a crop in pixels. If None, the smallest that holds 95 % of the objects of all images
        whole, drawn at 64 pixels at most; in micrometres, if the pixel sizes of the images differ.
    folder : str or path, optional
        Where relative paths begin: the folder of the manifest, or the current one for a DataFrame.
    scale_within : str, optional
        A column, such as "plate", within whose groups intensities are scaled; "image" scales each
        image by itself. Over all images if None; see `Samples.scaled_within`.
    n_jobs : int, optional
        Images that are read at the same time; the number of processor cores, at most 8, if None.
    **options
        Further ones of `samples_from_files`, the same for all.

    Returns
    -------
    Samples
        A row that cannot be read is in `left_out`, with the
        reason.

    Raises
    ------
    InvalidInputError
        If no row can be read, or two sources have the same name.
    """
    rows = read_manifest(manifest, folder)
    n_threads = usual_threads() if n_jobs is None else check_count("n_jobs", n_jobs)
    if size is None:
        options = {**options, **common_size(rows, options, n_threads)}
        size = options.pop("size", None)

    def job(row: ManifestRow) -> Samples:
        read = samples_from_files(
            row.image, row.labels, size, table=row.table, source=row.source, **options
        )
        return with_row(read, row)

    parts, left_out = read_each(rows, job, n_threads, _difference)
    joined = join_samples(parts)
    if scale_within is not None:
        joined = joined.scaled_within(scale_within)
    return replace(joined, left_out=(*left_out, *joined.left_out))


def read_manifest(manifest: Any, folder: str | os.PathLike[str] | None = None) -> list[ManifestRow]:
    """The rows of a manifest; see `samples_from_manifest`.

    Raises
    ------
    InvalidInputError
        If it is none, or two sources have the same name.
    """
    frame = checked_frame(read_table_file(manifest) if is_path(manifest) else manifest, "manifest")
    if not is_manifest(frame):
        raise InvalidInputError(
            f"manifest must have the columns image and labels, with paths; got "
            f"{list(frame.columns)[:8]}. Add them, or read the table by samples_from_table."
        )
    home = Path(folder) if folder is not None else Path()
    if folder is None and is_path(manifest):
        home = Path(manifest).parent
    return list(manifest_rows(frame, home))


def usual_threads() -> int:
    """How many files are read at the same time, if the user does not say it."""
    return min(8, os.cpu_count() or 1)


def read_each(
    rows: Sequence[ManifestRow],
    job: Callable[[ManifestRow], Samples],
    n_threads: int,
    difference: Callable[[list[Samples], Samples], str] = lambda parts, read: "",
) -> tuple[list[Samples], tuple[LeftOut, ...]]:
    """Read rows in parallel, and leave out those that cannot be read.

    Parameters
    ----------
    rows : sequence of ManifestRow
    job : callable
        ``job(row)`` reads a row.
    n_threads : int
    difference : callable
        ``difference(parts, read)`` says why samples cannot be joined with those before; "" if they
        can.

    Returns
    -------
    parts : list of Samples
        In the order of the rows.
    left_out : tuple of LeftOut

    Raises
    ------
    InvalidInputError
        If no row can be read.
    """
    parts: list[Samples] = []
    left_out: list[LeftOut] = []
    with ThreadPoolExecutor(n_threads) as threads:
        for row, read in zip(rows, threads.map(_caught(job), rows), strict=True):
            if isinstance(read, Samples):
                reason = difference(parts, read)
                if not reason:
                    parts.append(read)
                    continue
            else:
                reason = str(read)
            left_out.append(LeftOut(row.source, reason))
    if not parts:
        raise InvalidInputError(
            f"manifest must list at least one pair of images that can be read; got {len(rows)} "
            f"that cannot. The first of them: {left_out[0].reason}"
        )
    return parts, tuple(left_out)


def _caught(job: Callable[[ManifestRow], Samples]) -> Callable[[ManifestRow], Samples | Exception]:
    """A job that returns what it raises, so that the other rows are read all the same."""

    def run(row: ManifestRow) -> Samples | Exception:
        try:
            return job(row)
        except FAILURES as error:
            return error

    return run


def with_row(samples: Samples, row: ManifestRow) -> Samples:
    """Samples of the files of a row, with its features, and with images that are opened at need.

    Raises
    ------
    InvalidInputError
        If a measurement has the name of a feature.
    """
    constant = {name: [value] * len(samples) for name, value in row.features.items()}
    taken = [name for name in constant if name in samples.features.columns]
    if taken:
        raise InvalidInputError(
            f"columns of the manifest must have names that no measurement has; got {taken}. Rename "
            "them."
        )
    samples = samples.with_features(**constant)
    (source,) = samples.sources.values()
    # Files that stay open would fill the memory with their pages, and use up the file handles.
    again = replace(
        source,
        image=Reopened.of(source.image, source.image_path, open_image_file),
        labels=Reopened.of(source.labels, source.labels_path, open_image_file),
    )
    return replace(samples, sources={row.source: again})


def _difference(parts: list[Samples], read: Samples) -> str:
    """Why samples of an image cannot be joined with those before; "" if they can."""
    if not parts:
        return ""
    (source,) = read.sources.values()
    try:
        check_alike([parts[0], read])
        check_intensities(parts[0], finest_level(source.image), source.name)
        check_magnification(source.pixel_size, parts[0].recipe)  # type: ignore[arg-type]
    except EmbedscopeError as error:
        return str(error)
    return ""
