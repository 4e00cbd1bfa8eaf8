"""Small RGB pictures of samples: the colour of each channel, and the projection of depth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._checks import check_side

Picture = npt.NDArray[np.uint8]

# Row c: the red, green and blue that channel c adds. Colour-blind users can distinguish magenta
# and green too, and the two add up to white where both channels are bright.
_COLORS = {
    1: np.array([[1, 1, 1]], np.float32),
    2: np.array([[1, 0, 1], [0, 1, 0]], np.float32),
    3: np.eye(3, dtype=np.float32),
}
_GLOWING = {1: _COLORS[2][:1], 2: _COLORS[2]}  # colours over a grey picture
_MOST_CHANNELS = 3  # a picture has red, green and blue
_TRANSMITTED = re.compile(r"bright|phase|transmi|\b(bf|dic|pc|td)\b", re.IGNORECASE)
_COVERED = 0.6  # share of the transmitted light that the brightest fluorescence covers


def to_picture(
    values: npt.NDArray[Any],
    channel_names: Sequence[str] = (),
    tables: Sequence[npt.NDArray[np.float64]] | None = None,
) -> Picture:
    """Colour one sample.

    Parameters
    ----------
    values : float array of shape (h, w, n_channels) or (z, h, w, n_channels)
        Intensities; 0 is black, 1 is full brightness. Other values are clipped, NaN is black.
    channel_names : sequence of str
        If the name of the first of several channels says transmitted light (brightfield, phase
        contrast, DIC), it is shown in grey, with the others over it in colours.
    tables : sequence of ndarray of shape (k, 3), optional
        The colours of each channel from dark to full, in 0..1, which are added.

    Returns
    -------
    ndarray of shape (h, w, 3), uint8
        One channel is grey, two are magenta and green, three red, green and blue; of more, the
        first three are shown. Of depth, the maximum is shown.

    Raises
    ------
    InvalidInputError
        If the sample has neither 3 nor 4 axes.
    """
    if values.ndim not in (3, 4):
        raise InvalidInputError(
            "sample must have the shape (h, w, channels) or (z, h, w, channels) to be shown; got "
            f"{values.shape}. Samples from a table have no picture."
        )
    flat = values.max(axis=0) if values.ndim == 4 else values
    shown = (flat if tables is not None else flat[..., :_MOST_CHANNELS]).astype(np.float32)
    shown = np.clip(np.nan_to_num(shown, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    if tables is not None:
        channels = np.moveaxis(shown, -1, 0)
        added = sum(_colored(*pair) for pair in zip(channels, tables, strict=True))
        colored = np.clip(added, 0, 1)
    elif shown.shape[-1] > 1 and begins_with_transmitted_light(channel_names):
        glow = shown[..., 1:]
        light = shown[..., :1] * (1.0 - _COVERED * glow.max(axis=-1, keepdims=True))
        colored = np.clip(light + glow @ _GLOWING[glow.shape[-1]], 0, 1)
    else:
        colored = np.clip(shown @ _COLORS[shown.shape[-1]], 0, 1)
    picture: Picture = np.rint(255 * colored).astype(np.uint8)
    return picture


def _colored(levels: npt.NDArray[Any], table: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """Levels 0..1 in the colours of a table, linear between them."""
    places = np.linspace(0, 1, len(table))
    return np.stack([np.interp(levels, places, column) for column in table.T], axis=-1)


def full_range(dtype: np.dtype[Any], brightest: float) -> float:
    """The intensity that is white in an RGB picture.

    Parameters
    ----------
    dtype : dtype
        Of its pixels.
    brightest : float
        An intensity near the largest: floats may be in 0..1 or a little above, and, as large
        integers, in the range of small ones.
    """
    if dtype in (np.uint8, np.uint16):
        return float(np.iinfo(dtype).max)
    known = (1.0, 255.0, 65535.0) if dtype.kind == "f" else (255.0, 65535.0)
    return next((full for full in known if brightest <= 1.5 * full), brightest)


def begins_with_transmitted_light(channel_names: Sequence[str]) -> bool:
    """Whether the first channel's name says brightfield, phase contrast or DIC."""
    return len(channel_names) > 0 and _TRANSMITTED.search(channel_names[0]) is not None


def resize_picture(picture: Picture, size_px: int) -> Picture:
    """Resize the longer side to `size_px`; pixels are repeated or left out, never interpolated."""
    side_px = check_side("size_px", size_px)
    height, width = picture.shape[:2]
    ratio = side_px / max(height, width)
    rows, columns = (_sampled(side, max(1, round(side * ratio))) for side in (height, width))
    return picture[rows[:, np.newaxis], columns]


def _sampled(side: int, wanted: int) -> npt.NDArray[np.intp]:
    """Indices of `wanted` pixels at equal distances along `side`."""
    return ((np.arange(wanted) + 0.5) * side / wanted).astype(np.intp)
