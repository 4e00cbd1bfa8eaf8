"""Bring each channel of a set of images to 0..1, the same way for every image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError


@dataclass(frozen=True, eq=False)
class ChannelScale:
    """The intensities of each channel that become 0 and 1.

    Measured once, on the images that a model is trained on, and applied to every later image, so
    that equal cells stay equal.

    Attributes
    ----------
    low, high : ndarray of shape (n_channels,), float64
        Intensities that become 0 and 1. Beyond them, values are clipped.
    """

    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    @classmethod
    def from_images(
        cls, images: npt.NDArray[Any], percentiles: tuple[float, float] = (0.1, 99.9)
    ) -> ChannelScale:
        """Measure the scale on a whole set of images.

        Parameters
        ----------
        images : ndarray of shape (n_images, ..., n_channels)
            Finite intensities, channels last.
        percentiles : tuple of float
            The percentiles, over all images, that become 0 and 1; 0 <= low < high <= 100.

        Raises
        ------
        InvalidInputError
            If images are empty or not finite, or the percentiles are not in order.
        """
        low, high = percentiles
        if not 0 <= low < high <= 100:
            raise InvalidInputError(
                f"percentiles must be two rising numbers in 0..100; got {percentiles}. Use for "
                "example (0.1, 99.9)."
            )
        if images.ndim < 2 or images.size == 0 or not np.isfinite(images).all():
            raise InvalidInputError(
                "images must be a non-empty array (n_images, ..., n_channels) of finite numbers; "
                f"got shape {images.shape}. Drop or mend images with NaN or infinite pixels."
            )
        values = images.reshape(-1, images.shape[-1])
        ends = np.percentile(values, percentiles, axis=0)
        return cls(low=ends[0], high=ends[1])

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
        span = self.high - self.low
        # A constant channel has no range: any divisor gives 0 below, and 1 keeps it finite.
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
    ChannelScale : keeps the range, to scale later images alike.
    """
    return ChannelScale.from_images(images, percentiles).apply(images)
