"""Turn a column of any kind into numbers on a scale, or classes in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

_MOST_INTEGER_CLASSES = 20  # integers of more different values are amounts, not clusters

_NUMBERS_IN_OBJECTS = ("integer", "floating", "mixed-integer-float", "decimal")


@dataclass(frozen=True, eq=False)
class Numbers:
    """Values on a scale.

    Attributes
    ----------
    values : ndarray of shape (n_samples,), float64
        NaN for missing values.
    are_few : bool
        They are integers of so few different values that they could be classes as well.
    """

    values: npt.NDArray[np.float64]
    are_few: bool = False


@dataclass(frozen=True, eq=False)
class Classes:
    """Values of a limited set.

    Attributes
    ----------
    labels : tuple of str
        The classes in order: that of the categories, False before True, numbers and texts sorted.
    codes : ndarray of shape (n_samples,), int32
        Index of each sample's class; -1 for missing values.
    are_numbers : bool
        They could be numbers on a scale as well.
    """

    labels: tuple[str, ...]
    codes: npt.NDArray[np.int32]
    are_numbers: bool = False


def as_values(column: Any, name: str, *, scale: bool | None = None) -> Numbers | Classes:
    """A column as numbers or classes.

    Parameters
    ----------
    column : Series or array-like of shape (n_samples,)
        Booleans, texts, categories and integers of up to 20 different values become classes; other
        numbers become numbers.
    name : str
        Name of the column, for messages.
    scale : bool, optional
        True makes all integers numbers, even if there are few; False makes all numbers classes.

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
    # Integers beyond 64 bits stay objects, and so do numbers of mixed types.
    if inferred.dtype == object and infer_dtype(series, skipna=True) in _NUMBERS_IN_OBJECTS:
        return series.astype(np.float64)
    return inferred


def _is_few(series: pd.Series) -> bool:
    values = series.dropna().to_numpy()
    # For most columns the first thousand values decide, without sorting all.
    return (
        len(np.unique(values[:1000])) <= _MOST_INTEGER_CLASSES
        and len(np.unique(values)) <= _MOST_INTEGER_CLASSES
    )


def _classes(series: pd.Series) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    import pandas as pd

    if series.dtype == object:
        # Values of mixed types have no order: they are sorted as text.
        series = series.map(str, na_action="ignore")
    kinds = series if isinstance(series.dtype, pd.CategoricalDtype) else series.astype("category")
    labels = tuple(_label(kind) for kind in kinds.cat.categories)
    return labels, np.asarray(kinds.cat.codes, dtype=np.int32)


def _label(kind: Any) -> str:
    # A category 1.0 comes from integers that a missing value turned into floats.
    return str(kind).removesuffix(".0") if isinstance(kind, float) else str(kind)
