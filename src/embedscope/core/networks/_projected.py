"""Train a fully connected encoder on principal components, and fold the projection into it.

A dense first layer on 784 pixels is most of the work of a small network, and most of its input is
noise. So the built-in encoders are trained on the leading principal components, and their axes are
multiplied into the first layer's weights afterwards. The user's network takes the original data,
and this step approximates nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from embedscope.core.arrays._principal_axes import axes_step, principal_axes
from embedscope.core.arrays._rows import Rows, dense_if_small
from embedscope.core.arrays._sources import Source
from embedscope.core.networks._networks import dense_encoder
from embedscope.core.networks._tensorflow import keras

_MOST_AXES = 128  # principal components that the encoder is trained on; see docs/solver.md
_BLOCK_ROWS = 8_192  # centred at a time


@dataclass(frozen=True)
class Projection:
    """An affine map to principal components.

    Attributes
    ----------
    mean : ndarray of shape (n_features,), float32
    axes : ndarray of shape (n_features, n_axes), float32
        Orthonormal columns.
    scale : float
        Multiplies all components, so that the first has unit variance.
    """

    mean: np.ndarray
    axes: np.ndarray
    scale: float

    def apply(self, rows: Rows) -> Rows:
        """The samples as principal components."""
        to_components = self.axes * self.scale
        offset = self.mean @ to_components
        shape = (self.axes.shape[1],)
        flat = rows.flat
        if isinstance(flat, Source):
            projected = np.empty((len(rows), *shape), np.float32)
            for block in flat.blocks():
                projected[block] = flat[block] @ to_components - offset
            return Rows(projected, shape, shape)
        projected = np.asarray(dense_if_small(flat) @ to_components - offset)
        return Rows(projected.astype(np.float32, copy=False), shape, shape)


def fit_projection(rows: Rows, n_axes: int = _MOST_AXES) -> Projection:
    """Principal axes of the samples, scaled so that a network trains well on any units.

    The components keep their relative sizes. With equal sizes the network fitted small differences
    sooner, and held-out samples worse.
    """
    flat = rows.flat
    if isinstance(flat, Source):  # read once more: the spread along the axis is that of these rows
        mean = flat.summary.mean
        flat = dense_if_small(flat[:: axes_step(*flat.shape)])
    else:
        flat = dense_if_small(flat)
        mean = flat.mean(axis=0, dtype=None if sparse.issparse(flat) else np.float64)
        mean = np.asarray(mean, dtype=np.float32).ravel()
    if sparse.issparse(flat):
        axes = _sparse_axes(flat, n_axes)
        components = flat @ axes[:, :1] - mean @ axes[:, :1]
    else:
        axes = principal_axes(flat[:: axes_step(*flat.shape)] - mean, n_axes)
        parts = (flat[start : start + _BLOCK_ROWS] for start in range(0, len(flat), _BLOCK_ROWS))
        components = np.concatenate([(part - mean) @ axes[:, :1] for part in parts])
    largest = float(components[:, 0].std(dtype=np.float64))
    return Projection(mean, axes, 1.0 / largest if largest > 0 else 1.0)


def _sparse_axes(flat: sparse.csr_matrix, n_axes: int) -> np.ndarray:
    """Leading right singular vectors. The data are not centred, so that they stay sparse."""
    from sklearn.utils.extmath import randomized_svd

    _, _, right = randomized_svd(flat, min(n_axes, *flat.shape), random_state=0)
    return np.ascontiguousarray(right.T, dtype=np.float32)


class ProjectedEncoder:
    """A dense encoder that trains on principal components.

    Parameters
    ----------
    encoder : keras.Sequential
        Made by `dense_encoder`. Its weights are read now if `continues`, and written by `fold`.
    projection : Projection
    continues : bool
        Continue from the encoder's weights instead of new ones.
    seed : int
        Seed of the new weights.
    """

    def __init__(self, encoder: Any, projection: Projection, *, continues: bool, seed: int) -> None:
        self._encoder = encoder
        self._projection = projection
        first, *others = _dense_layers(encoder)
        self.network = dense_encoder(
            (projection.axes.shape[1],),
            others[-1].units,
            [layer.units for layer in (first, *others[:-1])],
            seed,
        )
        self._unseen: Any = 0.0
        if continues:
            kernel, bias = first.get_weights()
            seen = projection.axes.T @ kernel
            # The part of the old first layer outside the components stays unchanged.
            self._unseen = kernel - projection.axes @ seen
            inner = _dense_layers(self.network)
            inner[0].set_weights([seen / projection.scale, bias + projection.mean @ kernel])
            for target, source in zip(inner[1:], others, strict=True):
                target.set_weights(source.get_weights())

    def whole(self) -> Any:
        """The trained network after the projection, as one network that takes samples."""
        shape = self._encoder.input_shape[1:]
        to_components = self._projection.axes * self._projection.scale
        projection = keras.layers.Dense(
            to_components.shape[1], kernel_initializer="zeros", trainable=False, name="projection"
        )
        whole = keras.Sequential(
            [keras.Input(shape), keras.layers.Flatten(), projection, *self.network.layers],
            name="encoder",
        )
        projection.set_weights([to_components, -self._projection.mean @ to_components])
        return whole

    def fold(self) -> Any:
        """Write the trained weights, multiplied by the projection, to the encoder; return it."""
        inner = _dense_layers(self.network)
        kernel, bias = inner[0].get_weights()
        whole = (self._projection.axes * self._projection.scale) @ kernel + self._unseen
        outer = _dense_layers(self._encoder)
        outer[0].set_weights([whole, bias - self._projection.mean @ whole])
        for target, source in zip(outer[1:], inner[1:], strict=True):
            target.set_weights(source.get_weights())
        return self._encoder


def _dense_layers(network: Any) -> list[Any]:
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
