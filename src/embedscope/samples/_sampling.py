"""Read pixels at the places that a crop's own pixels have in the image."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Padding = Literal["reflect", "zero"]
Array = npt.NDArray[Any]


def upright_grid(centroid: Array, size: int) -> Array:
    """Rows and columns of a crop that is not turned: whole numbers of shape (2, size, size)."""
    first = np.floor(centroid + 0.5).astype(np.int64) - size // 2
    return np.mgrid[:size, :size] + first[:, np.newaxis, np.newaxis]


def turned_grid(centroid: Array, axis: Array, size: int) -> Array:
    """Rows and columns of a crop whose "down" is the direction `axis`, shape (2, size, size)."""
    down, across = np.mgrid[:size, :size] - (size - 1) / 2
    rows = centroid[0] + down * axis[0] - across * axis[1]
    columns = centroid[1] + down * axis[1] + across * axis[0]
    return np.stack([rows, columns])


def gather(pixels: Array, grid: Array, padding: Padding) -> Array:
    """Pixels at whole-numbered places, exactly as they are; padded beyond the border."""
    height, width = pixels.shape[:2]
    rows, columns = _reflected(grid[0], height), _reflected(grid[1], width)
    found: Array = pixels[rows, columns]
    if padding == "zero":
        found[~inside(grid, (height, width))] = 0
    return found


def interpolate(pixels: Array, grid: Array, padding: Padding) -> Array:
    """Pixels between whole-numbered places, interpolated linearly, float32."""
    mode = "mirror" if padding == "reflect" else "constant"
    channels = [
        ndimage.map_coordinates(pixels[..., channel], grid, np.float32, order=1, mode=mode)
        for channel in range(pixels.shape[2])
    ]
    return np.stack(channels, axis=-1)


def inside(grid: Array, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which places of whole-numbered `grid` lie in an image of this height and width."""
    rows, columns = grid
    within: npt.NDArray[np.bool_] = (
        (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
    )
    return within


def covers(label_image: Array, label_id: int, grid: Array) -> npt.NDArray[np.bool_]:
    """Which places of `grid` are the object's own; its mirror image beyond the border is not."""
    nearest = np.rint(grid).astype(np.int64)
    height, width = label_image.shape
    rows, columns = _reflected(nearest[0], height), _reflected(nearest[1], width)
    own: npt.NDArray[np.bool_] = label_image[rows, columns] == label_id
    return own & inside(nearest, (height, width))


def _reflected(index: Array, length: int) -> Array:
    """Indices mirrored about the first and the last pixel until they lie in the image."""
    period = max(2 * (length - 1), 1)
    folded = np.abs(index) % period
    mirrored: Array = np.minimum(folded, period - folded)
    return mirrored
