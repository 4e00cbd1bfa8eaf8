"""The spread of unseen samples around the typical sample of a point, and its picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

_N_POSITIONS = 64  # enough pixels for a percentile; decoded in a few hundredths of a second
_WHITE_PERCENTILE = 99.0

Measure = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]


class MapSpread:
    """The spread of one map: the standard deviation of unseen samples around the typical one.

    Parameters
    ----------
    measure : callable
        ``measure(points)`` gives it for points of shape (n_points, 2), in the shape of samples.
    embedding : ndarray of shape (n_samples, 2), float
        Positions of the training samples, which set the scale of the pictures.

    Notes
    -----
    A picture is grey: black is a standard deviation of 0, white one of `white` or more. Channels
    are combined by the root of their mean variance, depth by its maximum. There is one `white` for
    a map, so that two of its points can be compared: the 99th percentile over the pixels at the
    positions of 64 training samples, taken evenly along the rows.
    """

    def __init__(self, measure: Measure, embedding: npt.NDArray[Any]) -> None:
        self._measure = measure
        self._embedding = embedding

    def __call__(self, points: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The spread at points, shape (n_points, *sample_shape), in the units of the data."""
        return np.asarray(self._measure(points), dtype=np.float32)

    def picture(self, spread: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """The spread at one point, shape ([z,] h, w, channels), as a picture of shape (h, w, 3)."""
        flat = flatten_spread(spread)
        # If the spread is 0 everywhere, the picture is black.
        shares = flat / self.white if self.white > 0 else np.zeros_like(flat)
        grey = np.rint(255 * np.clip(shares, 0.0, 1.0)).astype(np.uint8)
        return np.repeat(grey[..., np.newaxis], 3, axis=-1)

    @cached_property
    def white(self) -> float:
        """The standard deviation that is shown white, in the units of the data."""
        rows = np.linspace(0, len(self._embedding) - 1, min(_N_POSITIONS, len(self._embedding)))
        spreads = self(self._embedding[rows.astype(np.int64)])
        pixels = np.concatenate([flatten_spread(each).ravel() for each in spreads])
        return float(np.percentile(pixels, _WHITE_PERCENTILE))


def flatten_spread(spread: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """One number for each pixel, shape (h, w), of the spread of a picture or a volume."""
    joined = np.nan_to_num(np.sqrt(np.mean(np.square(spread), axis=-1)))
    return np.asarray(joined.max(axis=0) if joined.ndim == 3 else joined)
