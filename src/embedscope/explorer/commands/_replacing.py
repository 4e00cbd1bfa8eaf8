"""Replace the samples of one source by new ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples import Samples, join_samples
from embedscope.samples.combining import of_source


class Replacement(NamedTuple):
    """Samples after one source was replaced, and their rows before.

    Attributes
    ----------
    samples : Samples
        All of them, the sources in the order before.
    rows_before : ndarray of shape (n,), int64
        Row of each sample before; -1 for new samples.
    is_same : ndarray of shape (n,), bool
        Whether the sample was there before, with exactly the same values.
    """

    samples: Samples
    rows_before: npt.NDArray[np.int64]
    is_same: npt.NDArray[np.bool_]


def replace_source(before: Samples, read: Samples) -> Replacement:
    """Replace the samples of the source that `read` is of.

    Raises
    ------
    InvalidInputError
        If `read` is of several sources, or of one that is not in `before`.
    """
    names = before.identities.sources
    if len(read.identities.sources) != 1 or read.identities.sources[0] not in names:
        raise InvalidInputError(
            f"samples must be of one source among {list(names)}; got "
            f"{list(read.identities.sources)}. Make them with source=... of the one to replace."
        )
    with_samples = {names[index] for index in np.unique(before.identities.source)}
    name = read.identities.sources[0]
    parts = [
        read if each == name else of_source(before, each)
        for each in names
        if each == name or each in with_samples
    ]
    joined = join_samples(parts)
    # Each part has what was left out of all sources.
    joined = replace(joined, left_out=tuple(dict.fromkeys(joined.left_out)))
    rows_before = np.full(len(joined), -1, dtype=np.int64)
    identities = joined.identities
    for index, each in enumerate(identities.sources):
        rows = np.flatnonzero(identities.source == index)
        rows_before[rows] = before.identities.rows(
            each, identities.label[rows], identities.frame[rows]
        )
    return Replacement(joined, rows_before, _is_same(before, joined, rows_before))


def _is_same(
    before: Samples, after: Samples, rows_before: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Whether each sample has the same input values as before."""
    known = np.flatnonzero(rows_before >= 0)
    is_same = np.zeros(len(after), dtype=bool)
    is_same[known] = True
    for old_values, new_values in zip(_numbers(before), _numbers(after), strict=True):
        old, new = old_values[rows_before[known]], new_values[known]
        equal = old == new
        if old.dtype.kind == "f":
            equal |= np.isnan(old) & np.isnan(new)
        is_same[known] &= equal.reshape(len(known), -1).all(axis=1)
    return is_same


def _numbers(samples: Samples) -> list[npt.NDArray[Any]]:
    """What the samples show, and what a map learns from if it is given apart from that."""
    shown = samples.images if samples.images is not None else np.asarray(samples.table)
    learned = samples.learned
    if learned is None or learned.values is None or learned.extractor is not None:
        return [shown]  # what a function computes differs if the pictures do
    return [shown, learned.values]
