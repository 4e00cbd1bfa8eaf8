"""An encoder that begins with average pooling is trained on samples that are pooled once, before.

Pooling has no weights. Pooling once instead of in every step leaves a quarter of the pixels (of a
volume an eighth) to gather and to add noise to. The same holds for the spectrum of rings, which has
nothing to train either.

If a convolution of patches that do not overlap follows, the pooled samples are also cut into these
patches, and the convolution becomes one matrix product. With TensorFlow's own convolution, a step
with small pictures takes twice as long on a CPU.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope.core.arrays._rows import Rows
from embedscope.core.networks._forward import Forward
from embedscope.core.networks._invariant_features import InvariantFeatures
from embedscope.core.networks._ring_spectrum import RingSpectrum
from embedscope.core.networks._tensorflow import keras

_POOLING = (
    InvariantFeatures,
    RingSpectrum,
    keras.layers.AveragePooling1D,
    keras.layers.AveragePooling2D,
    keras.layers.AveragePooling3D,
)
_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


class InnerEncoder:
    """The layers of an encoder after its pooling, and their input.

    Parameters
    ----------
    encoder : keras.Sequential
        An encoder that `begins_with_pooling`. Its layers are shared, so training `network` trains
        it.

    Attributes
    ----------
    network : keras.Sequential
        Takes the rows that `inputs` returns.
    """

    def __init__(self, encoder: Any) -> None:
        pooling, first, *others = encoder.layers
        self._pool = Forward(pooling)
        self._pooled_shape = tuple(int(size) for size in pooling.output.shape[1:])
        self._shape = self._pooled_shape
        self._patch: tuple[int, ...] | None = None
        if _is_of_patches(first):
            self._patch = first.kernel_size
            n_values = int(np.prod(first.kernel_size)) * self._pooled_shape[-1]
            self._shape = (*first.output.shape[1:-1], n_values)
            first = _PatchProduct(first)
        self.network = keras.Sequential(
            [keras.Input(self._shape), first, *others], name="inner_encoder"
        )

    def inputs(self, rows: Rows) -> Rows:
        """The samples pooled, and cut into patches if the next layer reads patches."""
        pooled = self._pool(rows)
        if self._patch is not None:
            pooled = _cut(pooled, self._patch, self._shape[:-1])
        return Rows(pooled.reshape(len(rows), int(np.prod(self._shape))), self._shape, self._shape)


def begins_with_pooling(encoder: Any) -> bool:
    """Whether an encoder is a chain of layers that starts with average pooling."""
    is_chain = isinstance(encoder, keras.Sequential) and len(encoder.layers) > 1
    return is_chain and isinstance(encoder.layers[0], _POOLING)


def _is_of_patches(layer: Any) -> bool:
    """Whether a layer is a plain convolution (no subclass) whose patches do not overlap."""
    return (
        type(layer) in _CONVOLUTIONS
        and layer.strides == layer.kernel_size
        and set(layer.dilation_rate) == {1}
        and layer.groups == 1
        and layer.padding in ("same", "valid")
        and layer.data_format == "channels_last"
    )


class _PatchProduct(keras.layers.Layer):
    """A convolution as a product of its kernel, as a matrix, with rows of patches."""

    def __init__(self, conv: Any) -> None:
        super().__init__(
            activity_regularizer=conv.activity_regularizer,
            dtype=conv.dtype_policy,
            name=f"{conv.name}_of_patches",
        )
        self.conv = conv
        self.built = True

    def call(self, patches: Any) -> Any:
        kernel = keras.ops.reshape(self.conv.kernel, (-1, self.conv.filters))
        found = keras.ops.matmul(patches, kernel)
        if self.conv.use_bias:
            found = found + self.conv.bias
        return self.conv.activation(found)

    def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*input_shape[:-1], self.conv.filters)


def _cut(samples: np.ndarray, patch: tuple[int, ...], counts: tuple[int, ...]) -> np.ndarray:
    """Samples as rows of patches, shape (n_samples, *counts, values of a patch).

    As the layer does, pixels beyond the last whole patch are dropped, or completed with zeros on
    both sides.
    """
    whole = tuple(size * count for size, count in zip(patch, counts, strict=True))
    missing = [wanted - own for wanted, own in zip(whole, samples.shape[1:-1], strict=True)]
    if any(each > 0 for each in missing):
        ends = [(each // 2, each - each // 2) for each in np.maximum(missing, 0)]
        samples = np.pad(samples, [(0, 0), *ends, (0, 0)])
    samples = samples[(slice(None), *map(slice, whole))]
    n_samples, n_channels = len(samples), samples.shape[-1]
    pairs = [size for pair in zip(counts, patch, strict=True) for size in pair]
    blocks = samples.reshape(n_samples, *pairs, n_channels)
    n_axes = len(patch)
    places, inside = range(1, 2 * n_axes, 2), range(2, 2 * n_axes + 1, 2)
    blocks = blocks.transpose(0, *places, *inside, 2 * n_axes + 1)
    return np.ascontiguousarray(blocks).reshape(n_samples, *counts, -1)
