"""Find every labelled object: its number of pixels, its middle and its bounding box.

A label image is read as runs, stretches of one label along the last axis. There are about twenty
times fewer runs than pixels, and everything here can be summed over runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.images._field import Field
from embedscope.samples.images._tiles import tile_sides, tiles

Array = npt.NDArray[Any]
IntArray = npt.NDArray[np.int64]

KEPT_RUNS = 2**20
"""Runs up to which all are stored, in about 40 MB; of more, the labels are read twice."""

ROUNDING = 1e-6
"""How far a coordinate may move when converted to the world and back, in pixels."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Objects, or parts of objects, by rising frame and label.

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

    def take(self, rows: Array) -> Self:
        """Some rows, in the order of `rows`."""
        return type(self)(*(column[rows] for column in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Objects(Parts):
    """The objects of a label image, by rising frame and label.

    Attributes
    ----------
    middles : ndarray of shape (n, d), float64
        The centroid; where that is outside of the object, as in a ring, a crescent or two pieces of
        one label, the object's pixel nearest to it.
    """

    middles: npt.NDArray[np.float64]


class Runs(NamedTuple):
    """Stretches of one label along the last axis of a block, without the background.

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
    first = np.stack(np.unravel_index(start[own], block.shape), axis=1)
    return Runs(label[own], first.astype(np.int64) + np.array(corner), length[own])


def find_objects(field: Field) -> Objects:
    """Find all objects, tile by tile.

    Raises
    ------
    InvalidInputError
        If a label is negative, or there is no object.
    """
    parts, n_runs = [], 0
    kept: list[tuple[int, Runs]] | None = []
    for frame, runs in _runs_of(field):
        _check_not_negative(runs.label)
        parts.append(_merged(_as_parts(runs, frame)))
        n_runs += len(runs.label)
        if kept is not None:
            kept.append((frame, runs))
            kept = kept if n_runs <= KEPT_RUNS else None
    whole = _merged(_concatenated(parts))
    if len(whole) == 0:
        raise InvalidInputError(
            "labels must mark at least one object; got 0 in every pixel. Segment the image first."
        )
    return Objects(**vars(whole), middles=_middles(kept or _runs_of(field), whole))


def _runs_of(field: Field) -> Iterator[tuple[int, Runs]]:
    """Frame and runs of each tile."""
    sides = tile_sides(field.shape, field.label_chunks())
    for frame in range(field.n_frames):
        for box in tiles(field.shape, sides):
            yield frame, label_runs(field.read_labels(frame, box), tuple(e.start for e in box))


def _middles(runs_of_tiles: Iterable[tuple[int, Runs]], objects: Parts) -> npt.NDArray[np.float64]:
    """The centroid of each object, or its nearest pixel where the centroid is outside of it."""
    centroids = objects.centroids
    # A centroid between two pixels may be rounded to either one after conversion to the world and
    # back, so both have to be of the object.
    low, high = (np.floor(centroids + 0.5 + way).astype(np.int64) for way in (-ROUNDING, ROUNDING))
    middles, least = high.astype(np.float64), np.full(len(objects), np.inf)
    n_own = np.zeros(len(objects), np.int64)
    for frame, runs in runs_of_tiles:
        begin, end = np.searchsorted(objects.frame, [frame, frame + 1])
        rows = begin + np.searchsorted(objects.label[begin:end], runs.label)
        start, last = runs.start[:, -1], runs.start[:, -1] + runs.length - 1
        covered = np.minimum(last, high[rows, -1]) - np.maximum(start, low[rows, -1]) + 1
        beside = (low[rows, :-1] <= runs.start[:, :-1]) & (runs.start[:, :-1] <= high[rows, :-1])
        np.add.at(n_own, rows, np.where(beside.all(axis=1), np.maximum(covered, 0), 0))
        pixels = runs.start.astype(np.float64)
        pixels[:, -1] = np.clip(high[rows, -1], start, last)
        is_there = (pixels == high[rows]).all(axis=1)
        distance = np.where(is_there, -1.0, ((pixels - centroids[rows]) ** 2).sum(axis=1))
        order = np.lexsort([distance, rows])
        found, first = np.unique(rows[order], return_index=True)
        nearest = order[first]
        is_nearer = distance[nearest] < least[found]
        least[found[is_nearer]] = distance[nearest[is_nearer]]
        middles[found[is_nearer]] = pixels[nearest[is_nearer]]
    inside = n_own == (high - low + 1).prod(axis=1)
    return np.where(inside[:, np.newaxis], centroids, middles)


def _check_not_negative(label: Array) -> None:
    if label.dtype.kind == "i" and len(label) and label.min() < 0:
        raise InvalidInputError(
            f"labels must be 0 (background) or larger; got {label.min()}. Set pixels to ignore to "
            "0."
        )


def _as_parts(runs: Runs, frame: int) -> Parts:
    """Each run as an object."""
    last = runs.start.copy()
    last[:, -1] += runs.length - 1
    sums = runs.start * runs.length[:, np.newaxis]
    sums[:, -1] += runs.length * (runs.length - 1) // 2
    frames = np.full(len(runs.label), frame, np.int64)
    return Parts(frames, runs.label, runs.length, sums, runs.start, last)


def _concatenated(parts: list[Parts]) -> Parts:
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return Parts(*(np.concatenate(column) for column in columns))


def _merged(parts: Parts) -> Parts:
    """One object for each frame and label, summed over its parts."""
    if len(parts) == 0:
        return parts
    parts = parts.take(np.lexsort([parts.label, parts.frame]))
    new = np.ones(len(parts), bool)
    new[1:] = (np.diff(parts.frame) != 0) | (parts.label[1:] != parts.label[:-1])
    starts = np.flatnonzero(new)
    return Parts(
        parts.frame[starts],
        parts.label[starts],
        np.add.reduceat(parts.n_pixels, starts),
        np.add.reduceat(parts.sums, starts),
        np.minimum.reduceat(parts.first, starts),
        np.maximum.reduceat(parts.last, starts),
    )
