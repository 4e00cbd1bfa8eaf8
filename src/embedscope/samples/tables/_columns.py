"""Which columns of a table are numbers to learn from, and which hold identities."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.samples.common._column_names import is_real
from embedscope.samples.common._matching import THE_INDEX, RowIds
from embedscope.samples.common._samples import LeftOut, NotLearned
from embedscope.samples.identity._arrays import described, remedy_for
from embedscope.samples.tables._known_columns import (
    are_names,
    is_position,
    names_problem,
    numbers_classes,
    numbers_objects,
    whole_problem,
)

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]

_MOST_HEADER_ROWS = 3  # below the first, as in TrackMate's tables


def checked_frame(frame: Any, name: str = "frame") -> pd.DataFrame:
    """Return a table with strings as column names; raise if it is empty or no table."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame) or len(frame) == 0:
        got = "0 rows" if isinstance(frame, pd.DataFrame) else described(frame)
        remedy = remedy_for(frame) if isinstance(frame, str | os.PathLike) else ""
        raise InvalidInputError(
            f"{name} must be a pandas DataFrame with at least one row; got {got}. "
            + (remedy or "Read the table first, for example with pandas.read_csv.")
        )
    named = frame.set_axis(_names_of(frame.columns), axis=1)
    if not named.columns.is_unique:
        raise InvalidInputError(
            f"{name} must have columns with different names; got {list(named.columns)[:8]}. Rename "
            "them, for example with frame.columns = [...]."
        )
    return named


def _names_of(columns: pd.Index[Any]) -> list[str]:
    """Names as text; of several header rows the last, with those above it only where it repeats."""
    import pandas as pd

    if not isinstance(columns, pd.MultiIndex):
        return [str(column) for column in columns]
    last = [str(column[-1]) for column in columns]
    return [
        name if last.count(name) == 1 else "_".join(map(str, column))
        for name, column in zip(last, columns, strict=True)
    ]


def with_names(frame: pd.DataFrame, label_column: str | None) -> tuple[pd.DataFrame, str | None]:
    """Insert an index of names as a column, which is returned, if a column has the labels."""
    index = frame.index
    if label_column is None or not are_names(index):
        return frame, None
    name = "name" if index.name is None else str(index.name)
    while name in frame.columns:
        name += " of the row"
    named = frame.reset_index(drop=True)
    named.insert(0, name, index.to_numpy())
    return named, name


def row_ids(
    frame: pd.DataFrame,
    label_column: str | None,
    frame_column: str | None,
    *,
    must_be_whole: bool = False,
) -> RowIds:
    """Return the label of each row, and its frame if the table has one.

    Labels are text unless all are whole numbers, or they `must_be_whole`: those of an image.
    """
    labels_from = THE_INDEX if label_column is None else f"column {label_column!r}"
    values = frame.index if label_column is None else frame[label_column]
    if must_be_whole or not whole_problem(values):
        labels: Any = _integers(values, labels_from, "label_column")
    else:
        labels = _texts(values, labels_from)
    if frame_column is None:
        return RowIds(labels, None, labels_from)
    frames_from = f"column {frame_column!r}"
    frames = _integers(frame[frame_column], frames_from, "frame_column")
    return RowIds(labels, frames, labels_from, frames_from)


def _texts(values: Any, column: str) -> npt.NDArray[Any]:
    """Text labels of a column of text, or of categories that are text."""
    from pandas.api.types import is_numeric_dtype

    problem = whole_problem(values) if is_numeric_dtype(values) else names_problem(values)
    if problem:
        raise InvalidInputError(
            f"{column} must hold whole numbers of 0 or more, or text, to identify the rows; got "
            f"{problem}. Name the column that identifies the rows with label_column, or turn this "
            "one into text with .map(str); rename it if it holds a class."
        )
    return np.asarray(values, object)


