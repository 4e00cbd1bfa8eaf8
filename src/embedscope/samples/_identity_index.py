"""Find rows by identity, many at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


class IdentityIndex:
    """Finds rows by their identity, many at a time.

    Each identity becomes one number: the rank of its (source, frame) times the number of labels,
    plus the rank of its label. Ranks, unlike ids of up to 2**63, cannot overflow.
    """

    def __init__(self, source: npt.NDArray[Any], frame: IntArray, label: IntArray) -> None:
        self._frames = np.unique(frame)
        self._labels = np.unique(label)
        pairs = source * len(self._frames) + np.searchsorted(self._frames, frame)
        self._pairs, group = np.unique(pairs, return_inverse=True)
        keys = self._key(group, np.searchsorted(self._labels, label))
        self._order = np.argsort(keys, kind="stable")
        self._sorted_keys = keys[self._order]

    def _key(self, group: IntArray, label_rank: IntArray) -> IntArray:
        return group.astype(np.int64) * len(self._labels) + label_rank

    def repeated(self) -> IntArray:
        """Rows whose identity an earlier row has already, rising."""
        same = self._sorted_keys[1:] == self._sorted_keys[:-1]
        return np.sort(self._order[1:][same])

    def group(self, source: int, frames: IntArray) -> IntArray:
        """Rank of each (source, frame), -1 where no sample has it."""
        rank = _ranks(self._frames, frames)
        return np.where(rank < 0, -1, _ranks(self._pairs, source * len(self._frames) + rank))

    def rows(self, group: IntArray, label: IntArray) -> IntArray:
        """Rows of labels in their groups, -1 where no sample has them."""
        label_rank = _ranks(self._labels, label)
        place = _ranks(self._sorted_keys, self._key(group, label_rank))
        known = (group >= 0) & (label_rank >= 0) & (place >= 0)
        return np.where(known, self._order[place], -1)


def _ranks(values: IntArray, wanted: IntArray) -> IntArray:
    """Place of each wanted number among sorted distinct values, -1 where it is not among them."""
    place = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return np.where(values[place] == wanted, place, -1)
