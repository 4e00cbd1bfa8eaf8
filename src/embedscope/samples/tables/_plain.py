"""Columns of any type as the types that every file format has, for all exports and sessions.

These are numbers, booleans (with or without gaps), text, and categories that are text. Everything
else becomes text: dates, intervals, mixtures such as 1 and "A2", shapes, lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")  # in words of pandas
_TEXT = ("string", "empty")


class PlainFrame(NamedTuple):
    """A table of plain columns.

    Attributes
    ----------
    frame : DataFrame
    as_text : tuple of str
        Names of the columns whose values were turned into text.
    """

    frame: pd.DataFrame
    as_text: tuple[str, ...]


def plain_frame(frame: pd.DataFrame) -> PlainFrame:
    """Turn the columns of a table into plain ones; their order, names and rows stay.

    Parameters
    ----------
    frame : DataFrame
        Its names may repeat.
    """
    import pandas as pd

    plain, turned = [], []
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        made = plain_column(column)
        plain.append(made)
        if not _keeps_values(column, made):
            turned.append(str(frame.columns[place]))
    if not plain:
        return PlainFrame(frame, ())
    made_frame = pd.concat(plain, axis=1).set_axis(frame.columns, axis=1)
    return PlainFrame(made_frame, tuple(turned))


def plain_column(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of one of the plain types.

    Parameters
    ----------
    column : Series of n values

    Returns
    -------
    Series of n values
        Numbers and booleans of numpy, or of pandas if values are missing; text as objects; or
        categories that are text. The order of categories stays.
    """
    import pandas as pd
    from pandas.api import types

    column = _without_arrow(column)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _text_categories(column)
    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(np.asarray(column), column.index, name=column.name)
    if column.dtype == object:
        column = _from_objects(column)
    if types.is_bool_dtype(column.dtype):
        return column if column.hasnans else column.astype(bool)
    if types.is_numeric_dtype(column.dtype) and not types.is_complex_dtype(column.dtype):
        return column
    return as_text(column)


def as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column with its values as text; missing values are None.

    Parameters
    ----------
    column : Series of n values

    Returns
    -------
    Series of n values, object
    """
    import pandas as pd

    given = column.astype(object)
    missing = given.isna().to_numpy()
    values = np.empty(len(given), dtype=object)
    values[:] = [None if gap else str(value) for value, gap in zip(given, missing, strict=True)]
    return pd.Series(values, index=column.index, name=column.name, dtype=object)


def _without_arrow(column: pd.Series[Any]) -> pd.Series[Any]:
    """A column of Arrow's types as objects or categories."""
    import pandas as pd

    if not isinstance(column.dtype, pd.ArrowDtype):
        return column
    values = column.astype(object)
    is_dictionary = str(column.dtype.pyarrow_dtype).startswith("dictionary")
    return values.astype("category") if is_dictionary else values


def _from_objects(column: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers and booleans that are stored as objects under their own type."""
    from pandas.api.types import infer_dtype

    kind = infer_dtype(column, skipna=True)
    if kind == "boolean":
        return column.astype("boolean")
    if kind not in _NUMBERS:
        return column
    inferred = column.infer_objects()
    if inferred.dtype != object:
        return inferred
    try:
        if kind == "integer":
            return column.astype("Int64")
        return column.where(column.notna(), np.nan).astype(np.float64)
    except (OverflowError, TypeError, ValueError):  # integers beyond 64 bits
        return column


def _text_categories(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    names = [str(each) for each in column.cat.categories]
    kind = pd.Index(list(dict.fromkeys(names)), dtype=object)  # 1 and "1" become one
    codes = np.append(kind.get_indexer(pd.Index(names, dtype=object)), -1)  # the last of a gap
    values = pd.Categorical.from_codes(
        codes[column.cat.codes.to_numpy()], kind, ordered=column.cat.ordered
    )
    return pd.Series(values, index=column.index, name=column.name)


def _keeps_values(column: pd.Series[Any], plain: pd.Series[Any]) -> bool:
    """Whether a plain column has the same values, none of them turned into text."""
    import pandas as pd
    from pandas.api.types import infer_dtype

    values: Any = column
    if isinstance(plain.dtype, pd.CategoricalDtype):
        values = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else []
    elif plain.dtype != object:
        return True
    return len(values) == 0 or infer_dtype(values, skipna=True) in _TEXT
