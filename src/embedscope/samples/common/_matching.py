"""Checks that the rows of a table fit the objects of an image, before the two are joined.

Wrong numbers may join each object with the row of another one: frames that one program counts from
0 and another from 1, or row numbers used as labels. Only a comparison with the image finds this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.samples.common._samples import LeftOut
from embedscope.samples.identity._identity import IdentityIndex
from embedscope.samples.identity._labels import LabelArray, is_background

IntArray = npt.NDArray[np.int64]

THE_INDEX = "the table's index"
"""Where labels come from if no column has them."""


@dataclass(frozen=True, eq=False)
class KnownObjects:
    """The identities of the objects of a label image.

    Attributes
    ----------
    name : str
        Name of the image, for errors.
    frame, label : ndarray of shape (n,), int64
    n_frames : int
        Number of time points of the image; 1 without a time axis.
    """

    name: str
    frame: IntArray
    label: IntArray
    n_frames: int

    def rows_found(self, frames: IntArray, labels: IntArray) -> npt.NDArray[np.bool_]:
        """Whether each of these identities is an object of the image."""
        index = IdentityIndex(np.zeros(len(self.label), np.int64), self.frame, self.label)
        return np.asarray(index.rows(index.group(0, frames), labels) >= 0)


@dataclass(frozen=True, eq=False)
class RowIds:
    """The identities that the rows of a table state.

    Attributes
    ----------
    labels : ndarray of shape (n,), int64, or object if labels are text
        0 is the background.
    frames : ndarray of shape (n,), int64, or None
        None if the table has none.
    labels_from, frames_from : str
        Where they come from, such as "column 'Label'", for errors.
    """

    labels: LabelArray
    frames: IntArray | None
    labels_from: str
    frames_from: str = ""


def matched_frames(ids: RowIds, objects: KnownObjects) -> tuple[IntArray, tuple[LeftOut, ...]]:
    """The frame of the image that each row belongs to.

    Parameters
    ----------
    ids : RowIds
    objects : KnownObjects

    Returns
    -------
    frames : ndarray of shape (n,), int64
        Counted as in the image, from 0.
    notes : tuple of LeftOut
        What was corrected.

    Raises
    ------
    InvalidInputError
        If no row has an object, two rows have the same one, frames do not fit, or labels or frames
        fit better if a constant is added, since rows may then belong to other objects.
    """
    notes: tuple[LeftOut, ...] = ()
    if ids.frames is None:
        frames = _frames_by_label(ids, objects)
    elif objects.n_frames == 1:
        frames, notes = _only_frame(ids, ids.frames, objects)
    else:
        frames, notes = _shifted_frames(ids, ids.frames, objects)
    check_different(ids, frames)
    _check_labels(ids, frames, objects)
    return frames, notes


def rows_of(ids: RowIds, rows: npt.NDArray[Any]) -> RowIds:
    """Some of the rows."""
    frames = None if ids.frames is None else ids.frames[rows]
    return replace(ids, labels=ids.labels[rows], frames=frames)


def check_different(ids: RowIds, frames: IntArray, sources: IntArray | None = None) -> None:
    """Raise if two rows are of the same object.

    Parameters
    ----------
    ids : RowIds
    frames : ndarray of shape (n,), int64
    sources : int ndarray of shape (n,), optional
        Number of each row's source; all rows are of one if None.
    """
    own = ~is_background(ids.labels)
    names = np.zeros(len(own), np.int64) if sources is None else sources
    index = IdentityIndex(names[own], frames[own], ids.labels[own])
    n_repeated = len(index.repeated()) if own.any() else 0
    if n_repeated:
        raise InvalidInputError(
            f"identities must differ; got {n_repeated} that repeat an earlier one, by "
            f"{ids.labels_from}. {_remedy_for_repeated(ids)}"
        )


def _remedy_for_repeated(ids: RowIds) -> str:
    if ids.labels_from == THE_INDEX:
        return (
            "Number the rows with frame.reset_index(), which keeps the index as a column, or name "
            "the column that identifies them with label_column."
        )
    return (
        "Where labels start again in every frame, name the column of the frames; if it is a class "
        "and no label, rename it or name another column."
    )


def unmatched(ids: RowIds, frames: IntArray, objects: KnownObjects) -> tuple[LeftOut, ...]:
    """Notes on rows without an object, and on objects without a row."""
    own = ids.labels > 0
    found = objects.rows_found(frames, ids.labels)
    lost = ids.labels[own & ~found]
    known = KnownObjects(objects.name, frames[own & found], ids.labels[own & found], 1)
    has_row = np.zeros(len(objects.label), bool)
    if len(known.label):
        has_row = known.rows_found(objects.frame, objects.label)
    without = objects.label[~has_row]
    notes = []
    if len(lost):
        notes.append(
            LeftOut(
                f"{counted(len(lost), 'row')} of the table",
                f"no such object in {objects.name} (labels {_some(lost)})",
            )
        )
    if len(without):
        notes.append(
            LeftOut(
                f"values of {counted(len(without), 'object')}",
                f"the table has no row for them (labels {_some(without)})",
            )
        )
    return tuple(notes)


def _some(labels: IntArray) -> str:
    """The first labels, for a message."""
    return ", ".join(map(str, labels[:5])) + (", ..." if len(labels) > 5 else "")


def _frames_by_label(ids: RowIds, objects: KnownObjects) -> IntArray:
    """The frame of each row of a table without frames, by its label, which is used only once."""
    order = np.argsort(objects.label, kind="stable")
    labels, frames = objects.label[order], objects.frame[order]
    if (np.diff(labels) == 0).any():
        raise InvalidInputError(
            f"a table for the time series {objects.name!r} must say the frame of each row; got "
            "none, and several frames use the same labels. Name the column that holds the frames."
        )
    rank = np.minimum(np.searchsorted(labels, ids.labels), len(labels) - 1)
    return np.where(labels[rank] == ids.labels, frames[rank], 0).astype(np.int64)


def _only_frame(
    ids: RowIds, frames: IntArray, objects: KnownObjects
) -> tuple[IntArray, tuple[LeftOut, ...]]:
    """Frame 0 for all rows, if the image is one time point and the table is too."""
    found = np.unique(frames)
    if len(found) > 1:
        raise InvalidInputError(
            f"a table for {objects.name!r}, which is one time point, must be of one; got "
            f"{len(found)} different numbers in {ids.frames_from}, the frames. Keep the rows of "
            "the image's time point, or rename the column if it holds no frames."
        )
    if found[0] == 0:
        return frames, ()
    note = LeftOut(
        f"number {found[0]} in {ids.frames_from}",
        f"{objects.name} is one time point, so all rows were assigned to it",
    )
    return np.zeros_like(frames), (note,)


def _shifted_frames(
    ids: RowIds, frames: IntArray, objects: KnownObjects
) -> tuple[IntArray, tuple[LeftOut, ...]]:
    """Frames counted as in the image; shifted only if that is proven to be right."""
    own = ids.labels > 0
    first = int(frames.min())

    def n_found(shift: int) -> int:
        return int(objects.rows_found(frames[own] + shift, ids.labels[own]).sum())

    n_rows, as_they_are = int(own.sum()), n_found(0)
    fits = {shift: n_found(shift) for shift in {-1, 1, -first} - {0} if first + shift >= 0}
    best = max(fits, key=lambda shift: fits[shift])
    # Every row has an object and every object a row: that does not happen by chance.
    if as_they_are < fits[best] == n_rows == len(objects.label):
        note = LeftOut(
            f"first frame {first} in {ids.frames_from}",
            f"all rows and objects fit if the first is {first + best}, so this was used",
        )
        return frames + best, (note,)
    # If the first frames have no row, an equally good fit is no proof either.
    is_unsure = any(fits[shift] >= max(as_they_are, 1) for shift in fits if shift < 0)
    if fits[best] > as_they_are or is_unsure:
        raise InvalidInputError(
            f"{ids.frames_from} must count the frames of {objects.name!r} from 0; got numbers from "
            f"{first}; {as_they_are} of {n_rows} rows fit an object, and {fits[best]} if "
            f"{best:+d} is added. Add it; or, if the numbers count from 0, keep only rows with an "
            "object, and add a row of label 0 in frame 0, the background."
        )
    return frames, ()


def _check_labels(ids: RowIds, frames: IntArray, objects: KnownObjects) -> None:
    """Raise if labels may be row numbers, or fit better if 1 is added or subtracted."""
    n_found = int(objects.rows_found(frames, ids.labels).sum())
    n_rows, n_objects = int((ids.labels > 0).sum()), len(objects.label)
    # The table may describe a larger image, with more rows, or only a part of the objects.
    if 2 * n_found <= min(n_rows, n_objects):
        raise InvalidInputError(
            f"labels of the table must be those of {objects.name!r}; got {n_found} of "
            f"{counted(n_rows, 'row')} whose label in {ids.labels_from} is one of its "
            f"{counted(n_objects, 'object')}. Choose the table, or the column, of this image."
        )
    _check_not_counted(ids, n_found, objects)
    # A frame with only a background row is there to say where the frames begin.
    used = np.isin(frames, frames[ids.labels > 0])
    for step in (1, -1):
        n_shifted = int(objects.rows_found(frames[used], ids.labels[used] + step).sum())
        if n_shifted > n_found:
            raise InvalidInputError(
                f"labels of the table must be those of {objects.name!r}; got {n_found} in "
                f"{ids.labels_from} that are, and {n_shifted} if {step:+d} is added to all. "
                "Name the column that holds the labels. If this one does, leave out rows that have "
                "no object, and the row of label 0."
            )


def _check_not_counted(ids: RowIds, n_found: int, objects: KnownObjects) -> None:
    """Raise if labels only count the rows, unless there is a row for every label."""
    n_rows, last = len(ids.labels), int(objects.label.max())
    counted_from = int(ids.labels[0])
    is_counted = counted_from in (0, 1) and np.array_equal(
        ids.labels, np.arange(counted_from, counted_from + n_rows)
    )
    if not is_counted:
        return
    # In several frames, numbers that count the rows are labels only if they fit every object.
    is_series = ids.frames is not None and len(np.unique(ids.frames)) > 1
    are_all = n_found == int((ids.labels > 0).sum()) == len(objects.label)
    every_label = n_rows == last + 1 - counted_from
    if (
        (is_series and not are_all)
        or (counted_from == 0 and not every_label)
        or (counted_from == 1 and n_rows == len(objects.label) and n_found < n_rows)
    ):
        raise InvalidInputError(
            f"a table for {objects.name!r} must have a column of labels, or a row for every label "
            f"from 0, the background, to {last}; got {counted(n_rows, 'row')} for "
            f"{counted(len(objects.label), 'object')}, and {ids.labels_from} only counts them. "
            "Name the column that holds the labels. If this one does, leave out rows that have no "
            "object, and the row of label 0."
        )
