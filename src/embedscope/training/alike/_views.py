"""Views of pictures: the same cell turned, mirrored, shifted, lit differently and out of focus.

All views of a batch are made by one call for each kind of change.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope.core.networks import tf

_SHIFT = 0.05  # of the shorter side, at most
_NOISE = 0.1  # standard deviations of a channel
_MOST_NOISES, _FEWEST_NOISES, _NOISE_VALUES = 256, 16, 2**22  # pictures of noise, and their values
_BLUR = np.outer((1, 2, 1), (1, 2, 1)) / 16.0


class Views:
    """Makes a random view of each picture of a batch, on the device that trains.

    Parameters
    ----------
    height, width : int
    n_channels : int
        Those of the picture times the planes of a volume.
    deviations : ndarray of shape (n_channels,), float32
        Standard deviation of each channel over all pictures.
    changes : ndarray of shape (n_lit,), float32
        How much the light of each channel may change: the logarithm of the largest factor of its
        contrast, and the largest shift of its brightness in standard deviations. The planes of a
        volume, which come channel by channel for each plane, are lit alike.
    """

    def __init__(
        self, height: int, width: int, n_channels: int, deviations: np.ndarray, changes: np.ndarray
    ) -> None:
        self._shape = (height, width)
        self._n_lit, self._n_planes = len(changes), n_channels // len(changes)
        self._changes = tf.constant(changes)
        self._deviations = tf.constant(deviations)
        kernel = np.repeat(_BLUR[:, :, None, None], n_channels, axis=2)
        self._kernel = tf.constant(kernel.astype(np.float32))
        # Drawn once: new noise for each view took a seventh of the training.
        self._n_noises = int(
            np.clip(_NOISE_VALUES // (height * width * n_channels), _FEWEST_NOISES, _MOST_NOISES)
        )
        shape = (self._n_noises, height, width, n_channels)
        noise = np.random.default_rng(0).standard_normal(shape, np.float32)
        self._noises = tf.constant(noise * (_NOISE * deviations))

    def __call__(self, pictures: Any, seed: Any) -> Any:
        """A view of each picture.

        Parameters
        ----------
        pictures : tensor of shape (n, height, width, n_channels)
        seed : tensor of shape (2,), int32

        Returns
        -------
        tensor of the same shape
        """
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 5))
        view = self._blurred(self.moved(pictures, seeds[0]), seeds[1])
        view = self._lit(view, seeds[2], seeds[3])
        drawn = tf.random.stateless_uniform(
            (tf.shape(view)[0],), seeds[4], 0, self._n_noises, dtype=tf.int32
        )
        return view + tf.gather(self._noises, drawn)

    def moved(self, pictures: Any, seed: Any) -> Any:
        """Turned by any angle, mirrored and shifted; beyond its border a picture is mirrored."""
        height, width = self._shape
        n = tf.shape(pictures)[0]
        drawn = tf.random.stateless_uniform((4, n), seed)
        angle = 2.0 * np.pi * drawn[0]
        mirror = tf.where(drawn[1] < 0.5, -1.0, 1.0)
        shift = (2.0 * drawn[2:] - 1.0) * _SHIFT * min(height, width)
        cosine, sine = tf.cos(angle), tf.sin(angle)
        across, down = (width - 1) / 2, (height - 1) / 2
        right, below = (mirror * cosine, -sine), (mirror * sine, cosine)
        zero = tf.zeros((n,))
        # Each row: where in the picture (x, y) of the view lies, for the two axes.
        affine = tf.stack(
            [
                *right,
                across - right[0] * across - right[1] * down + shift[0],
                *below,
                down - below[0] * across - below[1] * down + shift[1],
                zero,
                zero,
            ],
            axis=1,
        )
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=pictures,
            transforms=affine,
            output_shape=self._shape,
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="REFLECT",
        )

    def _blurred(self, pictures: Any, seed: Any) -> Any:
        """Mixed with a blurred copy, in a random ratio."""
        blurred = tf.nn.depthwise_conv2d(pictures, self._kernel, (1, 1, 1, 1), "SAME")
        share = tf.random.stateless_uniform((tf.shape(pictures)[0], 1, 1, 1), seed)
        return pictures + share * (blurred - pictures)

    def _lit(self, pictures: Any, gain_seed: Any, offset_seed: Any) -> Any:
        """Contrast and brightness changed, for each channel by itself."""
        shape = (tf.shape(pictures)[0], 1, 1, self._n_lit)

        def drawn(seed: Any) -> Any:
            values = self._changes * tf.random.stateless_uniform(shape, seed, -1.0, 1.0)
            return tf.tile(values, (1, 1, 1, self._n_planes))

        return pictures * tf.exp(drawn(gain_seed)) + drawn(offset_seed) * self._deviations
