"""The identity of a sample: its source, its frame there, and its label in that frame.

A row number changes with every subset, sort or join; an identity does not. Every link between a
map and images uses identities.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.identity._labels import (
    LabelArray,
    as_text,
    int_column,
    is_text,
    label_column,
    whole,
)

if TYPE_CHECKING:
    import pandas as pd


IntArray = npt.NDArray[np.int64]


class IdentityIndex:
    """Finds rows by their identity, many at a time.

    Each identity becomes one number: the rank of its (source, frame) times the number of labels,
    plus the rank of its label. Ranks, unlike ids of up to 2**63, cannot overflow.
    """

    def __init__(self, source: npt.NDArray[Any], frame: IntArray, label: LabelArray) -> None:
        self._frames = np.unique(frame)
        # The ranks of text come from a hash table, which is faster than to sort it.
        self._texts = _texts_of(label) if is_text(label) else None
        label = self._numbers(label)
        self._labels = np.unique(label)
        pairs = source * len(self._frames) + np.searchsorted(self._frames, frame)
        self._pairs, group = np.unique(pairs, return_inverse=True)
        keys = self._key(group, np.searchsorted(self._labels, label))
        self._order = np.argsort(keys, kind="stable")
        self._sorted_keys = keys[self._order]

    def _key(self, group: IntArray, label_rank: IntArray) -> IntArray:
        return group.astype(np.int64) * len(self._labels) + label_rank

    def repeated(self) -> IntArray:
        """Rows whose identity an earlier row already has, rising."""
        same = self._sorted_keys[1:] == self._sorted_keys[:-1]
        return np.sort(self._order[1:][same])

    def group(self, source: int, frames: IntArray) -> IntArray:
        """Rank of each (source, frame), -1 where no sample has it."""
        rank = _ranks(self._frames, frames)
        return np.where(rank < 0, -1, _ranks(self._pairs, source * len(self._frames) + rank))

    def rows(self, group: IntArray, label: LabelArray) -> IntArray:
        """Rows of labels in their groups, -1 where no sample has them."""
        label_rank = _ranks(self._labels, self._numbers(label))
        rank = _ranks(self._sorted_keys, self._key(group, label_rank))
        known = (group >= 0) & (label_rank >= 0) & (rank >= 0)
        return np.where(known, self._order[rank], -1)

    def _numbers(self, label: LabelArray) -> IntArray:
        """Whole numbers that stand for labels: their own, or those of text, -1 if unknown."""
        if self._texts is not None:
            return np.asarray(self._texts.get_indexer(as_text(label)), np.int64)
        if not is_text(label):
            return label
        place = _texts_of(as_text(self._labels)).get_indexer(label)
        return np.where(place < 0, -1, self._labels[place])


def _texts_of(label: LabelArray) -> Any:
    import pandas as pd

    return pd.Index(pd.unique(pd.Series(label, dtype=object)), dtype=object)


def _ranks(values: IntArray, wanted: IntArray) -> IntArray:
    """Rank of each wanted number among sorted distinct values, -1 where it is not among them."""
    rank = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return np.where(values[rank] == wanted, rank, -1)


class SampleId(NamedTuple):
    """The identity of one sample.

    Attributes
    ----------
    source : str
        Name of the image, table or array that the sample comes from.
    frame : int
        Time point, from 0; 0 where there is no time axis.
    label : int or str
        The object's id in its label image, the number of a patch, or the id of a row, which may be
        text such as a barcode.
    """

    source: str
    frame: int
    label: int | str


@dataclass(frozen=True, eq=False)
class Identities:
    """The identities of n samples, stored as columns; read-only.

    Parameters
    ----------
    sources : sequence of str
        The names of the sources, each once. A source may have no samples.
    source : int array of shape (n,)
        The source of each sample, an index into `sources`.
    frame : int array of shape (n,)
        Time points, from 0.
    label : array of shape (n,)
        Labels: whole numbers from 0 to 2**63 - 1, or text that is not empty. Only tables and
        arrays may use text, and 0: in a label image it is the background.

    Attributes
    ----------
    sources : tuple of str
    source : ndarray of shape (n,), intp
    frame : ndarray of shape (n,), int64
    label : ndarray of shape (n,), int64, or object if labels are text

    Raises
    ------
    InvalidInputError
        If a name is empty or repeated, columns differ in length, a value is negative or neither an
        integer nor text, or two samples have the same identity.
    """

    sources: tuple[str, ...]
    source: npt.NDArray[np.intp]
    frame: IntArray
    label: LabelArray

    def __init__(
        self,
        sources: Sequence[str],
        source: npt.ArrayLike,
        frame: npt.ArrayLike,
        label: npt.ArrayLike,
    ) -> None:
        columns = {
            "source": int_column("source", source).astype(np.intp),
            "frame": int_column("frame", frame),
            "label": label_column("label", label),
        }
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise InvalidInputError(
                f"source, frame and label must be equally long; got lengths {lengths}. Give each "
                "sample one value of each."
            )
        object.__setattr__(self, "sources", _checked_names(sources))
        for name, column in columns.items():
            column.setflags(write=False)
            object.__setattr__(self, name, column)
        self._check_values()

    @classmethod
    def of(cls, source: str, labels: npt.ArrayLike, frames: npt.ArrayLike = 0) -> Identities:
        """Identities of samples that all come from one source.

        Parameters
        ----------
        source : str
            The source's name.
        labels : array of int or str, shape (n,)
            The label of each sample.
        frames : int or int array of shape (n,)
            The time point of each sample, or one for all.
        """
        label = label_column("labels", labels)
        frame = np.broadcast_to(whole("frames", frames), label.shape)
        return cls((source,), np.zeros(len(label), np.intp), frame, label)

    def __len__(self) -> int:
        return len(self.label)

    def __getitem__(self, row: int) -> SampleId:
        """Return the identity of one row."""
        label = self.label[row]
        label = label if isinstance(label, str) else int(label)
        return SampleId(self.sources[self.source[row]], int(self.frame[row]), label)

    def __iter__(self) -> Iterator[SampleId]:
        columns = (self.source.tolist(), self.frame.tolist(), self.label.tolist())
        for source, frame, label in zip(*columns, strict=True):
            yield SampleId(self.sources[source], frame, label)

    def row(self, identity: SampleId) -> int:
        """Row of one sample.

        Parameters
        ----------
        identity : SampleId
            The identity to find; a plain tuple (source, frame, label) works too.

        Raises
        ------
        InvalidInputError
            If no sample has this identity.
        """
        source, frame, label = identity
        row = int(self.rows(source, [label], frame)[0])
        if row < 0:
            raise InvalidInputError(
                f"identity must be one of these {len(self)} samples; got {tuple(identity)}. Use "
                "rows() where samples may be missing: it gives -1 for them."
            )
        return row

    def rows(self, source: str, labels: npt.ArrayLike, frame: npt.ArrayLike = 0) -> IntArray:
        """Rows of many samples of one source.

        Parameters
        ----------
        source : str
            The source's name.
        labels : array of int or str, shape (k,)
            The labels to find, in any order, repeated or not. Text finds a whole number by its
            decimals, and the other way round: "7" is 7, but "007" is not.
        frame : int or int array of shape (k,)
            The frame of each label, or one for all.

        Returns
        -------
        ndarray of shape (k,), int64
            The row of each; -1 where no sample has that identity.

        Raises
        ------
        InvalidInputError
            If labels are neither integers nor text, frames are no integers, or they do not match in
            shape.
        """
        label = label_column("labels", labels, lowest=None)
        frames = whole("frame", frame)
        if frames.shape not in ((), label.shape):
            raise InvalidInputError(
                f"frame must be one int or one for each label; got shape {frames.shape} for "
                f"{len(label)} labels. Give them the same length."
            )
        if source not in self.sources or len(self) == 0:
            return np.full(len(label), -1, np.int64)
        group = np.broadcast_to(self._index.group(self.sources.index(source), frames), label.shape)
        return self._index.rows(group, label)

    def take(self, rows: npt.ArrayLike) -> Identities:
        """Identities of some rows, in the given order; all names of sources stay.

        Parameters
        ----------
        rows : int or bool array
            Rows, each at most once, or a mask of n rows.

        Raises
        ------
        InvalidInputError
            If a row is asked for twice.
        """
        chosen = np.asarray(rows)
        if chosen.size == 0:
            chosen = chosen.astype(np.intp)
        return Identities(self.sources, self.source[chosen], self.frame[chosen], self.label[chosen])

    def to_frame(self) -> pd.DataFrame:
        """Return a table with the columns source, frame and label, one row for each sample."""
        import pandas as pd

        names = pd.Categorical.from_codes(self.source, categories=pd.Index(self.sources))
        return pd.DataFrame({"source": names, "frame": self.frame, "label": self.label})

    @cached_property
    def _index(self) -> IdentityIndex:
        return IdentityIndex(self.source, self.frame, self.label)

    def _check_values(self) -> None:
        if len(self) == 0:
            return
        if self.source.max() >= len(self.sources):
            raise InvalidInputError(
                f"source must be an index into the {len(self.sources)} sources; got "
                f"{self.source.max()}. Number the sources from 0."
            )
        repeated = self._index.repeated()
        if len(repeated):
            raise InvalidInputError(
                f"identities must differ; got {len(repeated)} that repeat an earlier one, the "
                f"first {tuple(self[int(repeated[0])])}. Where labels start again in every frame, "
                "give the frame of each sample."
            )


def is_name(name: object) -> bool:
    """Whether it is a non-empty string."""
    return isinstance(name, str) and bool(name)


def _checked_names(sources: Sequence[str]) -> tuple[str, ...]:
    names = (sources,) if isinstance(sources, str) else tuple(sources)
    if not all(map(is_name, names)):
        raise InvalidInputError(
            f"sources must be names, none of them empty; got {names}. Name each image or table."
        )
    if len(set(names)) < len(names):
        raise InvalidInputError(
            f"sources must have different names; got {names}. Rename all but one of them."
        )
    return names
