"""Cells compared by measurements: shape, intensity, texture and profile from the middle outwards.

Every number is the same for a crop that is turned by a quarter or mirrored, and nearly the same for
any other angle. A number that depends on the direction, such as the angle of the long axis, is left
out. References: Ojala, Pietikäinen and Mäenpää, "Multiresolution gray-scale and rotation invariant
texture classification with local binary patterns", IEEE TPAMI 2002.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from embedscope._errors import MissingDependencyError

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

_BLOCK_VALUES = 2**21  # measured between two reports: some tenths of a second
_N_RINGS = 10  # of the profile, from the middle to the side of the crop
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BLURS_PX = (1.0, 2.0, 4.0)  # scales of the texture
_PATTERN_RADII_PX = (1, 2)
_N_PATTERNS = 10
_AROUND = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
_GREY_LEVELS = 255  # of the patterns, which compare whole numbers
_MOST_DEVIATIONS = 5.0  # a single odd value must not decide who is whose neighbour
_SHAPES = (
    "area",
    "perimeter",
    "eccentricity",
    "axis_major_length",
    "axis_minor_length",
    "solidity",
)


def measured_features(
    pictures: Floats,
    masks: Mask | None = None,
    report: Callable[[float], None] = lambda fraction: None,
) -> Floats:
    """Measure pictures, and standardise the measurements.

    Parameters
    ----------
    pictures : ndarray of shape (n, [depth,] height, width, n_channels), float32
        Values in 0..1. Of a volume the maximum along its depth is measured.
    masks : ndarray of shape (n, height, width), bool, optional
        Pixels of the object of each crop. By default those brighter than Otsu's threshold of the
        deviation from the crop's border; all, where these are none.
    report : callable
        Called with the fraction done, 0..1; may raise to stop.

    Returns
    -------
    ndarray of shape (n, n_measurements), float32
        Each has median 0, and half of its values within 0.67; further ones are cut at 5.
        Measurements that are equal for all samples are left out; if all are, one column of zeros
        remains.

    Raises
    ------
    MissingDependencyError
        If scikit-image is not installed.
    """
    flat = pictures.max(axis=1) if pictures.ndim == 5 else pictures
    step = max(1, _BLOCK_VALUES // int(np.prod(flat.shape[1:])))
    parts = []
    for start in range(0, len(flat), step):
        block = flat[start : start + step]
        own = object_masks(block) if masks is None else masks[start : start + step]
        parts.append(measurements(block, own))
        report(min(1.0, (start + step) / len(flat)))
    return standardised(np.concatenate(parts))


def measurements(pictures: Floats, masks: Mask) -> Floats:
    """Measure pictures, without standardising.

    Parameters
    ----------
    pictures : ndarray of shape (n, height, width, n_channels), float32
    masks : ndarray of shape (n, height, width), bool
        Where it is empty, the whole crop is the object.

    Returns
    -------
    ndarray of shape (n, n_measurements), float32
    """
    masks = masks | ~masks.any(axis=(1, 2), keepdims=True)
    columns = [_shapes(masks), *_profiles(pictures, masks)]
    for channel in range(pictures.shape[-1]):
        values = pictures[..., channel]
        columns += [_intensities(values, masks), _textures(values, masks)]
    columns.append(_correlations(pictures, masks))
    return np.concatenate(columns, axis=1).astype(np.float32)


def standardised(values: Floats) -> Floats:
    """Columns with median 0 and a robust deviation of 1; constant ones are left out."""
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, middle, high = np.quantile(finite, (0.25, 0.5, 0.75), axis=0)
    deviation = (high - low) / 1.349  # of normal values, the standard deviation
    # Of a column where most are equal, the quartiles are equal too.
    deviation = np.where(deviation > 1e-6, deviation, finite.std(axis=0))
    varies = deviation > 1e-6
    if not varies.any():
        return np.zeros((len(values), 1), np.float32)
    scaled = (finite[:, varies] - middle[varies]) / deviation[varies]
    return np.clip(scaled, -_MOST_DEVIATIONS, _MOST_DEVIATIONS).astype(np.float32)


def object_masks(pictures: Floats) -> Mask:
    """The object of each crop by Otsu's threshold: what differs from the crop's border.

    Parameters
    ----------
    pictures : ndarray of shape (n, height, width, n_channels), float32

    Returns
    -------
    ndarray of shape (n, height, width), bool
        Pixels that differ from the median of the border, over all channels. All are False for a
        constant crop.
    """
    filters = _skimage("filters")
    border = np.concatenate(
        [pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]], axis=1
    )
    middle = np.median(border, axis=1)[:, None, None, :]
    difference = np.abs(pictures - middle).max(axis=-1)
    difference = gaussian_filter(difference, (0.0, 1.0, 1.0))
    found = np.zeros(difference.shape, bool)
    for row, values in enumerate(difference):
        if np.ptp(values) > 1e-6:
            found[row] = values > filters.threshold_otsu(values)
    return found


def _shapes(masks: Mask) -> Any:
    """scikit-image's shape measurements, of all masks at a time."""
    measure = _skimage("measure")
    n, height, width = masks.shape
    # One tall picture, in which a gap keeps the masks apart.
    tall = np.zeros((n, height + 2, width + 2), np.int32)
    tall[:, 1:-1, 1:-1] = masks * np.arange(1, n + 1, dtype=np.int32)[:, None, None]
    table = measure.regionprops_table(tall.reshape(-1, width + 2), properties=_SHAPES)
    return np.stack([np.asarray(table[name], np.float64) for name in _SHAPES], axis=1)


