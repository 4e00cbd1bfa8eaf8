"""Training a fully connected encoder on principal components, and folding them back in.

A dense first layer on 784 pixels is most of the work of a small network, and most of what it sees
is noise. So the built-in encoders train on the leading principal components, and their axes are
multiplied into the first layer's weights afterwards: the network that the user gets takes the
data as they are, and nothing was approximated in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from scipy import sparse

from embedscope.core._networks import dense_encoder
from embedscope.core._projection import principal_axes
from embedscope.core._rows import Rows

_MOST_AXES = 128
_WHITENING = 0.25  # how far the components' spreads are evened out: 0 not at all, 1 entirely


@dataclass(frozen=True)
class Projection:
    """An affine map to scaled principal components.

    Attributes
    ----------
    mean : ndarray of shape (n_features,), float32
    axes : ndarray of shape (n_features, n_axes), float32
        Orthonormal columns.
    scale : ndarray of shape (n_axes,), float32
        Multiplies each component.
    """

    mean: np.ndarray
    axes: np.ndarray
    scale: np.ndarray

    def apply(self, rows: Rows) -> Rows:
        """The samples as scaled principal components."""
        to_components = self.axes * self.scale
        projected = np.asarray(rows.flat @ to_components - self.mean @ to_components)
        shape = (self.axes.shape[1],)
        return Rows(projected.astype(np.float32, copy=False), shape, shape)


def fit_projection(rows: Rows) -> Projection:
    """Principal axes of the samples, scaled so that a network trains well on any units."""
    flat = rows.flat
    if sparse.issparse(flat):
        mean = np.asarray(flat.mean(axis=0), dtype=np.float32).ravel()
        axes = _sparse_axes(flat, mean)
        components = flat @ axes - mean @ axes
    else:
        mean = flat.mean(axis=0, dtype=np.float64).astype(np.float32)
        centred = flat - mean
        axes = principal_axes(centred, _MOST_AXES)
        components = centred @ axes
    spread = components.std(axis=0, dtype=np.float64)
    largest = float(spread.max(initial=0.0)) or 1.0
    relative = np.maximum(spread / largest, 1e-3)
    scale = relative**-_WHITENING / largest
    return Projection(mean, axes, scale.astype(np.float32))


def _sparse_axes(flat: sparse.csr_matrix, mean: np.ndarray) -> np.ndarray:
    """Leading right singular vectors; the data stay sparse, so they are not centred first."""
    from sklearn.utils.extmath import randomized_svd

    n_axes = min(_MOST_AXES, *flat.shape)
    _, _, right = randomized_svd(flat, n_axes, random_state=0)
    return np.ascontiguousarray(right.T, dtype=np.float32)


class ProjectedEncoder:
    """A dense encoder that trains on principal components.

    Parameters
    ----------
    encoder : keras.Sequential
        As made by `dense_encoder`. Its weights are read now if `continues`, and written by `fold`.
    projection : Projection
    continues : bool
        Go on from the encoder's weights, rather than from fresh ones.
    seed : int
        Of the fresh weights.
    """

    def __init__(
        self, encoder: Any, projection: Projection, *, continues: bool, seed: int
    ) -> None:
        self._encoder = encoder
        self._projection = projection
        first, *others = _dense_layers(encoder)
        self.network = dense_encoder(
            (projection.axes.shape[1],), others[-1].units, first.units, seed
        )
        self._unseen: Any = 0.0
        if continues:
            kernel, bias = first.get_weights()
            seen = projection.axes.T @ kernel
            # What the components cannot show of the old first layer stays as it is.
            self._unseen = kernel - projection.axes @ seen
            inner = _dense_layers(self.network)
            inner[0].set_weights(
                [seen / projection.scale[:, None], bias + projection.mean @ kernel]
            )
            for target, source in zip(inner[1:], others, strict=True):
                target.set_weights(source.get_weights())

    def fold(self) -> None:
        """Write the trained weights to the encoder, the projection multiplied in."""
        inner = _dense_layers(self.network)
        kernel, bias = inner[0].get_weights()
        whole = (self._projection.axes * self._projection.scale) @ kernel + self._unseen
        outer = _dense_layers(self._encoder)
        outer[0].set_weights([whole, bias - self._projection.mean @ whole])
        for target, source in zip(outer[1:], inner[1:], strict=True):
            target.set_weights(source.get_weights())


def _dense_layers(network: Any) -> list[Any]:
    return [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
