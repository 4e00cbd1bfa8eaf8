"""Anything that numpy reads as an array of real numbers, or an error that says what it is."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError, InvalidTypeError


def check_dimensions(shape: tuple[int, ...], name: str) -> None:
    """Raise unless an array of that shape can hold samples and their features."""
    if len(shape) < 2:
        raise InvalidInputError(
            f"{name} must be an array of at least two dimensions, samples first; got shape "
            f"{shape}. Reshape your data: use {name}.reshape(-1, 1) for one feature, "
            f"{name}.reshape(1, -1) for one sample."
        )


def as_array(given: Any, name: str) -> np.ndarray:
    """`given`, an array-like or an object with ``__array__``, as a numpy array.

    Raises
    ------
    InvalidInputError
        If the rows of a list are ragged, or the object cannot be converted: a tensor on a GPU, or
        one that records gradients.
    """
    try:
        return np.asarray(given)
    except (RuntimeError, TypeError, ValueError) as error:
        own = hasattr(given, "__array__")
        remedy = (
            "Make it a numpy array first" if own else "Give every row the same number of values"
        )
        raise InvalidInputError(
            f"{name} must be one array; got {type(given).__name__}, which makes none "
            f"({str(error).rstrip('.')}). {remedy}."
        ) from error


def as_float32(given: Any, name: str) -> np.ndarray:
    """A dense numeric array as float32, without a copy where it already is one.

    Raises
    ------
    InvalidInputError
        If the entries are not real numbers, or the array is ragged or masked.
    """
    array = as_array(given, name)
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        raise InvalidInputError(
            f"{name} must have a value everywhere; got {np.ma.getmaskarray(given).sum()} masked "
            "entries. Drop those rows, or fill them with its filled method."
        )
    if array.dtype.kind == "c":
        raise InvalidInputError(
            f"{name} must be real; got complex numbers. Complex data not supported: pass real "
            "and imaginary parts, or the magnitude, as features."
        )
    if array.dtype.kind not in "fiub":
        array = _numbers_from_objects(array, name, given)
    with np.errstate(over="ignore"):
        return np.asarray(array, dtype=np.float32, order="C")


def _numbers_from_objects(array: np.ndarray, name: str, given: Any) -> np.ndarray:
    if array.dtype.kind != "O":
        raise InvalidInputError(
            f"{name} must be numeric; got dtype {array.dtype}. Encode text and dates as numbers "
            "first, for instance with OneHotEncoder."
        )
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        # scikit-learn also raises a TypeError for a mapping or an array in a cell.
        kind = InvalidTypeError if isinstance(error, TypeError) else InvalidInputError
        if array.ndim == 0:
            raise kind(
                f"{name} must be an array; got {type(given).__name__}, which numpy cannot read as "
                "one. Make it a numpy array first: collect a lazy frame, or use numpy.from_dlpack."
            ) from error
        raise kind(
            f"{name} must be numeric; got an array of objects ({error}). The argument must be "
            "made of numbers: encode categories first, for instance with OneHotEncoder."
        ) from error
