"""The exact derivative of map positions by sample values, by automatic differentiation."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.core.arrays._rows import Rows
from embedscope.core.networks._tensorflow import tf
from embedscope.core.networks._tracing import TracedOnce

_BLOCK_ROWS = 1_024
_BLOCK_VALUES = 2**19  # 2 MiB of input: the backward pass keeps all feature maps in memory


class Jacobian:
    """The derivative of a network's output by its input, as a fast function of rows.

    Traced once, run in blocks. One reverse pass for each output gives the derivatives of all
    samples of a block, since outside of training an output depends only on its own sample.

    Parameters
    ----------
    network : keras.Model
        Gives a vector for each sample.
    """

    def __init__(self, network: Any) -> None:
        self._name = network.name

        def derive(batch: Any) -> list[Any]:
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(batch)
                outputs = tf.unstack(network(batch, training=False), axis=-1)
            return [tape.gradient(output, batch) for output in outputs]

        self._run = TracedOnce(derive)

    def __call__(self, rows: Rows) -> np.ndarray:
        """Derivatives of shape (n_samples, n_outputs, *shape), float32, all finite.

        Raises
        ------
        InvalidInputError
            If the network has no derivative by its input, or it is not finite.
        """
        step = max(1, min(_BLOCK_ROWS, _BLOCK_VALUES // rows.n_features))
        blocks = [self._of_block(rows, start, step) for start in range(0, len(rows), step)]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)

    def _of_block(self, rows: Rows, start: int, step: int) -> np.ndarray:
        # A tensor, since a tape cannot watch an array.
        gradients = self._run(tf.constant(rows.take(slice(start, start + step))))
        if any(gradient is None for gradient in gradients):
            raise InvalidInputError(
                f"encoder must have a derivative by its input; got {self._name!r}, in which a "
                "layer breaks the chain. Leave out layers that round or look up whole numbers."
            )
        derivatives = np.stack([gradient.numpy() for gradient in gradients], axis=1)
        if not np.isfinite(derivatives).all():
            raise InvalidInputError(
                f"encoder must have a finite derivative; got NaN or infinity from {self._name!r}. "
                "Keep roots, logarithms and norms in it away from zero."
            )
        return derivatives
