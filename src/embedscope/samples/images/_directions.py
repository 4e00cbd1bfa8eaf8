"""The direction of each object: its longest axis in the plane, towards the heavier end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.samples.images._field import Field
from embedscope.samples.images._objects import Objects, Runs, label_runs
from embedscope.samples.images._tiles import tile_sides, tiles

FloatArray = npt.NDArray[np.float64]

# Powers of (row, column) of the second and third moments.
_POWERS = ((2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3))


def longest_axes(field: Field, objects: Objects) -> FloatArray:
    """Direction of each object's largest spread over rows and columns.

    Parameters
    ----------
    field : Field
        The labels; of a volume, those of all planes together.
    objects : Objects
        All of its objects, as `find_objects` gives them.

    Returns
    -------
    ndarray of shape (n, 2), float64
        Unit vectors (row, column) that point to the heavier end. The direction of a round object
        is arbitrary.
    """
    moments = np.zeros((len(_POWERS), len(objects)))
    for rows, offsets in _pixels_of_objects(field, objects):
        for moment, (down, across) in zip(moments, _POWERS, strict=True):
            weights = offsets[:, 0] ** down * offsets[:, 1] ** across
            moment += np.bincount(rows, weights, minlength=len(objects))
    return _directed(moments)


def _directed(moments: FloatArray) -> FloatArray:
    yy, xy, xx, yyy, yyx, yxx, xxx = moments
    spread = np.stack([yy, xy, xy, xx], axis=-1).reshape(-1, 2, 2)
    axes: FloatArray = np.linalg.eigh(spread)[1][:, :, 1]
    down, across = axes.T
    # The third moment is positive towards the long tail; the heavy, blunt end is opposite.
    tail = down**3 * yyy + 3 * down**2 * across * yyx + 3 * down * across**2 * yxx + across**3 * xxx
    return np.where(tail <= 0, 1.0, -1.0)[:, np.newaxis] * axes


def _pixels_of_objects(
    field: Field, objects: Objects
) -> Iterator[tuple[npt.NDArray[np.intp], FloatArray]]:
    """For each tile: the object of each labelled pixel, and its offset from the centroid."""
    sides = tile_sides(field.shape, field.label_chunks())
    centroids = objects.centroids[:, -2:]
    for frame, box in product(range(field.n_frames), tiles(field.shape, sides)):
        runs = label_runs(field.read_labels(frame, box), tuple(side.start for side in box))
        begin, end = np.searchsorted(objects.frame, [frame, frame + 1])
        rows = begin + np.searchsorted(objects.label[begin:end], runs.label)
        rows = np.repeat(rows, runs.length)
        yield rows, _pixels(runs) - centroids[rows]


def _pixels(runs: Runs) -> npt.NDArray[Any]:
    """Row and column of every pixel of the runs."""
    pixels = np.repeat(runs.start[:, -2:], runs.length, axis=0)
    first = np.cumsum(runs.length) - runs.length
    pixels[:, 1] += np.arange(len(pixels)) - np.repeat(first, runs.length)
    return pixels
