"""Names of columns of numbers, checked."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from embedscope._errors import InvalidInputError, InvalidTypeError

if TYPE_CHECKING:
    import pandas as pd

_MOST_LISTED = 20


def checked_columns(
    frame: pd.DataFrame, given: str | Sequence[str], *, parameter: str, of: str
) -> tuple[str, ...]:
    """Names of columns of numbers, each once.

    Parameters
    ----------
    frame : DataFrame
    given : str or sequence of str
        Names of columns.
    parameter : str
        What the user calls the names, for messages.
    of : str
        What the columns are, in the plural.

    Raises
    ------
    InvalidInputError
        If there is none, or one is missing or repeated.
    InvalidTypeError
        If one is not numeric.
    """
    names = (given,) if isinstance(given, str) else tuple(given)
    known = [str(name) for name in frame.columns]
    if not names or len(set(names)) < len(names):
        raise InvalidInputError(
            f"{parameter} must be {of}, at least one and each once; got {list(names)}. Choose from "
            f"{_listed(known)}."
        )
    missing = [str(name) for name in names if name not in frame.columns]
    if missing:
        close = get_close_matches(missing[0], known, n=3) if len(missing) == 1 else []
        meant = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
        raise InvalidInputError(
            f"{parameter} must be {of}; got {_listed(names)}, of which {_listed(missing)} are "
            f"missing. {meant}Choose from {_listed(known)}."
        )
    text = [name for name in names if not is_real(frame[name])]
    if text:
        raise InvalidTypeError(
            f"{parameter} must be {of} that are numbers; got {text}. Leave them out, or encode "
            "them as numbers."
        )
    return names


def is_real(column: pd.Series[Any]) -> bool:
    """Whether a column holds real numbers, or true and false."""
    from pandas.api.types import is_complex_dtype, is_numeric_dtype

    return is_numeric_dtype(column) and not is_complex_dtype(column)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return f"{list(names[:_MOST_LISTED])}{more}"
