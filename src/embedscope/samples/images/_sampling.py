"""Read crops from one region of an image that holds all of them, padded beyond the border."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from embedscope.samples.images._crop_geometry import CropGeometry
from embedscope.samples.images._crop_recipe import Padding

Array = npt.NDArray[Any]
ReadRegion = Callable[[tuple[slice, ...]], Array]


class UprightSampler:
    """Reads crops that are not rotated.

    Parameters
    ----------
    image_shape : tuple of int
        Length of each spatial axis in pixels.
    middles : ndarray of shape (n, d)
        Middles of the crops, moved to the nearest pixel of the crop.
    geometry : CropGeometry
    """

    def __init__(
        self, image_shape: tuple[int, ...], middles: Array, geometry: CropGeometry
    ) -> None:
        self._image_shape, self._geometry = image_shape, geometry
        self._edges = geometry.first_edges(middles)
        # One pixel more before the crop: coarse pixels are interpolated with their neighbours.
        is_scaled = np.array(geometry.zoom) != 1
        self._first = np.floor(self._edges).astype(np.int64) - is_scaled

    def pixels(self, read_region: ReadRegion, padding: Padding) -> Array:
        """Unchanged pixels of the image, from which crops can be drawn.

        Parameters
        ----------
        read_region : callable
            Reads a box of the image, channels last.
        padding : {"reflect", "zero"}
            Pixels beyond the border: the mirror image, or zeros.

        Returns
        -------
        ndarray of shape (n, *geometry.window, n_channels)
        """
        first, shape = self._first, self._geometry.window
        low = first.min(axis=0)
        region = _padded(read_region, self._image_shape, low, first.max(axis=0) + shape, padding)
        windows = sliding_window_view(region, shape, axis=tuple(range(len(shape))))
        crops: Array = np.moveaxis(windows, len(shape), -1)[tuple((first - low).T)]
        return crops

    def labels(self, read_region: ReadRegion) -> Array:
        """The same of labels, with 0 beyond the border."""
        return self.pixels(read_region, "zero")

    def drawn(self, pixels: Array) -> Array:
        """Crops of such pixels, of which depth may be projected already; in their dtype."""
        axes = range(-pixels.ndim + 2, 0)  # counted from the end, so without a projected depth
        scaled = [axis for axis in axes if self._geometry.zoom[axis] != 1]
        if not scaled:
            return pixels
        values = pixels.astype(_mean_dtype(pixels.dtype), copy=False)
        for axis in scaled:
            values = _weighted(values, axis - 1, self._weights(axis, values.dtype))
        return _as_dtype(values, pixels.dtype)

    def _weights(self, axis: int, dtype: Any) -> Array:
        """The weight of each pixel in each pixel of a crop: shape (n, side, window side)."""
        geometry = self._geometry
        zoom, side = geometry.zoom[axis], geometry.shape[axis]
        begin = self._edges[:, axis] - self._first[:, axis]
        edges = begin[:, np.newaxis, np.newaxis] + zoom * np.arange(side)[:, np.newaxis]
        pixel = np.arange(geometry.window[axis])
        if zoom > 1:  # the mean of what a pixel of the crop covers
            covered = np.minimum(edges + zoom, pixel + 1) - np.maximum(edges, pixel)
            weights = np.maximum(covered, 0) / zoom
        else:  # linear between the two nearest
            weights = np.maximum(0, 1 - np.abs(edges + zoom / 2 - (pixel + 0.5)))
        matrix: Array = weights.astype(dtype)
        return matrix


class TurnedSampler:
    """Reads crops that are rotated in the plane, interpolated linearly.

    Where the image is finer than the crop, several points are read for each pixel of the crop.

    Parameters
    ----------
    image_shape, middles, geometry
        As for `UprightSampler`; the middles are not moved in the plane.
    axes : ndarray of shape (n, 2)
        Unit vectors (row, column) that point down in the crops.
    """

    def __init__(
        self, image_shape: tuple[int, ...], middles: Array, geometry: CropGeometry, axes: Array
    ) -> None:
        self._image_shape = image_shape
        self._finer = tuple(max(1, round(step)) for step in geometry.zoom)
        self._grid = _turned_grid(middles, geometry, self._finer, axes)

    def pixels(self, read_region: ReadRegion, padding: Padding) -> npt.NDArray[np.float32]:
        """Interpolated pixels, from which crops can be drawn; see `UprightSampler.pixels`."""
        from scipy import ndimage

        region, low = _region_of(self._grid, read_region, self._image_shape, padding)
        local = self._grid - low.reshape(-1, *(1,) * (self._grid.ndim - 1))
        # scipy does not support float16, and the result of 64-bit pixels is float32 too.
        pixels = region.astype(np.float32, copy=False)
        channels = [
            ndimage.map_coordinates(pixels[..., c], local, np.float32, order=1, mode="nearest")
            for c in range(pixels.shape[-1])
        ]
        return np.stack(channels, axis=-1)

    def labels(self, read_region: ReadRegion) -> Array:
        """The label of the nearest pixel, with 0 beyond the border."""
        grid = np.rint(self._grid)
        region, low = _region_of(grid, read_region, self._image_shape, "zero")
        local = grid.astype(np.int64) - low.reshape(-1, *(1,) * (grid.ndim - 1))
        labels: Array = region[tuple(local)]
        return labels

    def drawn(self, pixels: Array) -> Array:
        """Crops of such pixels, of which depth may be projected already."""
        for axis in range(-pixels.ndim + 2, 0):
            if (finer := self._finer[axis]) > 1:
                split = np.moveaxis(pixels, axis - 1, -1)
                means = split.reshape(*split.shape[:-1], -1, finer).mean(axis=-1)
                pixels = np.moveaxis(means, -1, axis - 1)
        return pixels


def _weighted(values: Array, axis: int, weights: Array) -> Array:
    """Sums along an axis of each crop, weighted by the rows of its own matrix."""
    if values.dtype.kind == "f":  # a pixel of weight 0 may be infinite
        shape = [len(values), *(1,) * (values.ndim - 1)]
        shape[axis] = -1
        values = np.where(weights.any(axis=1).reshape(shape), values, 0)
    moved = np.moveaxis(values, axis, 1)
    flat = weights @ moved.reshape(*moved.shape[:2], -1)
    return np.moveaxis(flat.reshape(len(flat), -1, *moved.shape[2:]), 1, axis)


def _mean_dtype(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    """The dtype in which pixels are averaged without loss."""
    return np.float32 if dtype.itemsize <= 2 or dtype == np.float32 else np.float64


def _as_dtype(values: Array, dtype: np.dtype[Any]) -> Array:
    whole: Array = np.rint(values) if dtype.kind in "ui" else values
    return whole.astype(dtype, copy=False)


def _turned_grid(
    middles: Array, geometry: CropGeometry, finer: tuple[int, ...], axes: Array
) -> npt.NDArray[np.float64]:
    """Coordinates of the points that are read for every crop, shape (d, n, *points)."""
    points = tuple(side * k for side, k in zip(geometry.shape, finer, strict=True))
    steps = [zoom / k for zoom, k in zip(geometry.zoom, finer, strict=True)]
    indices = np.indices(points)
    down, across = ((indices[axis] - (points[axis] - 1) / 2) * steps[axis] for axis in (-2, -1))
    grid = np.empty((len(points), len(middles), *points))
    column = (slice(None), *(np.newaxis,) * len(points))
    row_axis, column_axis = axes[:, 0][column], axes[:, 1][column]
    grid[-2] = middles[:, -2][column] + down * row_axis - across * column_axis
    grid[-1] = middles[:, -1][column] + down * column_axis + across * row_axis
    if len(points) == 3:
        begin = geometry.first_edges(middles)[:, 0][column]
        grid[0] = begin + (indices[0] + 0.5) * steps[0] - 0.5
    return grid


def _region_of(
    grid: Array, read_region: ReadRegion, image_shape: tuple[int, ...], padding: Padding
) -> tuple[Array, npt.NDArray[np.int64]]:
    """The region that holds all coordinates of `grid`, and its first pixel."""
    flat = grid.reshape(len(grid), -1)
    low = np.floor(flat.min(axis=1)).astype(np.int64)
    high = np.floor(flat.max(axis=1)).astype(np.int64) + 2
    return _padded(read_region, image_shape, low, high, padding), low


def _padded(
    read_region: ReadRegion,
    image_shape: tuple[int, ...],
    low: npt.NDArray[np.int64],
    high: npt.NDArray[np.int64],
    padding: Padding,
) -> Array:
    """Pixels from `low` to before `high`, which may lie beyond the border."""
    indices = [np.arange(start, stop) for start, stop in zip(low, high, strict=True)]
    mirrored = [_mirrored(i, length) for i, length in zip(indices, image_shape, strict=True)]
    region = read_region(tuple(slice(int(i.min()), int(i.max()) + 1) for i in mirrored))
    for axis, (index, inner) in enumerate(zip(indices, mirrored, strict=True)):
        outside = index != inner
        if outside.any():
            region = np.take(region, inner - inner.min(), axis=axis)
            if padding == "zero":
                region[(slice(None),) * axis + (outside,)] = 0
    return region


def _mirrored(index: Array, length: int) -> Array:
    """Indices mirrored about the first and the last pixel until they lie in the image."""
    period = max(2 * (length - 1), 1)
    folded = np.abs(index) % period
    mirrored: Array = np.minimum(folded, period - folded)
    return mirrored