def _profiles(pictures: Floats, masks: Mask) -> tuple[Any, Any]:
    """Mean and deviation on rings around the middle of the object, for each channel."""
    n, height, width, n_channels = pictures.shape
    ys, xs = np.arange(height), np.arange(width)
    areas = masks.sum(axis=(1, 2))
    middle_y = (masks * ys[:, None]).sum(axis=(1, 2)) / areas
    middle_x = (masks * xs).sum(axis=(1, 2)) / areas
    distance = np.hypot(
        ys[:, None] - middle_y[:, None, None], xs - middle_x[:, None, None]
    )  # (n, height, width)
    side = max(1.0, min(height, width) / 2)
    ring = np.minimum((distance * _N_RINGS / side + 1e-6).astype(np.int64), _N_RINGS)
    bins = (ring + (_N_RINGS + 1) * np.arange(n)[:, None, None]).ravel()
    size = n * (_N_RINGS + 1)
    counts = np.maximum(np.bincount(bins, minlength=size), 1)
    means, deviations = [], []
    for channel in range(n_channels):
        values = pictures[..., channel].ravel().astype(np.float64)
        mean = np.bincount(bins, values, size) / counts
        square = np.bincount(bins, values**2, size) / counts
        means.append(mean.reshape(n, -1)[:, :_N_RINGS])
        spread = np.sqrt(np.maximum(square - mean**2, 0.0))
        deviations.append(spread.reshape(n, -1)[:, :_N_RINGS])
    return np.concatenate(means, axis=1), np.concatenate(deviations, axis=1)


def _intensities(values: Floats, masks: Mask) -> Any:
    """Mean, deviation, skewness, quantiles and sum of the object's pixels, of one channel."""
    areas = masks.sum(axis=(1, 2))
    mean = (values * masks).sum(axis=(1, 2)) / areas
    away = np.where(masks, values - mean[:, None, None], 0.0)
    deviation = np.sqrt((away**2).sum(axis=(1, 2)) / areas)
    skewness = (away**3).sum(axis=(1, 2)) / areas / np.maximum(deviation, 1e-6) ** 3
    # Sorted with the other pixels at the end, the object's quantiles are at known places.
    ranked = np.sort(np.where(masks, values, np.inf).reshape(len(values), -1), axis=1)
    places = (np.array(_QUANTILES) * (areas[:, None] - 1)).round().astype(np.int64)
    quantiles = np.take_along_axis(ranked, places, axis=1)
    return np.column_stack([mean, deviation, skewness, quantiles, mean * areas])


def _textures(values: Floats, masks: Mask) -> Any:
    """Contrast at three scales, and how often each local binary pattern occurs."""
    areas = masks.sum(axis=(1, 2))
    columns: list[Any] = []
    finer = values
    for blur in _BLURS_PX:
        coarser = gaussian_filter(values, (0.0, blur, blur))
        detail = np.where(masks, finer - coarser, 0.0)
        columns.append(np.sqrt((detail**2).sum(axis=(1, 2)) / areas))
        finer = coarser
    rows = np.broadcast_to(np.arange(len(values))[:, None, None], masks.shape)[masks]
    # Rounded, so that sensor noise of less than a grey level makes no pattern.
    levels = np.clip(values * _GREY_LEVELS, 0, _GREY_LEVELS).astype(np.int16)
    for radius in _PATTERN_RADII_PX:
        patterns = _patterns(levels, radius)[masks]
        counts = np.bincount(rows * _N_PATTERNS + patterns, minlength=len(values) * _N_PATTERNS)
        columns.extend((counts.reshape(len(values), -1) / areas[:, None]).T)
    return np.column_stack(columns)


def _patterns(levels: npt.NDArray[np.int16], radius: int) -> npt.NDArray[np.int64]:
    """The uniform local binary pattern of each pixel, 0..9.

    Which of eight pixels around it are brighter: their number, if they are next to each other, else
    9. scikit-image interpolates the eight, and its rounding depends on the direction.
    """
    height, width = levels.shape[1:]
    padded = np.pad(levels, ((0, 0), (radius, radius), (radius, radius)), mode="symmetric")
    brighter = [
        padded[:, radius + y : radius + y + height, radius + x : radius + x + width] > levels
        for y, x in radius * np.array(_AROUND)
    ]
    number, changes = np.zeros(levels.shape, np.int64), np.zeros(levels.shape, np.int64)
    for one, following in zip(brighter, [*brighter[1:], brighter[0]], strict=True):
        number += one
        changes += one != following
    return np.where(changes <= 2, number, _N_PATTERNS - 1)


def _correlations(pictures: Floats, masks: Mask) -> Any:
    """Correlation of each pair of channels within the object."""
    areas = masks.sum(axis=(1, 2))[:, None]
    inside = pictures * masks[..., None]
    away = (inside - (inside.sum(axis=(1, 2)) / areas)[:, None, None]) * masks[..., None]
    deviation = np.sqrt((away**2).sum(axis=(1, 2)))
    n_channels = pictures.shape[-1]
    columns = [np.zeros((len(pictures), 0))]
    for one in range(n_channels):
        for other in range(one + 1, n_channels):
            product = (away[..., one] * away[..., other]).sum(axis=(1, 2))
            scale = np.maximum(deviation[:, one] * deviation[:, other], 1e-9)
            columns.append((product / scale)[:, None])
    return np.concatenate(columns, axis=1)


def _skimage(name: str) -> Any:
    """A package of scikit-image."""
    from importlib import import_module

    try:
        return import_module(f"skimage.{name}")
    except ImportError as error:
        raise MissingDependencyError(
            "alike='measurements' needs scikit-image; it is not installed. Run: pip install "
            '"embedscope[images]", or choose another value of alike.'
        ) from error
