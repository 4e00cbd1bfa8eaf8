"""Tables of CellProfiler: the CSV files of ExportToSpreadsheet, the database of ExportToDatabase.

Both number images by ImageNumber and objects by ObjectNumber
(https://cellprofiler-manual.s3.amazonaws.com/CellProfiler-4.2.6/modules/fileprocessing.html).
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from embedscope._errors import InvalidInputError
from embedscope.samples.common._samples import Samples
from embedscope.samples.reading._needed import existing
from embedscope.samples.reading._table_files import read_table_file
from embedscope.samples.tables._columns import checked_frame
from embedscope.samples.tables._table import samples_from_table

if TYPE_CHECKING:
    import pandas as pd

DATABASES = (".db", ".sqlite", ".sqlite3")
_IMAGE, _OBJECT = "ImageNumber", "ObjectNumber"
_OF_OBJECTS = re.compile(r"(?:.*_)?Per_(?!Image|Experiment)(\w+)", re.IGNORECASE)
_OF_IMAGES = re.compile(r"(?:.*_)?Per_Image", re.IGNORECASE)
_ABOUT_IMAGES = re.compile(r"(Image_)?(Metadata_|FileName_)")


def samples_from_cellprofiler(
    path: str | os.PathLike[str],
    *,
    objects: str | None = None,
    images: str | os.PathLike[str] | None = None,
    columns: Sequence[str] | None = None,
    standardise: bool = True,
    source: str | None = None,
) -> Samples:
    """Make a sample of every object that CellProfiler measured.

    Parameters
    ----------
    path : str or path
        A CSV file of objects, with one or two header rows, or the SQLite database.
    objects : str, optional
        Of a database, the objects to take, such as "Nuclei"; required if it has several tables.
    images : str or path, optional
        The file Image.csv, whose metadata and file names become features. A database has its own.
    columns : sequence of str, optional
        The columns to learn from; all measurements if None.
    standardise : bool
        As in `samples_from_table`.
    source : str, optional
        Name of the source; the file's name without its ending if None.

    Returns
    -------
    Samples
        Identified by ImageNumber, the frame, and ObjectNumber, the label.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, or has no such columns.
    """
    file = existing(path, "path")
    if file.suffix.lower() in DATABASES:
        frame, about = _read_database(file, objects)
    else:
        frame = checked_frame(read_table_file(file))
        about = None if images is None else checked_frame(read_table_file(images), "images")
    missing = [name for name in (_IMAGE, _OBJECT) if name not in frame.columns]
    if missing:
        raise InvalidInputError(
            f"path must be a table of objects of CellProfiler; got no column "
            f"{' and '.join(missing)} in {str(file)!r}. Give the file of the objects, or read the "
            "table by samples_from_table."
        )
    if about is not None:
        frame = _with_images(frame, about)
    return samples_from_table(
        frame,
        columns=columns,
        standardise=standardise,
        source=source or file.stem,
        label_column=_OBJECT,
        frame_column=_IMAGE,
    )


def _with_images(frame: pd.DataFrame, about: pd.DataFrame) -> pd.DataFrame:
    """A table of objects with what is known of their images, such as the well."""
    names = [name for name in about.columns if _ABOUT_IMAGES.match(name)]
    new = [name for name in names if name not in frame.columns]
    known = about.drop_duplicates(_IMAGE).set_index(_IMAGE)[new]
    # Text, since a plate or a site that has a number is no measurement.
    texts = known.astype("string").astype(object).where(known.notna(), None)
    return frame.join(texts, on=_IMAGE)


def _read_database(file: Path, objects: str | None) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    import pandas as pd

    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            rows = opened.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            tables = [str(name) for (name,) in rows]
            name = _table_of(tables, objects, file)
            frame = pd.read_sql_query(f'SELECT * FROM "{name}"', opened)
            about = next((each for each in tables if _OF_IMAGES.fullmatch(each)), None)
            images = (
                None if about is None else pd.read_sql_query(f'SELECT * FROM "{about}"', opened)
            )
    except sqlite3.DatabaseError as error:
        raise InvalidInputError(
            f"path must be a database of SQLite that can be read; got {str(file)!r}: {error}. "
            "Export it again, or as CSV."
        ) from error
    return _plain_names(frame, name), images


def _table_of(tables: list[str], objects: str | None, file: Path) -> str:
    """The table of the objects."""
    found = {match[1]: match[0] for each in tables if (match := _OF_OBJECTS.fullmatch(each))}
    if objects is None and len(found) == 1:
        return next(iter(found.values()))
    if objects not in found:
        raise InvalidInputError(
            f"objects must be one of {sorted(found)}, which {file.name!r} has tables of; got "
            f"{objects!r}. Name one."
        )
    return found[objects]


def _plain_names(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Columns as in the CSV files, without the name of the objects where all have the same one."""
    prefix = f"{table.rpartition('Per_')[2]}_"
    others = [name for name in frame.columns if name not in (_IMAGE, _OBJECT)]
    if others and all(name.startswith(prefix) for name in others):
        frame = frame.rename(columns={name: name.removeprefix(prefix) for name in others})
    if _OBJECT not in frame.columns:
        frame = frame.rename(columns={"Number_Object_Number": _OBJECT})
    return frame
