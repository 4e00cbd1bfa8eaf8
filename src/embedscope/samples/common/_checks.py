"""Checks of plain parameters that several functions share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError


def check_side(name: str, value: object) -> int:
    """Return a positive number of pixels as an int; see `check_count`."""
    return check_count(name, value, of_what=" of pixels")


def check_count(name: str, value: object, of_what: str = "") -> int:
    """Return a positive number of things as an int.

    Parameters
    ----------
    name : str
        Name of the parameter, for the error.
    value : object
        Its value.
    of_what : str
        What is counted, for the error.

    Raises
    ------
    InvalidInputError
        If it is not an int of at least 1.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise InvalidInputError(
            f"{name} must be an int of at least 1; got {value!r}. Give a whole number{of_what}."
        )
    return int(value)


def check_choice(name: str, value: object, known: Sequence[str]) -> None:
    """Raise if a value is not one of the known ones.

    Raises
    ------
    InvalidInputError
        If it is not one of them.
    """
    if value not in known:
        raise InvalidInputError(f"{name} must be one of {known}; got {value!r}. Choose one.")


def check_percentiles(percentiles: Sequence[float]) -> tuple[float, float]:
    """Return percentiles if they rise within 0..100.

    Raises
    ------
    InvalidInputError
        If they are not two rising numbers in 0..100.
    """
    given = tuple(np.ravel(percentiles).tolist())
    if len(given) != 2 or not 0 <= given[0] < given[1] <= 100:
        raise InvalidInputError(
            f"percentiles must be two rising numbers in 0..100; got {given}. Use for example "
            "(0.1, 99.9)."
        )
    return (float(given[0]), float(given[1]))


def finite_rows(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return which rows hold only finite numbers, as float32, the dtype of the networks.

    Parameters
    ----------
    values : ndarray of shape (n, ...)
        Real numbers.

    Returns
    -------
    ndarray of shape (n,), bool
    """
    if values.dtype.kind in "ui":
        return np.ones(len(values), bool)
    with np.errstate(over="ignore"):
        # One row at a time: a mask of all rows would take another quarter of their memory.
        finite = (np.isfinite(row.astype(np.float32)).all() for row in values)
        return np.fromiter(finite, bool, len(values))
