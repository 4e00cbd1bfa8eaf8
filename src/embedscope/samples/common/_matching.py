"""Do the rows of a table fit the objects of an image? Asked before the two are joined.

Numbers that merely look right join each object with its neighbour's row: frames that one program
counts from 0 and another from 1, row numbers in the place of labels. Only the image can tell.
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

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class KnownObjects:
    """The objects of a label image, as far as rows are joined to them.

    Attributes
    ----------
    name : str
        Of the image, for errors.
    frame, label : ndarray of shape (n,), int64
    n_frames : int
        Time points of the image; 1 without a time axis.
    """

    name: str
    frame: IntArray
    label: IntArray
    n_frames: int

    def rows_found(self, frames: IntArray, labels: IntArray) -> npt.NDArray[np.bool_]:
        """Which of these identities are objects of the image."""
        index = IdentityIndex(np.zeros(len(self.label), np.int64), self.frame, self.label)
        return np.asarray(index.rows(index.group(0, frames), labels) >= 0)


@dataclass(frozen=True, eq=False)
class RowIds:
    """Who the rows of a table say that they are.

    Attributes
    ----------
    labels : ndarray of shape (n,), int64
        0 is the background.
    frames : ndarray of shape (n,), int64, or None
        None where the table knows none.
    labels_from, frames_from : str
        Where they stand, such as "column 'Label'", for errors.
    """

    labels: IntArray
    frames: IntArray | None
    labels_from: str
    frames_from: str = ""


def matched_frames(ids: RowIds, objects: KnownObjects) -> tuple[IntArray, tuple[LeftOut, ...]]:
    """The time point of the image that each row belongs to.

    Parameters
    ----------
    ids : RowIds
    objects : KnownObjects

    Returns
    -------
    frames : ndarray of shape (n,), int64
        As the image counts them, from 0.
    notes : tuple of LeftOut
        What was put right.

    Raises
    ------
    InvalidInputError
        If no row has an object, two rows have the same one, frames do not fit, or labels or frames
        shifted by a constant fit better, so that a neighbour's values may be meant.
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


def check_different(ids: RowIds, frames: IntArray) -> None:
    """Refuse rows of which two are of the same object."""
    own = ids.labels > 0
    index = IdentityIndex(np.zeros(int(own.sum()), np.int64), frames[own], ids.labels[own])
    n_repeated = len(index.repeated()) if own.any() else 0
    if n_repeated:
        raise InvalidInputError(
            f"identities must differ; got {n_repeated} that repeat an earlier one, by "
            f"{ids.labels_from}. Where labels start again in every frame, name the column of the "
            "frames; if it is a class and no label, rename it or name another column."
        )


def unmatched(ids: RowIds, frames: IntArray, objects: KnownObjects) -> tuple[LeftOut, ...]:
    """Say which rows have no object, and how many objects have no row."""
    own = ids.labels > 0
    found = objects.rows_found(frames, ids.labels)
    lost = ids.labels[own & ~found]
    n_without = len(objects.label) - int((own & found).sum())
    notes = []
    if len(lost):
        shown = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
        notes.append(
            LeftOut(
                f"{counted(len(lost), 'row')} of the table",
                f"no such object in {objects.name} (labels {shown})",
            )
        )
    if n_without:
        notes.append(
            LeftOut(f"values of {counted(n_without, 'object')}", "no row of the table is theirs")
        )
    return tuple(notes)


def _frames_by_label(ids: RowIds, objects: KnownObjects) -> IntArray:
    """Without frames, labels must do: each is of one time point only."""
    order = np.argsort(objects.label, kind="stable")
    labels, frames = objects.label[order], objects.frame[order]
    if (np.diff(labels) == 0).any():
        raise InvalidInputError(
            f"a table for the time series {objects.name!r} must say the frame of each row; got "
            "none, and labels come back in several frames. Name the column that holds the frames."
        )
    place = np.minimum(np.searchsorted(labels, ids.labels), len(labels) - 1)
    return np.where(labels[place] == ids.labels, frames[place], 0).astype(np.int64)


