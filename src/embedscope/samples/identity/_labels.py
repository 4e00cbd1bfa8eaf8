"""Labels of samples: whole numbers, or text such as barcodes, wells and UUIDs.

Whole numbers are an int64 array, text is an array of Python strings. One set of samples has one of
the two. Text stays as it is: "007" and "7" are different labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

LabelArray = npt.NDArray[Any]

_END = "\0"  # between stored labels; no label holds it


def is_text(labels: LabelArray) -> bool:
    """Whether labels are text."""
    return bool(labels.dtype.kind == "O")


def is_background(labels: LabelArray) -> npt.NDArray[np.bool_]:
    """Which labels are 0, the background of a label image; text never is."""
    return np.zeros(len(labels), bool) if is_text(labels) else labels == 0


def label_column(name: str, values: Any, lowest: int | None = 0) -> LabelArray:
    """Labels as int64, or as an array of strings.

    Parameters
    ----------
    name : str
        Name of the parameter, for errors.
    values : array of shape (n,)
        Whole numbers, or text of any dtype.
    lowest : int or None
        The lowest whole number that is allowed.

    Raises
    ------
    InvalidInputError
        If they are neither, a number is too low or too high, or a text is empty or cannot be
        written to files.
    """
    given = np.asarray(values)
    if given.ndim == 1 and given.size and given.dtype.kind in "OUT":
        return _texts(name, given, lowest)
    return int_column(name, given, lowest, or_text=True)


def as_text(labels: LabelArray) -> LabelArray:
    """Labels as text; whole numbers in decimals."""
    if is_text(labels):
        return labels
    texts = np.empty(len(labels), object)
    texts[:] = [str(label) for label in labels.tolist()]
    return texts


def joined_labels(parts: Sequence[LabelArray]) -> LabelArray:
    """Labels one after the other; if some are text, whole numbers become text too."""
    if any(map(is_text, parts)):
        parts = [as_text(part) for part in parts]
    return np.concatenate(parts)


def labels_to_bytes(labels: LabelArray) -> npt.NDArray[np.uint8]:
    """Text labels as one array of bytes, for files."""
    return np.frombuffer(_END.join(labels).encode("utf-8"), np.uint8)


def labels_from_bytes(stored: npt.NDArray[np.uint8]) -> LabelArray:
    """The labels of `labels_to_bytes`; there must be one at least."""
    return _object_array(stored.astype(np.uint8).tobytes().decode("utf-8").split(_END))


def whole(
    name: str, values: npt.ArrayLike, lowest: int | None = 0, *, or_text: bool = False
) -> npt.NDArray[np.int64]:
    """Return integers as int64; raise if one is below `lowest`."""
    given = np.asarray(values)
    if given.size == 0:
        given = np.zeros(given.shape, np.int64)
    if given.dtype.kind not in "ui":
        kinds = "integers or text" if or_text else "integers"
        raise InvalidInputError(
            f"{name} must be {kinds}; got dtype {given.dtype}. Convert them to int first, without "
            "missing values."
        )
    largest = np.iinfo(np.int64).max
    if given.size and (int(given.max()) > largest or (lowest is not None and given.min() < lowest)):
        worst = given.max() if int(given.max()) > largest else given.min()
        raise InvalidInputError(
            f"{name} must be in 0..2**63 - 1; got {worst}. Renumber them, for example with "
            "skimage.segmentation.relabel_sequential."
        )
    return given.astype(np.int64)


def int_column(
    name: str, values: npt.ArrayLike, lowest: int | None = 0, *, or_text: bool = False
) -> npt.NDArray[np.int64]:
    """Integers of one axis as int64."""
    column = whole(name, values, lowest, or_text=or_text)
    if column.ndim != 1:
        raise InvalidInputError(
            f"{name} must have one value for each sample; got shape {column.shape}. Pass a flat "
            "array."
        )
    return column


def text_problem(values: LabelArray) -> str:
    """Why an array of objects or text cannot hold text labels; "" if it can."""
    from pandas.api.types import infer_dtype

    kind = "string" if values.dtype.kind in "UT" else infer_dtype(values, skipna=False)
    if kind != "string":
        has_gap = infer_dtype(values, skipna=True) in ("string", "empty")
        return "text with missing values" if has_gap else f"values that are {kind}, not all text"
    texts = values.tolist()
    if "" in texts:
        return "an empty text"
    if _END in "".join(texts):
        return "a text with the character NUL"
    try:
        "".join(texts).encode("utf-8")
    except UnicodeEncodeError:
        return "a text with half of a surrogate pair"
    return ""


def _texts(name: str, given: LabelArray, lowest: int | None) -> LabelArray:
    from pandas.api.types import infer_dtype

    if given.dtype.kind == "O" and infer_dtype(given, skipna=False) == "integer":
        return whole(name, np.array(given.tolist()), lowest)
    problem = text_problem(given)
    if problem:
        raise InvalidInputError(
            f"{name} must be all whole numbers, or all text that is not empty; got {problem}. "
            "Leave out rows without a label, and make text of the others: [str(each) for each in "
            f"{name}]."
        )
    return _object_array(given.tolist())


def _object_array(texts: list[str]) -> LabelArray:
    made = np.empty(len(texts), object)
    made[:] = texts
    return made
