"""The table of the map and the parameters as files for other programs: CSV, Parquet, JSON.

Every file is written completely or not at all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedscope._errors import InvalidInputError, MissingDependencyError
from embedscope.core.storage import as_path, replace_file
from embedscope.explorer.export._gates_in_tables import with_outlines
from embedscope.explorer.marks._gates import GateSet
from embedscope.samples.tables import plain_frame

if TYPE_CHECKING:
    import pandas as pd

_BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # spreadsheets skip the last two


def require_export(package: str, purpose: str, extra: str = "export") -> None:
    """Raise unless an optional package can be imported.

    Parameters
    ----------
    package : str
        Name to import.
    purpose : str
        What needs it, for the message.
    extra : str, default="export"
        The extra of embedscope that installs it.

    Raises
    ------
    MissingDependencyError
        If it cannot be imported. If it is installed, the message has the reason.
    """
    from importlib import import_module
    from importlib.util import find_spec

    try:
        import_module(package)
    except ImportError as error:
        if find_spec(package) is None:
            raise MissingDependencyError(
                f"{purpose} must find {package}; it is not installed. Run: pip install "
                f'"embedscope[{extra}]"'
            ) from error
        raise MissingDependencyError(
            f"{purpose} must import {package}; it is installed, but its import failed: {error}. "
            f"Its own dependencies do not fit together. Run: pip install --upgrade {package}"
        ) from error


def write_csv(
    path: str | os.PathLike[str], frame: pd.DataFrame, *, spreadsheet_safe: bool = False
) -> Path:
    """Write the table of the map as comma-separated values, UTF-8.

    Parameters
    ----------
    path : str or path
        File; an existing one is replaced.
    frame : DataFrame
        From `to_frame`. Numbers are written in full, booleans as ``True`` and ``False``, all other
        values as text.
    spreadsheet_safe : bool, default=False
        Put an apostrophe before text, in cells and column names, that a spreadsheet would read as a
        formula.

    Returns
    -------
    Path
        The file.
    """
    file = as_path(path)
    frame = plain_frame(frame).frame
    if spreadsheet_safe:
        frame = _without_formulas(frame)
    with replace_file(file) as written:
        # With this line end, pandas quotes text that contains "\r" or "\n".
        frame.to_csv(written, index=False, encoding="utf-8", lineterminator="\r\n")
    return file


def write_parquet(
    path: str | os.PathLike[str], frame: pd.DataFrame, gates: GateSet | None = None
) -> Path:
    """Write the table of the map as a Parquet file.

    Parameters
    ----------
    path : str or path
        File; an existing one is replaced.
    frame : DataFrame
        From `to_frame`. Numbers, booleans, text and categories are kept; categories that are not
        text, and all other values, become text.
    gates : GateSet, optional
        The gates, whose outlines are stored too.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MissingDependencyError
        If pyarrow is missing.
    """
    require_export("pyarrow", "write_parquet")
    file = as_path(path)
    with replace_file(file) as written:
        plain = with_outlines(plain_frame(frame).frame, gates or GateSet())
        plain.to_parquet(written, index=False, engine="pyarrow")
    return file


def write_json(path: str | os.PathLike[str], values: Mapping[str, Any]) -> Path:
    """Write parameters as JSON: one name and value per line.

    Parameters
    ----------
    path : str or path
        File; an existing one is replaced.
    values : mapping
        JSON values with finite numbers, as in `TrainingParameters.to_dict`.

    Returns
    -------
    Path
        The file, UTF-8.

    Raises
    ------
    InvalidInputError
        If a value is not JSON, or not finite. Nothing is written then.
    """
    try:
        text = json.dumps(dict(values), indent=2, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"values must be JSON with finite numbers; got {error}. Give the result of to_dict."
        ) from error
    file = as_path(path)
    with replace_file(file) as written:
        written.write_text(text + "\n", encoding="utf-8")
    return file


def _without_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before each text that would be a formula."""
    import pandas as pd

    quoted = {
        name: column
        if pd.api.types.is_numeric_dtype(column.dtype)
        else column.astype(object).map(_as_text, na_action="ignore")
        for name, column in frame.items()
    }
    return pd.DataFrame(quoted, index=frame.index).rename(columns=_as_text)


def _as_text(value: Any) -> Any:
    is_formula = isinstance(value, str) and value.startswith(_BEGIN_FORMULAS)
    return f"'{value}" if is_formula else value
