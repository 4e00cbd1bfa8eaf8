"""Where each labelled object lies, and which way it points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage


@dataclass(frozen=True, eq=False)
class Shape:
    """Place and direction of one labelled object.

    Attributes
    ----------
    label_id : int
        The object's label.
    bounding_box : tuple of int
        First row, first column, and one past the last row and column, in pixels.
    centroid : ndarray of shape (2,), float64
        Mean row and column of the object's pixels.
    axis : ndarray of shape (2,), float64
        Unit vector (row, column) along the longest axis, towards the heavier end.
    """

    label_id: int
    bounding_box: tuple[int, int, int, int]
    centroid: npt.NDArray[np.float64]
    axis: npt.NDArray[np.float64]


def measure_shapes(label_image: npt.NDArray[Any]) -> list[Shape]:
    """Measure every object of a 2D label image, by rising label id.

    Parameters
    ----------
    label_image : integer ndarray of shape (height, width)
        0 is background; ids may have gaps and be as large as their dtype allows.

    Returns
    -------
    list of Shape
        One per id other than 0.
    """
    # find_objects makes a list as long as the largest id, so ids are first numbered from one.
    ids, dense = np.unique(label_image, return_inverse=True)
    dense = dense.reshape(label_image.shape)
    if ids[0] == 0:
        ids = ids[1:]
    else:
        dense = dense + 1
    boxes = ndimage.find_objects(dense, max_label=len(ids))
    return [
        _measure(dense[box] == number, int(label_id), box)
        for number, (label_id, box) in enumerate(zip(ids, boxes, strict=True), start=1)
    ]


def _measure(mask: npt.NDArray[np.bool_], label_id: int, box: tuple[slice, slice]) -> Shape:
    """Centroid and longest axis of the object that `mask` covers inside `box`."""
    rows, columns = box
    points = np.argwhere(mask)
    centre = points.mean(axis=0)
    return Shape(
        label_id=label_id,
        bounding_box=(rows.start, columns.start, rows.stop, columns.stop),
        centroid=centre + np.array([rows.start, columns.start]),
        axis=_longest_axis(points - centre),
    )


def _longest_axis(offsets: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Direction of largest spread, pointing to the end with more weight far from the centre."""
    _, directions = np.linalg.eigh(offsets.T @ offsets)
    axis: npt.NDArray[np.float64] = directions[:, 1]
    along = offsets @ axis
    # The third moment is positive where the long tail lies; the heavy, blunt end is opposite.
    tail = float((along**3).sum())
    return axis if tail <= 0 else -axis
