"""The target of the decoder: which loss suits the data, and how an output is converted to data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from embedscope.core.arrays._rows import Rows, dense_if_small
from embedscope.core.networks._tensorflow import keras

_ENOUGH_ROWS = 10_000  # for a mean and a deviation
_BLOCK_VALUES = 2**19  # copied at a time: 2 MiB


@dataclass(frozen=True)
class Reconstruction:
    """Target scaling, loss and output scaling of a decoder.

    Attributes
    ----------
    kind : {"cross_entropy", "squared_error", "custom"}
        Which loss is used.
    offset, scale : ndarray of the shape of one sample, float32
        The decoder learns ``(x - offset) / scale``.
    needs_sigmoid : bool
        The decoder gives logits.
    loss_fn : callable or None
        The user's ``loss_fn(y_true, y_pred)``, for "custom".
    limits : tuple of two floats, or None
        Range of the data, to which decoded values are clipped.
    """

    kind: str
    offset: np.ndarray
    scale: np.ndarray
    needs_sigmoid: bool
    loss_fn: Callable[[Any, Any], Any] | None = None
    limits: tuple[float, float] | None = None

    def loss(self, samples: Any, output: Any) -> Any:
        """Mean reconstruction loss of a batch; tensors of the data's shape and units."""
        if self.loss_fn is not None:
            return keras.ops.mean(self.loss_fn(samples, output))
        if self.kind == "cross_entropy":
            return keras.ops.mean(
                keras.ops.binary_crossentropy(samples, output, from_logits=self.needs_sigmoid)
            )
        target = (samples - self.offset) / self.scale
        return keras.ops.mean(keras.ops.square(target - output))

    def standardised(self, flat: np.ndarray | sparse.csr_matrix) -> np.ndarray:
        """Flat samples as targets of the decoder, float32."""
        dense = flat if isinstance(flat, np.ndarray) else flat.toarray()
        difference = dense - self.offset.ravel()
        return np.asarray(difference / self.scale.ravel(), dtype=np.float32)

    def to_data(self, output: np.ndarray) -> np.ndarray:
        """A decoder's output in the data's own range and units."""
        if self.needs_sigmoid:
            output = 0.5 * (1.0 + np.tanh(0.5 * output))
        values = np.asarray(output * self.scale + self.offset, dtype=np.float32)
        return values if self.limits is None else np.clip(values, *self.limits)


def choose_reconstruction(
    rows: Rows, decoder: Any, loss_fn: Callable[[Any, Any], Any] | None
) -> Reconstruction:
    """Pick the loss: the user's; cross entropy for data in 0..1; else standardised squared error.

    Parameters
    ----------
    rows : Rows
    decoder : keras.Model
        If it ends in a sigmoid, its output is taken as probabilities, otherwise as logits.
    loss_fn : callable or None

    Returns
    -------
    Reconstruction
    """
    zero, one = np.zeros(rows.shape, np.float32), np.ones(rows.shape, np.float32)
    if loss_fn is not None:
        return Reconstruction("custom", zero, one, needs_sigmoid=False, loss_fn=loss_fn)
    if _is_within_unit(rows):
        return Reconstruction("cross_entropy", zero, one, not _ends_in_sigmoid(decoder))
    offset, deviation = _moments(rows, np.arange(len(rows)))
    return Reconstruction("squared_error", offset, _without_zeros(deviation), needs_sigmoid=False)


def relative_reconstruction(
    rows: Rows, training: np.ndarray, loss_fn: Callable[[Any, Any], Any] | None
) -> Reconstruction:
    """Squared error as a share of the error of always decoding the mean sample.

    Parameters
    ----------
    rows : Rows
        Pictures, and other data within 0..1, have one unit for all values; each column of a table
        has its own.
    training : ndarray of int
        Samples for the mean and the deviation, of which at most about 10,000 are used.
    loss_fn : callable or None
        The user's loss, which is then used unchanged.

    Returns
    -------
    Reconstruction
    """
    is_within = _is_within_unit(rows)
    limits = (0.0, 1.0) if is_within else None
    if loss_fn is not None:
        zero, one = np.zeros(rows.shape, np.float32), np.ones(rows.shape, np.float32)
        return Reconstruction("custom", zero, one, False, loss_fn, limits)
    offset, deviation = _moments(rows, training[:: max(1, len(training) // _ENOUGH_ROWS)])
    if is_within or len(rows.shape) > 1:
        deviation = np.full_like(deviation, np.sqrt(np.square(deviation).mean()))
    scale = _without_zeros(deviation)
    return Reconstruction("squared_error", offset, scale, needs_sigmoid=False, limits=limits)


def _is_within_unit(rows: Rows) -> bool:
    """Whether all values are within 0..1."""
    lowest, highest = rows.ranges()
    return bool(lowest.min() >= 0.0 and highest.max() <= 1.0)


def _ends_in_sigmoid(decoder: Any) -> bool:
    for layer in reversed(decoder.layers):
        if isinstance(layer, keras.layers.Reshape | keras.layers.Flatten):
            continue
        if isinstance(layer, keras.Model):
            return _ends_in_sigmoid(layer)
        return getattr(layer, "activation", None) is keras.activations.sigmoid
    return False


def _moments(rows: Rows, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each value of the chosen samples; 0 for constant values."""
    from sklearn.utils.sparsefuncs import mean_variance_axis

    flat = rows.flat
    if sparse.issparse(flat):
        flat, chosen = dense_if_small(flat[chosen]), np.arange(len(chosen))
    if not sparse.issparse(flat):
        mean, variance = _dense_moments(flat, chosen)
    else:
        mean, variance = mean_variance_axis(flat, axis=0)
    deviation = np.sqrt(variance)
    deviation[deviation <= 1e-7 * np.maximum(np.abs(mean), 1e-30)] = 0.0
    return (
        mean.astype(np.float32).reshape(rows.shape),
        deviation.astype(np.float32).reshape(rows.shape),
    )


def _dense_moments(flat: Any, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each column, float64; in blocks, since copying all takes longer."""
    step = max(1, _BLOCK_VALUES // flat.shape[1])
    blocks = [chosen[start : start + step] for start in range(0, len(chosen), step)]
    mean = sum(flat[block].sum(axis=0, dtype=np.float64) for block in blocks) / len(chosen)
    squares = np.zeros_like(mean)
    for block in blocks:
        difference = flat[block] - mean
        squares += np.einsum("ij,ij->j", difference, difference)
    return mean, squares / len(chosen)


def _without_zeros(deviation: np.ndarray) -> np.ndarray:
    return np.where(deviation > 0.0, deviation, np.float32(1.0))
