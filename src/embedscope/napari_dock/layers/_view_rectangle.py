"""A rectangle drawn over the displayed slice, and the pixels of a layer that it touches.

In the data of a rotated or sheared layer, the rectangle is a parallelogram in the plane of the two
displayed axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.napari_dock.data._world import to_data

FloatArray = npt.NDArray[np.float64]

_READ_AT_ONCE = 2**22  # pixels
_MOST_PIXELS = 2**24  # of a pyramid; for more a coarser level is read
_THINNEST = 1e-6  # as a share of the longer side: a rectangle of no width still has an area


@dataclass(frozen=True)
class ViewRectangle:
    """Two opposite corners in the world, on a slice.

    Attributes
    ----------
    corner, opposite : tuple of float
        World coordinates along all axes of the viewer; those that are not displayed agree.
    displayed : tuple of two int
        Axes of the viewer that are displayed.
    units : tuple of pint.Unit or None
        Units of the world.
    """

    corner: tuple[float, ...]
    opposite: tuple[float, ...]
    displayed: tuple[int, int]
    units: Any = None

    def plane_of(self, layer: Any) -> Plane | None:
        """The rectangle in the data of a layer, in pixels of its finest level.

        Parameters
        ----------
        layer : napari.layers.Layer

        Returns
        -------
        Plane or None
            None if the layer does not have both displayed axes.
        """
        axes = [axis - (len(self.corner) - layer.ndim) for axis in self.displayed]
        if min(axes) < 0:
            return None
        start, end = np.array([self.corner, self.opposite], np.float64)
        shown = list(self.displayed)
        sides = end[shown] - start[shown]
        thinnest = _THINNEST * max(np.abs(sides).max(), _THINNEST)
        sides = np.where(np.abs(sides) < thinnest, thinnest, sides)
        places = []
        for along in ((0, 0), (1, 0), (0, 1)):
            place = start.copy()
            place[shown] += sides * along
            places.append(to_data(self.units, layer, place))
        origin, *ends = places
        edges = np.array([end[axes] - origin[axes] for end in ends])
        # Sorted, since slicing keeps the axes in their order.
        order = np.argsort(axes)
        return Plane((axes[order[0]], axes[order[1]]), origin, edges[:, order])


@dataclass(frozen=True, eq=False)
class Plane:
    """A parallelogram in two axes of some data, at one position along the others.

    Attributes
    ----------
    axes : tuple of two int
        In ascending order.
    origin : ndarray of shape (n_axes,), float64
        One corner, in pixels of the finest level.
    edges : ndarray of shape (2, 2), float64
        The two sides that begin at `origin`, along the two axes.
    """

    axes: tuple[int, int]
    origin: FloatArray
    edges: FloatArray

    def level_of(self, shapes: Sequence[tuple[int, ...]]) -> int:
        """The finest level of a pyramid with at most 16 million pixels to read."""
        for number, shape in enumerate(shapes[:-1]):
            sides = self._bounds(shape, self._scale(shape, shapes[0]))
            if np.prod([max(stop - start, 0) for start, stop in sides]) <= _MOST_PIXELS:
                return number
        return len(shapes) - 1

    def windows(
        self, shape: tuple[int, ...], finest: tuple[int, ...]
    ) -> Iterator[tuple[tuple[Any, ...], npt.NDArray[np.bool_]]]:
        """The parts of an array to read, and which pixels of each are touched.

        Parameters
        ----------
        shape : tuple of int
            Shape of the array, perhaps a level of a pyramid.
        finest : tuple of int
            Shape of the finest level.

        Yields
        ------
        key : tuple of int and slice
        touched : ndarray of two axes, bool
        """
        scale = self._scale(shape, finest)
        (top, bottom), (left, right) = self._bounds(shape, scale)
        key: list[Any] = [int(place) for place in np.floor(self.origin * scale + 0.5)]
        outside = any(
            not 0 <= place < side
            for axis, (place, side) in enumerate(zip(key, shape, strict=True))
            if axis not in self.axes
        )
        if outside or left >= right:
            return
        step = max(_READ_AT_ONCE // (right - left), 1)
        for start in range(top, bottom, step):
            stop = min(start + step, bottom)
            key[self.axes[0]], key[self.axes[1]] = slice(start, stop), slice(left, right)
            yield tuple(key), self._touched(np.arange(start, stop), np.arange(left, right), scale)

    def contains(self, places: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether points lie in the parallelogram, and in its slice.

        Parameters
        ----------
        places : ndarray of shape (n, n_axes), float64
            In pixels of the finest level.
        """
        others = [axis for axis in range(places.shape[1]) if axis not in self.axes]
        in_slice = np.abs(places[:, others] - self.origin[others]) <= 0.5
        along = (places[:, self.axes] - self.origin[list(self.axes)]) @ np.linalg.inv(self.edges)
        return np.asarray(in_slice.all(axis=1) & ((along >= 0) & (along <= 1)).all(axis=1))

    @staticmethod
    def _scale(shape: tuple[int, ...], finest: tuple[int, ...]) -> FloatArray:
        return np.array(shape, np.float64) / np.array(finest)

    def _bounds(self, shape: tuple[int, ...], scale: FloatArray) -> list[tuple[int, int]]:
        """The first pixel that can be touched, and one past the last, along both axes."""
        axes = list(self.axes)
        corners = (self.origin[axes] + np.array([(0, 0), (1, 0), (0, 1), (1, 1)]) @ self.edges) * (
            scale[axes]
        )
        first = np.maximum(np.floor(corners.min(axis=0) + 0.5), 0)
        stop = np.minimum(np.floor(corners.max(axis=0) + 0.5) + 1, np.array(shape)[axes])
        return [(int(low), int(high)) for low, high in zip(first, stop, strict=True)]

    def _touched(
        self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], scale: FloatArray
    ) -> npt.NDArray[np.bool_]:
        """Which pixels, squares around whole numbers, the parallelogram overlaps."""
        axes = list(self.axes)
        to_sides = np.linalg.inv(self.edges * scale[axes])
        touched = np.ones((len(rows), len(columns)), np.bool_)
        for down, across in to_sides.T:
            row, column = self.origin[axes] * scale[axes]
            along = down * (rows - row)[:, np.newaxis] + across * (columns - column)
            half_pixel = (abs(down) + abs(across)) / 2
            touched &= (along >= -half_pixel) & (along <= 1 + half_pixel)
        return touched
