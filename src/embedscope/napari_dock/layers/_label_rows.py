"""Maps a labels image to the rows of its samples, chunk by chunk.

Labels have gaps, reach 2**31, and are reused in other frames; only the pair of frame and label
identifies a sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

IntArray = npt.NDArray[np.integer[Any]]

_TABLE_LIMIT = 2**22  # a table of int32 up to this label takes 16 MiB; larger labels are searched


class LabelRows:
    """The row of each label in each frame.

    Parameters
    ----------
    labels : ndarray of shape (n,), integer
        Label of each row, above 0.
    frames : ndarray of shape (n,), integer, optional
        Frame of each row; all in frame 0 if left out.

    Raises
    ------
    InvalidInputError
        If the two differ in length, a label is not above 0, or a label occurs twice in a frame.
    """

    def __init__(self, labels: IntArray, frames: IntArray | None = None) -> None:
        labels = np.asarray(labels, np.int64)
        frames = np.zeros(len(labels), np.int64) if frames is None else np.asarray(frames, np.int64)
        if len(frames) != len(labels):
            raise InvalidInputError(
                f"frames must have one entry for each label; got {len(frames)} "
                f"(labels: {len(labels)}). Give both from the same table."
            )
        if len(labels) and labels.min() < 1:
            raise InvalidInputError(
                f"labels must be above 0, which is background; got {labels.min()}. Leave it out."
            )
        self.n_rows = len(labels)
        self._order = np.lexsort((labels, frames))
        self._labels = labels[self._order]
        self._frames = frames[self._order]
        twice = (np.diff(self._labels) == 0) & (np.diff(self._frames) == 0)
        if twice.any():
            raise InvalidInputError(
                f"labels must be unique within a frame; got {self._labels[:-1][twice][0]} twice. "
                "Give the frame of each label, or relabel."
            )
        self._tables: dict[int, npt.NDArray[np.int32]] = {}

    def image_of(self, labels: IntArray, frame: int = 0) -> npt.NDArray[np.int32]:
        """Row + 1 of the sample at each pixel, 0 for none.

        Parameters
        ----------
        labels : ndarray of any shape, integer or bool
        frame : int
            Frame of all the labels.

        Returns
        -------
        ndarray, int32
            Of the same shape.
        """
        known, rows = self._of_frame(frame)
        if not len(known) or not labels.size:
            return np.zeros(labels.shape, np.int32)
        if known[-1] < _TABLE_LIMIT:
            return self._look_up(labels, known, rows, frame)
        return _search(labels, known, rows)

    def _of_frame(self, frame: int) -> tuple[IntArray, IntArray]:
        start, stop = (int(place) for place in np.searchsorted(self._frames, [frame, frame + 1]))
        return self._labels[start:stop], self._order[start:stop]

    def _look_up(
        self, labels: IntArray, known: IntArray, rows: IntArray, frame: int
    ) -> npt.NDArray[np.int32]:
        table = self._tables.get(frame)
        if table is None:
            # The last entry stays 0, for larger labels.
            table = np.zeros(int(known[-1]) + 2, np.int32)
            table[known] = rows + 1
            # Only one frame's table is cached, to limit memory for time series.
            self._tables = {frame: table}
        beyond = len(table) - 1
        if labels.dtype.itemsize <= 2 and labels.dtype.kind == "u" and beyond >= 65536:
            return table.take(labels)
        return table.take(
            np.where((labels < 0) | (labels > beyond), beyond, labels).astype(np.intp)
        )


def _search(labels: IntArray, known: IntArray, rows: IntArray) -> npt.NDArray[np.int32]:
    """Look up each run of equal labels once: along image lines, labels come in such runs."""
    flat = labels.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    values = flat[starts].astype(np.int64)
    places = np.minimum(np.searchsorted(known, values), len(known) - 1)
    found = np.where(known[places] == values, rows[places] + 1, 0).astype(np.int32)
    return np.repeat(found, np.diff(starts, append=len(flat))).reshape(labels.shape)
