"""An encoder that begins with average pooling trains on samples that are pooled once, beforehand.

The mean of neighbouring pixels has nothing to learn, and mixing two samples before it or after it
is the same. Done once instead of in every step, it leaves a quarter of the pixels to be gathered,
mixed and blurred with noise, or an eighth of a volume's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope.core._forward import Forward
from embedscope.core._rows import Rows
from embedscope.core._tensorflow import keras

_POOLING = (
    keras.layers.AveragePooling1D,
    keras.layers.AveragePooling2D,
    keras.layers.AveragePooling3D,
)


def begins_with_pooling(encoder: Any) -> bool:
    """Whether an encoder is a chain of layers, of which the first takes means of pixels."""
    is_chain = isinstance(encoder, keras.Sequential) and len(encoder.layers) > 1
    return is_chain and isinstance(encoder.layers[0], _POOLING)


class PooledEncoder:
    """The layers of an encoder behind its first, and what they are fed.

    Parameters
    ----------
    encoder : keras.Sequential
        Begins with pooling. Its layers are shared: it is trained with `network`.

    Attributes
    ----------
    network : keras.Sequential
        Takes pooled samples.
    """

    def __init__(self, encoder: Any) -> None:
        pooling, *others = encoder.layers
        self._shape = tuple(int(size) for size in pooling.output.shape[1:])
        self._pool = Forward(pooling)
        self.network = keras.Sequential([keras.Input(self._shape), *others], name="pooled_encoder")

    def inputs(self, rows: Rows) -> Rows:
        """Pooled samples."""
        pooled = self._pool(rows)
        return Rows(pooled.reshape(len(rows), int(np.prod(self._shape))), self._shape, self._shape)
