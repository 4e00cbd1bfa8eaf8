"""Labels of samples as arrays without objects: whole numbers, or the bytes of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.samples.identity import is_text, labels_from_bytes, labels_to_bytes

_AS_TEXT = "_text"


def label_arrays(key: str, labels: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """The array of labels under `key`, or of their text under another key."""
    if is_text(labels) and len(labels):
        return {key + _AS_TEXT: labels_to_bytes(labels)}
    return {key: labels.astype(np.int64)}


def labels_in(key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """The labels of `label_arrays`.

    Raises
    ------
    KeyError, ValueError
        If they are missing or damaged.
    """
    stored = arrays.get(key + _AS_TEXT)
    return arrays[key] if stored is None else labels_from_bytes(stored)