def _only_frame(
    ids: RowIds, frames: IntArray, objects: KnownObjects
) -> tuple[IntArray, tuple[LeftOut, ...]]:
    """The image is one time point, so the table must be of one too."""
    found = np.unique(frames)
    if len(found) > 1:
        raise InvalidInputError(
            f"a table for {objects.name!r}, which is one time point, must be of one; got "
            f"{len(found)} different numbers in {ids.frames_from}, the frames. Keep the rows of "
            "the time point that is open, or rename the column if it holds no frames."
        )
    if found[0] == 0:
        return frames, ()
    note = LeftOut(
        f"number {found[0]} in {ids.frames_from}",
        f"{objects.name} is one time point, so all rows were taken for it",
    )
    return np.zeros_like(frames), (note,)


def _shifted_frames(
    ids: RowIds, frames: IntArray, objects: KnownObjects
) -> tuple[IntArray, tuple[LeftOut, ...]]:
    """Frames as the image counts them; counted otherwise where that is proven."""
    own = ids.labels > 0
    first = int(frames.min())

    def n_found(shift: int) -> int:
        return int(objects.rows_found(frames[own] + shift, ids.labels[own]).sum())

    n_rows, as_they_are = int(own.sum()), n_found(0)
    fits = {shift: n_found(shift) for shift in {-1, 1, -first} - {0} if first + shift >= 0}
    best = max(fits, key=lambda shift: fits[shift])
    # Every row has its object and every object its row: that does not happen by chance.
    if as_they_are < fits[best] == n_rows == len(objects.label):
        note = LeftOut(
            f"first frame {first} in {ids.frames_from}",
            f"all rows and objects fit if the first is {first + best}, as it was taken",
        )
        return frames + best, (note,)
    # Where the first frames have no row, as good a fit is no proof either.
    is_unsure = any(fits[shift] >= max(as_they_are, 1) for shift in fits if shift < 0)
    if fits[best] > as_they_are or is_unsure:
        raise InvalidInputError(
            f"{ids.frames_from} must count the frames of {objects.name!r} from 0; got numbers from "
            f"{first}, of which {as_they_are} of {n_rows} rows fit an object, and {fits[best]} if "
            f"they are changed by {best:+d}. Change them so; or, if they count from 0, keep only "
            "rows that have an object, and add a row of label 0 in frame 0, the background."
        )
    return frames, ()


def _check_labels(ids: RowIds, frames: IntArray, objects: KnownObjects) -> None:
    """Refuse labels that may be mere numbers of rows, or that fit better one further."""
    n_found = int(objects.rows_found(frames, ids.labels).sum())
    n_rows, n_objects = int((ids.labels > 0).sum()), len(objects.label)
    # A part of the image has a table with more rows, and a part of the objects one with less.
    if 2 * n_found <= min(n_rows, n_objects):
        raise InvalidInputError(
            f"labels of the table must be those of {objects.name!r}; got {n_found} of "
            f"{counted(n_rows, 'row')} whose label in {ids.labels_from} is one of its "
            f"{counted(n_objects, 'object')}. Choose the table, or the column, of this image."
        )
    _check_not_counted(ids, n_found, objects)
    # A background without objects beside it is there to say where the frames begin.
    used = np.isin(frames, frames[ids.labels > 0])
    for step in (1, -1):
        n_shifted = int(objects.rows_found(frames[used], ids.labels[used] + step).sum())
        if n_shifted > n_found:
            raise InvalidInputError(
                f"labels of the table must be those of {objects.name!r}; got {n_found} in "
                f"{ids.labels_from} that are, and {n_shifted} if all are changed by {step:+d}. "
                "Name the column that holds the labels. If this one does, leave out rows that have "
                "no object, and the row of label 0."
            )


def _check_not_counted(ids: RowIds, n_found: int, objects: KnownObjects) -> None:
    """Numbers that merely count the rows are labels only where there is a row for every label."""
    n_rows, last = len(ids.labels), int(objects.label.max())
    counted_from = int(ids.labels[0])
    is_counted = counted_from in (0, 1) and np.array_equal(
        ids.labels, np.arange(counted_from, counted_from + n_rows)
    )
    if not is_counted:
        return
    # Over several frames only labels that are never used again can count the rows.
    is_film = ids.frames is not None and len(np.unique(ids.frames)) > 1
    are_all = n_found == int((ids.labels > 0).sum()) == len(objects.label)
    every_label = n_rows == last + 1 - counted_from
    if (
        (is_film and not are_all)
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
