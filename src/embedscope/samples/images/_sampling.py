"""Read crops from one region of an image that holds all of them, padded beyond the border."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from embedscope.samples.images._crop_recipe import Padding

Array = npt.NDArray[Any]
ReadRegion = Callable[[tuple[slice, ...]], Array]


def upright_windows(
    read_region: ReadRegion,
    image_shape: tuple[int, ...],
    middles: Array,
    shape: tuple[int, ...],
    padding: Padding,
) -> Array:
    """Cut crops that are not rotated, with unchanged pixels.

    Parameters
    ----------
    read_region : callable
        Reads a box of the image, channels last.
    image_shape : tuple of int
        Length of each spatial axis in pixels.
    middles : ndarray of shape (n, d)
        Middles of the crops, rounded to whole pixels.
    shape : tuple of int
        Shape of a crop.
    padding : {"reflect", "zero"}
        Pixels beyond the border: the mirror image, or zeros.

    Returns
    -------
    ndarray of shape (n, *shape, n_channels)
    """
    first = first_pixels(middles, shape)
    low = first.min(axis=0)
    region = _padded(read_region, image_shape, low, first.max(axis=0) + shape, padding)
    windows = sliding_window_view(region, shape, axis=tuple(range(len(shape))))
    crops: Array = np.moveaxis(windows, len(shape), -1)[tuple((first - low).T)]
    return crops


def first_pixels(middles: Array, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """First pixel of each crop, whose pixel `side // 2` is the nearest to its middle."""
    first: npt.NDArray[np.int64] = np.floor(middles + 0.5).astype(np.int64) - np.array(shape) // 2
    return first


def interpolate(
    read_region: ReadRegion,
    image_shape: tuple[int, ...],
    middles: Array,
    shape: tuple[int, ...],
    axes: Array,
    padding: Padding,
) -> npt.NDArray[np.float32]:
    """Cut crops that are rotated in the plane, interpolated linearly.

    Parameters
    ----------
    read_region, image_shape, middles, shape, padding
        As `upright_windows`.
    axes : ndarray of shape (n, 2)
        Unit vectors (row, column) that point down in the crops.

    Returns
    -------
    ndarray of shape (n, *shape, n_channels), float32
    """
    from scipy import ndimage

    grid = _turned_grid(middles, shape, axes)
    region, low = _region_of(grid, read_region, image_shape, padding)
    local = grid - low.reshape(-1, *(1,) * (grid.ndim - 1))
    # scipy does not support float16, and the result of 64-bit pixels is float32 too.
    pixels = region.astype(np.float32, copy=False)
    channels = [
        ndimage.map_coordinates(pixels[..., channel], local, np.float32, order=1, mode="nearest")
        for channel in range(pixels.shape[-1])
    ]
    return np.stack(channels, axis=-1)


def nearest(
    read_region: ReadRegion,
    image_shape: tuple[int, ...],
    middles: Array,
    shape: tuple[int, ...],
    axes: Array,
    padding: Padding,
) -> Array:
    """Cut crops that are rotated in the plane, each pixel the nearest one of the image."""
    grid = np.rint(_turned_grid(middles, shape, axes))
    region, low = _region_of(grid, read_region, image_shape, padding)
    local = grid.astype(np.int64) - low.reshape(-1, *(1,) * (grid.ndim - 1))
    crops: Array = region[tuple(local)]
    return crops


def _turned_grid(middles: Array, shape: tuple[int, ...], axes: Array) -> npt.NDArray[np.float64]:
    """Coordinates of every crop's pixels, shape (d, n, *shape)."""
    halves = [(side - 1) / 2 for side in shape[-2:]]
    down, across = (
        offsets - half for offsets, half in zip(np.indices(shape)[-2:], halves, strict=True)
    )
    grid = np.empty((len(shape), len(middles), *shape))
    column = (slice(None), *(np.newaxis,) * len(shape))
    row_axis, column_axis = axes[:, 0][column], axes[:, 1][column]
    grid[-2] = middles[:, -2][column] + down * row_axis - across * column_axis
    grid[-1] = middles[:, -1][column] + down * column_axis + across * row_axis
    if len(shape) == 3:
        grid[0] = first_pixels(middles, shape)[:, 0][column] + np.indices(shape)[0]
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
