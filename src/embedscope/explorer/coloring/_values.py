"""A column of any kind as what can be coloured: numbers on a scale, or classes in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

_MOST_INTEGER_CLASSES = 20  # whole numbers with more values than this are amounts, not clusters

_NUMBERS_IN_OBJECTS = ("integer", "floating", "mixed-integer-float", "decimal")


@dataclass(frozen=True, eq=False)
class Numbers:
    """Values on a scale.

    Attributes
    ----------
    values : ndarray of shape (n_samples,), float64
        NaN where there is none.
    are_few : bool
        They are whole numbers of so few values that they could be classes as well.
    """

    values: npt.NDArray[np.float64]
    are_few: bool = False


@dataclass(frozen=True, eq=False)
class Classes:
    """Values of a few kinds.

    Attributes
    ----------
    labels : tuple of str
        The classes in order: a category's own, False before True, numbers and texts sorted.
    codes : ndarray of shape (n_samples,), int32
        Number of each sample's class; -1 where there is none.
    are_numbers : bool
        They could stand on a scale as well.
    """

    labels: tuple[str, ...]
    codes: npt.NDArray[np.int32]
    are_numbers: bool = False


def as_values(column: Any, name: str, *, scale: bool | None = None) -> Numbers | Classes:
    """A column as numbers or classes.

    Parameters
    ----------
    column : Series or array-like of shape (n_samples,)
        Truth values, texts, categories and whole numbers of up to 20 different values become
        classes; other numbers become numbers.
    name : str
        What messages call the column.
    scale : bool, optional
        True to have whole numbers as numbers however few there are, False to have any number as
        classes.

    Returns
    -------
    Numbers or Classes

    Raises
    ------
    InvalidInputError
        If the column holds dates, times or complex numbers.
    """
    import pandas as pd
    from pandas.api import types

    series = column if isinstance(column, pd.Series) else pd.Series(np.asarray(column))
    if series.dtype == object:
        series = _numbers_from_objects(series)
    dtype = series.dtype
    if dtype.kind in "mMc" or isinstance(dtype, pd.PeriodDtype):
        raise InvalidInputError(
            f"name must be a column of numbers, texts or categories; got {name!r} of {dtype}. "
            "Make it a number first, such as the hours since the start."
        )
    if not types.is_numeric_dtype(dtype) or types.is_bool_dtype(dtype):
        return Classes(*_classes(series))
    are_few = types.is_integer_dtype(dtype) and _is_few(series)
    if scale is False or (scale is None and are_few):
        return Classes(*_classes(series), are_numbers=True)
    return Numbers(series.to_numpy(dtype=np.float64, na_value=np.nan), are_few)


def _numbers_from_objects(series: pd.Series) -> pd.Series:
    from pandas.api.types import infer_dtype

    inferred = series.infer_objects()
    # Whole numbers beyond 64 bits stay objects, and so do numbers of several kinds.
    if inferred.dtype == object and infer_dtype(series, skipna=True) in _NUMBERS_IN_OBJECTS:
        return series.astype(np.float64)
    return inferred


def _is_few(series: pd.Series) -> bool:
    values = series.dropna().to_numpy()
    # A look at the first thousand settles most columns without sorting them all.
    return (
        len(np.unique(values[:1000])) <= _MOST_INTEGER_CLASSES
        and len(np.unique(values)) <= _MOST_INTEGER_CLASSES
    )


def _classes(series: pd.Series) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    import pandas as pd

    if series.dtype == object:
        # Mixed kinds have no order of their own: they are sorted by what they are called.
        series = series.map(str, na_action="ignore")
    kinds = series if isinstance(series.dtype, pd.CategoricalDtype) else series.astype("category")
    labels = tuple(_label(kind) for kind in kinds.cat.categories)
    return labels, np.asarray(kinds.cat.codes, dtype=np.int32)


def _label(kind: Any) -> str:
    # A category 1.0 is there because a missing value made whole numbers floats.
    return str(kind).removesuffix(".0") if isinstance(kind, float) else str(kind)
