"""A table of features as plain arrays and JSON, and back, for a session without pickles.

Numbers and booleans stay unchanged. Other columns become categories: text, with a code for each
row, which is -1 for a missing value. Booleans with missing values are stored as such categories.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from embedscope._errors import InvalidModelError
from embedscope.samples.tables import plain_frame

_PREFIX = "column"
_TRUTH = {"True": True, "False": False}


def columns_to_arrays(
    frame: pd.DataFrame,
) -> tuple[list[dict[str, Any]], dict[str, npt.NDArray[Any]]]:
    """Convert a table to arrays.

    Parameters
    ----------
    frame : DataFrame of n rows
        Columns of numbers, booleans, categories or text; their names become text. Missing numbers
        of pandas's nullable types become NaN. The index is not stored.

    Returns
    -------
    described : list of dict
        One entry for each column, for JSON: its name and kind, and whether categories are ordered.
    arrays : dict of str to ndarray
        Arrays of booleans, numbers and unicode.
    """
    described: list[dict[str, Any]] = []
    arrays: dict[str, npt.NDArray[Any]] = {}
    plain = plain_frame(frame).frame
    for number, name in enumerate(plain.columns):
        column = plain.iloc[:, number]
        key = f"{_PREFIX}_{number}"
        values = _as_numbers(column)
        if values is not None:
            described.append({"name": str(name), "kind": "values"})
            arrays[key] = values
            continue
        is_boolean = pd.api.types.is_bool_dtype(column.dtype) and column.dtype.name != "category"
        categories = pd.Categorical(column.astype(object).map(str, na_action="ignore"))
        if column.dtype.name == "category":
            categories = column.array
        entry = {"name": str(name), "kind": "categories", "ordered": bool(categories.ordered)}
        described.append(entry | ({"boolean": True} if is_boolean else {}))
        arrays[key] = categories.codes.astype(np.int32)
        arrays[f"{key}_categories"] = np.array([str(entry) for entry in categories.categories])
    return described, arrays


def columns_from_arrays(
    described: list[dict[str, Any]], arrays: Mapping[str, npt.NDArray[Any]], n_rows: int
) -> pd.DataFrame:
    """Convert arrays back to a table.

    Parameters
    ----------
    described, arrays
        From `columns_to_arrays`; there may be other arrays.
    n_rows : int
        Number of rows of every column.

    Returns
    -------
    DataFrame
        With the index 0..n_rows-1; categories are of text.

    Raises
    ------
    InvalidModelError
        If the parts do not fit together.
    """
    columns = []
    try:
        for number, entry in enumerate(described):
            values = _restored(entry, f"{_PREFIX}_{number}", arrays)
            if len(values) != n_rows:
                raise ValueError(f"{len(values)} rows in {entry['name']!r} for {n_rows} samples")
            columns.append(pd.Series(values, name=str(entry["name"])))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidModelError(
            f"features must be those that a session saved; got parts that do not fit together "
            f"({error}). Save the session again."
        ) from error
    if not columns:
        return pd.DataFrame(index=pd.RangeIndex(n_rows))
    return pd.concat(columns, axis=1)


def _as_numbers(column: pd.Series[Any]) -> npt.NDArray[Any] | None:
    """The numbers or booleans of a plain column, or None if it holds something else."""
    if isinstance(column.dtype, np.dtype):
        return column.to_numpy() if column.dtype.kind in "biuf" else None
    if pd.api.types.is_numeric_dtype(column.dtype) and column.dtype.kind != "b":
        if column.hasnans:
            return column.to_numpy(dtype=np.float64, na_value=np.nan)
        return column.to_numpy(dtype=getattr(column.dtype, "numpy_dtype", np.float64))
    return None


def _restored(entry: Mapping[str, Any], key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> Any:
    values = arrays[key]
    if values.ndim != 1:
        raise ValueError(f"{entry['name']!r} of shape {values.shape}")
    if entry["kind"] == "values":
        return values
    # `str` is objects to pandas 2, and its own type of text to pandas 3.
    categories = pd.Index(arrays[f"{key}_categories"].tolist(), dtype=str)
    classes = pd.Categorical.from_codes(values, categories, ordered=bool(entry["ordered"]))
    if not entry.get("boolean", False):
        return classes
    return pd.array([_TRUTH.get(each) for each in classes], dtype="boolean")
