"""How much the light of each channel may change without making another cell of it."""

from __future__ import annotations

import numpy as np

_TRANSMITTED = 1.0  # logarithm of the largest factor
_FLUORESCENCE = 0.05
_DARKER_SHARE = 0.1  # of the difference from the background, in a channel of transmitted light
_MOST = 1.0
_SMALLEST = 1e-6


def light_changes(pictures: np.ndarray, n_channels: int, source: np.ndarray) -> np.ndarray:
    """How much the brightness of each channel may vary between two views of a cell.

    Where cells are only brighter than the background, the light comes from the cell, and its amount
    is a measurement: little may change. Where they are darker too, it is the lamp's: much may
    change. Where sources differ in brightness, at least as much may change as they differ.

    Parameters
    ----------
    pictures : ndarray of shape (n, height, width, n_planes * n_channels), float32
        Less the mean of their border.
    n_channels : int
    source : ndarray of shape (n,), int
        The source of each picture.

    Returns
    -------
    ndarray of shape (n_channels,), float32
        The logarithm of the largest factor.
    """
    shape = (*pictures.shape[:3], -1, n_channels)
    channels = np.moveaxis(pictures.reshape(shape), -1, 0).reshape(n_channels, len(pictures), -1)
    return np.array([_change(values, source) for values in channels], np.float32)


def _change(values: np.ndarray, source: np.ndarray) -> float:
    darker = float(np.maximum(-values, 0.0).sum(dtype=np.float64))
    both = float(np.abs(values).sum(dtype=np.float64))
    if darker > _DARKER_SHARE * both:
        return _TRANSMITTED
    brightness = np.quantile(values, 0.95, axis=1)
    medians = [np.median(brightness[source == one]) for one in np.unique(source)]
    logs = np.log(np.maximum(medians, _SMALLEST))
    # A uniform variable within +-s has a standard deviation of s / sqrt(3).
    return float(np.clip(np.sqrt(3.0) * logs.std(), _FLUORESCENCE, _MOST))
