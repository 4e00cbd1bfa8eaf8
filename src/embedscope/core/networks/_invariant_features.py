"""Learned features of a picture that do not change when it is turned by quarters or mirrored.

A stack of convolutions reads the picture in each orientation, and the mean over the orientations is
the feature. So turned and mirrored copies have the same features by construction, whatever the
convolutions have learned: exactly for square pictures; pictures that are not square have four
orientations instead of eight. The weights are set from a network that was trained by contrast
(`training.alike`), and stay as they are.

Beside them stand the mean and the deviation of each channel on rings around the middle: how bright
and how large a cell is, which contrast alone does not keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from embedscope.core.networks._tensorflow import keras, tf

_MOST_RINGS = 20
_SMALLEST = 1e-8


@keras.saving.register_keras_serializable(package="embedscope")
class InvariantFeatures(keras.layers.Layer):
    """Convolutions with relu, their mean and maximum over the picture, rings, and a linear map.

    Input of shape (n, [depth,] height, width, n_channels), output of shape (n, n_features). The
    planes of a volume count as channels. Nothing is trained.

    Parameters
    ----------
    pool : int
        Pixels of a picture that are averaged along both axes, before all else.
    convolutions : sequence of (kernel size, stride, filters)
        From the first to the last.
    n_features : int
    """

    def __init__(
        self,
        pool: int,
        convolutions: Sequence[tuple[int, int, int]],
        n_features: int,
        **options: Any,
    ) -> None:
        super().__init__(**{**options, "trainable": False})
        self.pool = pool
        self.convolutions = [tuple(each) for each in convolutions]
        self.n_features = n_features

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights, which are zero until they are set."""
        *planes, height, width, n_channels = (int(size or 1) for size in input_shape[1:])
        n_inputs = n_channels * int(np.prod(planes))
        self._rings = _ring_shares(-(-height // self.pool), -(-width // self.pool))
        self.n_on_rings = 2 * len(self._rings) * n_inputs

        def weight(name: str, shape: tuple[int, ...]) -> Any:
            return self.add_weight(shape, "zeros", trainable=False, dtype="float32", name=name)

        self._center = weight("center", (n_inputs,))
        self._kernels, self._biases = [], []
        for number, (size, _, filters) in enumerate(self.convolutions):
            self._kernels.append(weight(f"kernel_{number}", (size, size, n_inputs, filters)))
            self._biases.append(weight(f"bias_{number}", (filters,)))
            n_inputs = filters
        n_outputs = 2 * n_inputs + self.n_on_rings
        self._axes = weight("axes", (n_outputs, self.n_features))
        self._offset = weight("offset", (self.n_features,))
        self.built = True

    def call(self, pictures: Any) -> Any:
        """The features."""
        return self.project(self.read(pictures))

    def read(self, pictures: Any) -> Any:
        """The output of the convolutions, the mean over all orientations, then the rings."""
        return self.read_flat(as_flat_pictures(pictures, self.pool))

    def read_flat(self, flat: Any) -> Any:
        """What `read` gives for pictures that `as_flat_pictures` has made flat."""
        copies = _orientations(flat.shape[1] == flat.shape[2])
        total: Any = self._read(copies[0](flat))
        for turn in copies[1:]:
            # One orientation at a time: the feature maps of eight would take much memory.
            with tf.control_dependencies([total]):
                total = total + self._read(turn(tf.identity(flat)))
        return tf.concat([total / len(copies), self._on_rings(flat)], axis=1)

    def project(self, outputs: Any) -> Any:
        """The features, by the linear map from the output of `read`."""
        return outputs @ self._axes + self._offset

    def set_convolutions(
        self, center: np.ndarray, convolutions: Sequence[tuple[np.ndarray, np.ndarray]]
    ) -> None:
        """Set the mean pixel, and the kernel and the bias of each convolution."""
        self._center.assign(center)
        for (kernel, bias), *own in zip(convolutions, self._kernels, self._biases, strict=True):
            own[0].assign(kernel)
            own[1].assign(bias)

    def set_axes(self, axes: np.ndarray, offset: np.ndarray) -> None:
        """Set the linear map from the output of `read` to the features."""
        self._axes.assign(axes)
        self._offset.assign(offset)

    def _read(self, pictures: Any) -> Any:
        maps = pictures - self._center  # so that the zeros around a picture are a mean pixel
        steps = zip(self._kernels, self._biases, self.convolutions, strict=True)
        for kernel, bias, (_, stride, _) in steps:
            maps = tf.nn.relu(
                tf.nn.conv2d(maps, tf.convert_to_tensor(kernel), stride, "SAME") + bias
            )
        return tf.concat([tf.reduce_mean(maps, (1, 2)), tf.reduce_max(maps, (1, 2))], axis=1)

    def _on_rings(self, pictures: Any) -> Any:
        """Mean and deviation on each ring, for each channel."""
        n_pixels, n_channels = self._rings.shape[1], pictures.shape[3]
        values = tf.reshape(pictures, (-1, n_pixels, n_channels))
        mean = tf.matmul(self._rings, values)
        square = tf.matmul(self._rings, tf.square(values))
        deviation = tf.sqrt(tf.maximum(square - tf.square(mean), 0.0) + _SMALLEST)
        # Further out a ring has more pixels.
        weights = np.sqrt(np.arange(len(self._rings), dtype=np.float32) + 0.5)[:, None]
        both = tf.concat([mean * weights, deviation * weights], axis=1)
        return tf.reshape(both, (-1, self.n_on_rings))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """A number for each feature."""
        return (input_shape[0], self.n_features)

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer."""
        own = {
            "pool": self.pool,
            "convolutions": self.convolutions,
            "n_features": self.n_features,
        }
        return super().get_config() | own


def as_flat_pictures(pictures: Any, pool: int) -> Any:
    """Pictures averaged by `pool`, less the mean of their border; the planes are channels.

    The brightness of the background says which image a cell is from, not what it is.
    """
    flat = pictures
    if len(flat.shape) == 5:
        depth, height, width, n_channels = flat.shape[1:]
        flat = tf.transpose(flat, (0, 2, 3, 1, 4))
        flat = tf.reshape(flat, (-1, height, width, depth * n_channels))
    if pool > 1:
        flat = tf.nn.avg_pool2d(flat, pool, pool, "SAME")
    height, width = flat.shape[1:3]
    is_border = np.ones((height, width, 1), np.float32)
    is_border[1:-1, 1:-1] = 0.0
    border = tf.reduce_sum(flat * (is_border / is_border.sum()), axis=(1, 2), keepdims=True)
    return flat - border


def _ring_shares(height: int, width: int) -> np.ndarray:
    """The share of each pixel in the mean of each ring, shape (n_rings, height * width).

    Rings are one pixel wide, or wider in large pictures, and reach to the nearer side.
    """
    # Twice the distance from the middle, in whole numbers: equal in all orientations.
    y, x = (2 * np.arange(size) - (size - 1) for size in (height, width))
    distance = np.sqrt(y[:, None] ** 2 + x**2) / 2
    reach = max(1.0, min(height, width) / 2)
    n_rings = int(min(_MOST_RINGS, reach))
    ring = np.floor(distance / reach * n_rings + _SMALLEST).astype(np.int64).ravel()
    is_in = (ring == np.arange(n_rings)[:, None]).astype(np.float32)
    shares: np.ndarray = is_in / np.maximum(is_in.sum(axis=1, keepdims=True), 1.0)
    return shares


def _orientations(is_square: bool) -> list[Any]:
    """Functions that turn and mirror pictures, all that keep their shape."""

    def turned(quarters: int, mirrored: bool) -> Any:
        def turn(pictures: Any) -> Any:
            if quarters % 2:
                pictures = tf.transpose(pictures, (0, 2, 1, 3))
            axes = [
                axis
                for axis, flips in ((1, quarters in (1, 2)), (2, (quarters in (2, 3)) ^ mirrored))
                if flips
            ]
            return tf.reverse(pictures, axes) if axes else pictures

        return turn

    quarters = (0, 1, 2, 3) if is_square else (0, 2)
    return [turned(each, mirrored) for each in quarters for mirrored in (False, True)]
