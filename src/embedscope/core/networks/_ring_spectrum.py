"""Numbers of a picture that do not change when it is turned or mirrored about its middle.

On a ring around the middle a turn shifts the values along the ring. It changes the phases of their
Fourier components, not their magnitudes; mirroring changes the signs of the phases. So the
magnitudes, for each ring and channel, are the same for all copies: exactly after turns by 90
degrees and mirroring, and up to interpolation after other turns.

Relative phases of rings and channels add information that turns do not change either. On Jurkat
cells they made neighbours no better.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from embedscope.core.arrays._principal_axes import principal_axes
from embedscope.core.networks._tensorflow import keras, tf

_MOST_RINGS = 12
_MOST_ORDERS = 8  # components on a ring: 0, the mean, to 7
_ANGLES = 32  # a multiple of 4, so that a turn by 90 degrees shifts whole steps
_SMALLEST = 1e-12  # under the root, so that its gradient is finite


@keras.saving.register_keras_serializable(package="embedscope")
class RingSpectrum(keras.layers.Layer):
    """Leading principal components of the magnitudes on rings; nothing is trained.

    Input of shape (n, [depth,] height, width, n_channels), output of shape (n, n_components). The
    planes of a volume count as channels.

    Parameters
    ----------
    n_components : int
    blur_px : float
        Standard deviation of a blur of the pictures before, in pixels; 0 for none.
    """

    def __init__(self, n_components: int, blur_px: float, **options: Any) -> None:
        super().__init__(**{"trainable": False} | options)
        self.n_components = n_components
        self.blur_px = blur_px

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights: the components are zero until `fit`."""
        *planes, height, width, n_channels = (int(size or 1) for size in input_shape[1:])
        self._basis = _ring_basis(height, width, self.blur_px)
        n_magnitudes = self._basis.shape[2] * n_channels * int(np.prod(planes))
        for name, shape in (
            ("mean", (n_magnitudes,)),
            ("axes", (n_magnitudes, self.n_components)),
        ):
            weight = self.add_weight(shape, "zeros", trainable=False, dtype="float32", name=name)
            setattr(self, name, weight)
        self.built = True

    def call(self, pictures: Any) -> Any:
        """The components of the pictures' magnitudes."""
        return (self.magnitudes(pictures) - self.mean) @ self.axes

    def magnitudes(self, pictures: Any) -> Any:
        """Magnitudes of the Fourier components on rings, shape (n, n_magnitudes)."""
        *planes, height, width, n_channels = (int(size) for size in pictures.shape[1:])
        n_series = int(np.prod(planes)) * n_channels
        flat = tf.reshape(pictures, (-1, int(np.prod(planes)), height * width, n_channels))
        # As a plain matrix: TensorFlow's product of a batch with one matrix has crashed.
        flat = tf.reshape(tf.transpose(flat, (0, 1, 3, 2)), (-1, height * width))
        real, imaginary = flat @ self._basis[0], flat @ self._basis[1]
        power = tf.square(real) + tf.square(imaginary)
        return tf.reshape(tf.sqrt(power + _SMALLEST), (-1, n_series * self._basis.shape[2]))

    def fit(self, magnitudes: np.ndarray) -> None:
        """Choose the components of these magnitudes; their mean square becomes 1."""
        mean = magnitudes.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = magnitudes - mean
        axes = principal_axes(centred, self.n_components)
        scale = float(np.sqrt(np.square(centred @ axes, dtype=np.float64).mean())) or 1.0
        self.set_weights([mean, axes / np.float32(scale)])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """A number for each component."""
        return (input_shape[0], self.n_components)

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer."""
        own = {"n_components": self.n_components, "blur_px": self.blur_px}
        return super().get_config() | own


def count_magnitudes(shape: tuple[int, ...]) -> int:
    """Magnitudes of a sample of this shape."""
    *planes, height, width, n_channels = shape
    rings, orders = _sizes(height, width)
    return rings * orders * n_channels * int(np.prod(planes))


def _sizes(height: int, width: int) -> tuple[int, int]:
    """How many rings, two pixels wide or wider, and components on each."""
    shorter = min(height, width)
    rings = max(1, min(_MOST_RINGS, shorter // 4))
    return rings, max(1, min(_MOST_ORDERS, shorter // 2))


def _ring_basis(height: int, width: int, blur_px: float) -> np.ndarray:
    """Real and imaginary parts of the components as weights of the pixels.

    Shape (2, height * width, n_rings * n_orders), float32. Outside of the picture is zero.
    """
    rings, orders = _sizes(height, width)
    radii = (np.arange(rings) + 0.5) * (min(height, width) / 2 / rings)
    angles = 2 * np.pi * np.arange(_ANGLES) / _ANGLES
    at_ring = np.zeros((rings, _ANGLES, height, width))
    for ring, angle in np.ndindex(rings, _ANGLES):
        y = (height - 1) / 2 + radii[ring] * np.sin(angles[angle])
        x = (width - 1) / 2 + radii[ring] * np.cos(angles[angle])
        for row in (int(np.floor(y)), int(np.floor(y)) + 1):
            for column in (int(np.floor(x)), int(np.floor(x)) + 1):
                if 0 <= row < height and 0 <= column < width:
                    at_ring[ring, angle, row, column] += (1 - abs(y - row)) * (1 - abs(x - column))
    waves = np.exp(-1j * np.outer(np.arange(orders), angles)) / _ANGLES
    waves[1:] *= np.sqrt(2.0)  # for the components of negative order, which are equal
    # The outermost rings count less, since what lies there changes most if a picture is shifted.
    # A broader slope lost the size of cells: Jurkat cells told the phase with .625, not .650.
    weights = np.sqrt(radii) * (1.0 - ((np.arange(rings) + 0.5) / rings) ** 8)
    basis = np.einsum("ka,rahw->rkhw", waves, at_ring) * weights[:, None, None, None]
    parts = np.stack([basis.real, basis.imag])
    if blur_px:
        parts = gaussian_filter(parts, (0, 0, 0, blur_px, blur_px))
    return np.ascontiguousarray(
        parts.reshape(2, rings * orders, height * width).transpose(0, 2, 1), dtype=np.float32
    )
