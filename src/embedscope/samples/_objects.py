"""Find every labelled object: how many pixels, where, from where to where.

A label image is read as runs, stretches of one label along the last axis. There are some twenty
times fewer runs than pixels, and all that is asked here can be summed over runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples._field import Field
from embedscope.samples._tiles import tile_sides, tiles

Array = npt.NDArray[Any]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects of a label image, by rising frame and label.

    Attributes
    ----------
    frame : ndarray of shape (n,), int64
    label : ndarray of shape (n,)
        In the dtype of the label image.
    n_pixels : ndarray of shape (n,), int64
    sums : ndarray of shape (n, d), int64
        Coordinates along each spatial axis, summed over the object's pixels.
    first, last : ndarray of shape (n, d), int64
        First and last pixel along each spatial axis.
    """

    frame: IntArray
    label: Array
    n_pixels: IntArray
    sums: IntArray
    first: IntArray
    last: IntArray

    def __len__(self) -> int:
        return len(self.label)

    @property
    def centroids(self) -> npt.NDArray[np.float64]:
        """Mean coordinates of each object's pixels, shape (n, d)."""
        return self.sums / self.n_pixels[:, np.newaxis]

    @property
    def bounding_boxes(self) -> IntArray:
        """First pixel along each axis, then one past the last: shape (n, 2 * d)."""
        return np.hstack([self.first, self.last + 1])

    def take(self, rows: Array) -> Objects:
        """Some of the objects, in the order of `rows`."""
        return Objects(*(column[rows] for column in vars(self).values()))


class Runs(NamedTuple):
    """Stretches of one label along the last axis of a block, background left out.

    Attributes
    ----------
    label : ndarray of shape (k,)
    start : ndarray of shape (k, d), int64
        Coordinates of each run's first pixel.
    length : ndarray of shape (k,), int64
    """

    label: Array
    start: IntArray
    length: IntArray


def label_runs(block: Array, corner: tuple[int, ...]) -> Runs:
    """Read a block of labels as runs.

    Parameters
    ----------
    block : integer ndarray of d axes
        Labels; 0 is background.
    corner : tuple of int
        Coordinates of the block's first pixel.
    """
    flat = block.reshape(-1)
    breaks = np.empty(flat.size, bool)
    np.not_equal(flat[1:], flat[:-1], out=breaks[1:])
    breaks[:: block.shape[-1]] = True  # a run ends where its row ends
    start = np.flatnonzero(breaks)
    length = np.diff(start, append=flat.size)
    label = flat[start]
    own = label != 0
    place = np.stack(np.unravel_index(start[own], block.shape), axis=1)
    return Runs(label[own], place.astype(np.int64) + np.array(corner), length[own])


def find_objects(field: Field) -> Objects:
    """Find all objects, tile by tile.

    Raises
    ------
    InvalidInputError
        If a label is negative, or there is no object.
    """
    sides = tile_sides(field.shape, field.label_chunks())
    parts = []
    for frame in range(field.n_frames):
        for box in tiles(field.shape, sides):
            runs = label_runs(field.read_labels(frame, box), tuple(side.start for side in box))
            _check_not_negative(runs.label)
            parts.append(_merged(_as_objects(runs, frame)))
    objects = _merged(_concatenated(parts))
    if len(objects) == 0:
        raise InvalidInputError(
            "labels must mark at least one object; got 0 in every pixel. Segment the image first."
        )
    return objects


def _check_not_negative(label: Array) -> None:
    if label.dtype.kind == "i" and len(label) and label.min() < 0:
        raise InvalidInputError(
            f"labels must be 0 (background) or larger; got {label.min()}. Set pixels to ignore to "
            "0."
        )


def _as_objects(runs: Runs, frame: int) -> Objects:
    """Each run as an object of its own."""
    last = runs.start.copy()
    last[:, -1] += runs.length - 1
    sums = runs.start * runs.length[:, np.newaxis]
    sums[:, -1] += runs.length * (runs.length - 1) // 2
    frames = np.full(len(runs.label), frame, np.int64)
    return Objects(frames, runs.label, runs.length, sums, runs.start, last)


def _concatenated(parts: list[Objects]) -> Objects:
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return Objects(*(np.concatenate(column) for column in columns))


def _merged(parts: Objects) -> Objects:
    """One object for each frame and label, from its parts."""
    if len(parts) == 0:
        return parts
    parts = parts.take(np.lexsort([parts.label, parts.frame]))
    new = np.ones(len(parts), bool)
    new[1:] = (np.diff(parts.frame) != 0) | (parts.label[1:] != parts.label[:-1])
    starts = np.flatnonzero(new)
    return Objects(
        parts.frame[starts],
        parts.label[starts],
        np.add.reduceat(parts.n_pixels, starts),
        np.add.reduceat(parts.sums, starts),
        np.minimum.reduceat(parts.first, starts),
        np.maximum.reduceat(parts.last, starts),
    )