def _integers(values: Any, column: str, parameter: str) -> npt.NDArray[np.int64]:
    """Whole numbers of 0 or more, also of dtype float, as from a CSV file with a missing value."""
    problem = whole_problem(values)
    if problem:
        raise InvalidInputError(
            f"{column} must hold whole numbers of 0 or more; got {problem}. Name the column "
            f"that identifies the rows with {parameter}, and rename this one if it holds a class."
        )
    return np.asarray(values).astype(np.int64)


def numeric_columns(
    frame: pd.DataFrame, own: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[LeftOut, ...]]:
    """Return the columns to learn from, and why the others are left out."""
    reasons = {name: _reason_against(frame, name, name in own) for name in frame.columns}
    names = tuple(name for name, reason in reasons.items() if not reason)
    left_out = tuple(NotLearned(name, reason) for name, reason in reasons.items() if reason)
    if not names:
        raise InvalidInputError(
            f"frame must have a column of varying numbers; got {reasons}. {_remedy_for_text(frame)}"
        )
    return names, left_out


def measurements(frame: pd.DataFrame) -> list[str]:
    """The columns of varying numbers that are neither numbers of objects nor positions."""
    return [str(name) for name in frame.columns if not _reason_against(frame, name, False)]


def _remedy_for_text(frame: pd.DataFrame) -> str:
    """How to get numbers: of a file whose further header rows have made all columns text, too."""
    for n_rows in range(1, min(_MOST_HEADER_ROWS, len(frame) - 1) + 1):
        rest = frame.iloc[n_rows:]
        if any(_are_texts_of_numbers(rest[name]) for name in frame.columns):
            header = f"skiprows={list(range(1, n_rows + 1))}" if n_rows > 1 else "header=[0, 1]"
            return (
                f"Its first {counted(n_rows, 'row')} may be header rows: read the file with "
                f"pandas.read_csv(path, {header})."
            )
    if len(frame) == 1:
        return "Give more rows: a map is made of how they differ."
    dates = [name for name in frame.columns if _is_time(frame[name])]
    if dates:
        return f"Turn dates into numbers, for example with frame[{dates[0]!r}].astype('int64')."
    if any(is_real(frame[name]) for name in frame.columns):
        return "Name columns to use with columns=[...]."
    return "Turn text into numbers, for example with pandas.get_dummies(frame, dtype=float)."


def _is_time(column: pd.Series[Any]) -> bool:
    from pandas.api.types import is_datetime64_any_dtype, is_timedelta64_dtype

    return is_datetime64_any_dtype(column) or is_timedelta64_dtype(column)


def _are_texts_of_numbers(column: pd.Series[Any]) -> bool:
    import pandas as pd
    from pandas.api.types import is_object_dtype, is_string_dtype

    if not (is_object_dtype(column) or is_string_dtype(column)):
        return False  # a date or a truth value is a number, but no text of one
    return bool(pd.to_numeric(column, errors="coerce").notna().all())


def _reason_against(frame: pd.DataFrame, name: str, is_identity: bool) -> str:
    from pandas.api.types import is_bool_dtype

    column = frame[name]
    if is_identity:
        return "holds identities, not measurements"
    if numbers_objects(name, column):
        return "numbers objects, which is no measurement: name it in columns to use it"
    if numbers_classes(name, column):
        return "numbers classes, which is no measurement: name it in columns to use it"
    if is_position(name, frame.columns):
        return "a position in the image, or how it is drawn: name it in columns to use it"
    if is_bool_dtype(column):
        return "true or false, not a number: name it in columns to use it"
    if not is_real(column):
        return f"not numeric ({column.dtype})"
    finite = _as_floats(column)
    finite = finite[np.isfinite(finite)]
    if len(finite) == 0:
        return "no finite number"
    return "the same number in every row" if (finite == finite[0]).all() else ""


def numbers_of(frame: pd.DataFrame, names: Sequence[str]) -> FloatArray:
    """Columns as an array of shape (n_rows, n_columns); missing values are NaN."""
    return np.column_stack([_as_floats(frame[name]) for name in names])


def _as_floats(column: pd.Series[Any]) -> FloatArray:
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
