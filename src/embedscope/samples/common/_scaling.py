"""Scale each channel of a set of images to 0..1, in the same way for every image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._checks import check_percentiles

MAX_MEASURED = 2**25
"""Values of a channel above which only every k-th image is measured, unless pixels are of 8 or 16
bits: a percentile sorts a copy of the values."""

BLOCK_VALUES = 2**22
"""Values scaled at a time: the float64 copy in between then takes 32 MB."""


@dataclass(frozen=True, eq=False)
class ChannelScale:
    """The intensities of each channel that become 0 and 1.

    Measured once, on the images that a model is trained on, and applied to every later image, so
    that equal cells get equal values.

    Attributes
    ----------
    low, high : ndarray of shape (n_channels,), float64
        Intensities that become 0 and 1. Values beyond them are clipped.
    """

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    @classmethod
    def from_images(
        cls,
        images: npt.NDArray[Any],
        percentiles: tuple[float, float] = (0.1, 99.9),
        *,
        together: bool = False,
    ) -> ChannelScale:
        """Measure the scale on a whole set of images.

        Parameters
        ----------
        images : ndarray of shape (n_images, ..., n_channels)
            Finite intensities, channels last.
        percentiles : tuple of float
            The percentiles, over all images, that become 0 and 1; 0 <= low < high <= 100.
        together : bool
            One scale for all channels, measured on them together: an RGB picture keeps its hues.

        Raises
        ------
        InvalidInputError
            If images are empty or not finite, or the percentiles are not in order.

        Notes
        -----
        Exact for 8- and 16-bit unsigned integers, and for others up to 33 million values a channel;
        of more, every k-th image is measured.
        """
        ends_asked = check_percentiles(percentiles)
        if images.ndim < 2 or images.size == 0 or not _all_finite(images):
            raise InvalidInputError(
                "images must be a non-empty array (n_images, ..., n_channels) of finite numbers; "
                f"got shape {images.shape}. Drop or repair images with NaN or infinite pixels."
            )
        n_channels = images.shape[-1]
        if together:
            ends = np.tile(_percentiles(images, ends_asked), (n_channels, 1))
        else:
            channels = (images[..., channel] for channel in range(n_channels))
            ends = np.array([_percentiles(channel, ends_asked) for channel in channels])
        return cls(low=ends[:, 0], high=ends[:, 1])

    def apply(self, images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Scale images to 0..1.

        Parameters
        ----------
        images : ndarray of shape (..., n_channels)
            As many channels as the scale has.

        Returns
        -------
        ndarray of the same shape, float32
            Values in 0..1; a channel that was constant becomes 0.

        Raises
        ------
        InvalidInputError
            If the number of channels differs.
        """
        if images.ndim < 1 or images.shape[-1] != len(self.low):
            raise InvalidInputError(
                f"images must have {len(self.low)} channels, last; got shape {images.shape}. Scale "
                "images with the same channels as the scale was measured on."
            )
        if images.ndim == 1 or images.size <= BLOCK_VALUES:
            return self._apply(images)
        scaled = np.empty(images.shape, np.float32)
        step = max(1, BLOCK_VALUES // (images.size // len(images)))
        for start in range(0, len(images), step):
            block = slice(start, start + step)
            scaled[block] = self._apply(images[block])
        return scaled

    def _apply(self, images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        span = self.high - self.low
        # A constant channel has no range: it becomes 0 below, and the divisor 1 keeps it finite.
        scaled = (images - self.low) / np.where(span > 0, span, 1.0)
        return np.clip(np.where(span > 0, scaled, 0.0), 0.0, 1.0).astype(np.float32)


def normalise_channels(
    images: npt.NDArray[Any], percentiles: tuple[float, float] = (0.1, 99.9)
) -> npt.NDArray[np.float32]:
    """Scale each channel to 0..1 between two percentiles of the whole set.

    Parameters
    ----------
    images : ndarray of shape (n_images, ..., n_channels)
        Finite intensities, channels last.
    percentiles : tuple of float
        The percentiles that become 0 and 1.

    Returns
    -------
    ndarray of the same shape, float32
        Values in 0..1.

    Raises
    ------
    InvalidInputError
        As `ChannelScale.from_images`.

    See Also
    --------
    ChannelScale : keeps the range, to scale later images in the same way.
    """
    return ChannelScale.from_images(images, percentiles).apply(images)


def _percentiles(values: npt.NDArray[Any], percentiles: tuple[float, float]) -> npt.NDArray[Any]:
    if values.dtype in (np.uint8, np.uint16):
        return _counted_percentiles(values, percentiles)
    step = -(-values.size // MAX_MEASURED)
    return np.asarray(np.percentile(values[::step], percentiles))


def _counted_percentiles(
    values: npt.NDArray[Any], percentiles: tuple[float, float]
) -> npt.NDArray[Any]:
    """Like numpy.percentile, but from a count of each grey level: without sorting or a copy."""
    counts = np.zeros(np.iinfo(values.dtype).max + 1, np.int64)
    step = max(1, BLOCK_VALUES // max(1, values.size // len(values)))
    for start in range(0, len(values), step):
        counts += np.bincount(values[start : start + step].ravel(), minlength=len(counts))
    last_rank = np.cumsum(counts) - 1  # of each grey level, in the sorted set
    rank = np.array(percentiles) / 100 * (values.size - 1)
    below, above = (np.searchsorted(last_rank, whole) for whole in (np.floor(rank), np.ceil(rank)))
    return below + (rank - np.floor(rank)) * (above - below)


def _all_finite(images: npt.NDArray[Any]) -> bool:
    if images.dtype.kind in "ui":
        return True
    # One image at a time: a mask of the whole set would take another quarter of its memory.
    return all(bool(np.isfinite(image).all()) for image in images)
