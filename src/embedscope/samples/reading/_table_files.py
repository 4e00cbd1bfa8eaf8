"""Tables in files, as one frame with the names of their columns, whatever program wrote them."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedscope._errors import InvalidInputError
from embedscope.samples.reading._needed import existing, needed
from embedscope.samples.tables._exported import NOTES_ENDING, is_exported

if TYPE_CHECKING:
    import pandas as pd

TABLES = (".csv", ".tsv", ".parquet", ".h5ad")
"""Endings of the files of tables."""

TEXTS = (".csv", ".tsv", ".txt")
_QUOTED = re.compile(r'"[^"]*"')
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
_CELLPROFILER = {"ImageNumber", "ObjectNumber"}
_TRACKMATE = {"ID", "TRACK_ID", "SPOT_SOURCE_ID", "TRACK_INDEX", "QUALITY"}
_MOST_ROWS_LOOKED_AT = 20
_TRACKMATE_HEADERS = 3  # below the names: long names, short names, units


def read_table_file(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table whole.

    Further header rows are recognised: CellProfiler has names of objects above the columns, and
    TrackMate three rows below. Text that identifies the rows of an exported map stays text: the
    file beside the table says so.

    Parameters
    ----------
    path : str or path
        Ends in .csv, .tsv, .txt or .parquet.

    Raises
    ------
    InvalidInputError
        If there is no such file, or it cannot be read.
    """
    import pandas as pd

    file = existing(path, "data")
    with refusing_damage(file):
        if file.suffix.lower() == ".parquet":
            needed("pyarrow", "export")
            return pd.read_parquet(file)
        if file.suffix.lower() not in TEXTS:
            raise ValueError("its ending is of no table")
        encoding = _encoding_of(file)
        separator = _separator_of(file, encoding)
        layout = _header_of(file, separator, encoding) | _decimal_of(file, separator, encoding)
        frame: pd.DataFrame = pd.read_csv(file, sep=separator, encoding=encoding, **layout)
        if is_exported(frame) and _has_text_labels(file):
            # As it stands: pandas makes 7 of "007", and a missing value of "NA".
            labels = pd.read_csv(file, usecols=["label"], dtype=str, keep_default_na=False)
            frame["label"] = labels["label"]
        return frame


def _has_text_labels(file: Path) -> bool:
    """Whether the file beside an exported table says that its labels are text."""
    beside = file.with_name(file.stem + NOTES_ENDING)
    if not beside.is_file():
        return False
    noted = json.loads(beside.read_text(encoding="utf-8"))
    return isinstance(noted, dict) and bool(noted.get("text_labels"))


@contextmanager
def refusing_damage(path: Path) -> Iterator[None]:
    """Turn what a reader raises for a file that is no table of its kind into one error."""
    try:
        yield
    except InvalidInputError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> InvalidInputError:
    """The error for a file that cannot be read as a table."""
    return InvalidInputError(
        f"data must be one of {', '.join(TABLES)} that can be read; got {str(path)!r}: {error}. "
        "Save the table again."
    )


def open_annotated(path: str | os.PathLike[str]) -> Any:
    """Open an AnnData file; its X stays on disk until rows are asked for."""
    file = existing(path, "data")
    anndata = needed("anndata", "export")
    with refusing_damage(file):
        if file.is_dir():
            return anndata.read_zarr(file)
        return anndata.read_h5ad(file, backed="r")


def _encoding_of(file: Path) -> str:
    """UTF-8, or the encoding of Western Windows, which older programs wrote."""
    with file.open("rb") as opened:
        start = opened.read(2**16)
    try:
        start[: start.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _separator_of(file: Path, encoding: str) -> str:
    """A tab, if the first line has one; else a comma or a semicolon, whichever it has more of."""
    with file.open(encoding=encoding) as opened:
        names = _QUOTED.sub("", opened.readline())
    return "\t" if "\t" in names else max((",", ";"), key=names.count)


def _decimal_of(file: Path, separator: str, encoding: str) -> dict[str, Any]:
    """Options of pandas for numbers such as 1,5, as programs write them in many countries."""
    if separator == ",":
        return {}
    with file.open(encoding=encoding, newline="") as opened:
        rows = list(islice(csv.reader(opened, delimiter=separator), 1, _MOST_ROWS_LOOKED_AT))
    has_comma = any(_DECIMAL_COMMA.fullmatch(cell) for row in rows for cell in row)
    return {"decimal": ","} if has_comma else {}


def _header_of(file: Path, separator: str, encoding: str) -> dict[str, Any]:
    """Options of pandas for the header rows of a file."""
    with file.open(encoding=encoding, newline="") as opened:
        rows = list(islice(csv.reader(opened, delimiter=separator), 2))
    if len(rows) < 2:
        return {}
    first, second = (set(row) for row in rows)
    if not first & _CELLPROFILER and second & _CELLPROFILER:
        return {"header": [0, 1]}
    if len(first & _TRACKMATE) > 1 and not _is_number(rows[1][_place(rows[0])]):
        return {"skiprows": list(range(1, _TRACKMATE_HEADERS + 1))}
    return {}


def _place(names: list[str]) -> int:
    """A column that TrackMate fills with numbers in every row."""
    return next(place for place, name in enumerate(names) if name in _TRACKMATE)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
