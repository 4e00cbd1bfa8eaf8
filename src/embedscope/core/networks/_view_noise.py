"""Noise on features, in training, that varies as the features of views of a picture do.

The features of a shifted or turned copy of a picture are not quite those of the picture. An encoder
that is trained with this noise places what lies between them where the picture is. It costs nothing
when pictures are placed.

References
----------
Bishop, "Training with noise is equivalent to Tikhonov regularization", Neural Computation 7 (1995),
doi:10.1162/neco.1995.7.1.108.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope.core.networks._tensorflow import keras, tf


@keras.saving.register_keras_serializable(package="embedscope")
class ViewNoise(keras.layers.Layer):
    """Adds normal noise to rows in training; leaves them as they are otherwise.

    Input and output have shape (n, n_features). Nothing is trained.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int, **options: Any) -> None:
        super().__init__(**{**options, "trainable": False})
        self.seed = seed
        self._numbers = keras.random.SeedGenerator(seed)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weight, which is zero until `fit`."""
        n_features = int(input_shape[-1] or 1)
        self._spread = self.add_weight(
            (n_features, n_features), "zeros", trainable=False, dtype="float32", name="spread"
        )
        self.built = True

    def fit(self, differences: np.ndarray) -> None:
        """Set the noise: it varies as these differences do, about zero.

        Parameters
        ----------
        differences : ndarray of shape (n_pairs, n_features), float32
            Between the features of two views of each picture.
        """
        second_moments = differences.T.astype(np.float64) @ differences / len(differences)
        variances, axes = np.linalg.eigh(second_moments)
        spread = np.sqrt(np.maximum(variances, 0.0))[:, None] * axes.T
        self._spread.assign(spread.astype(np.float32))

    def call(self, rows: Any, training: bool = False) -> Any:
        """The rows, with noise in training."""
        if not training:
            return rows
        noise = keras.random.normal(tf.shape(rows), dtype="float32", seed=self._numbers)
        return rows + noise @ self._spread

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer."""
        return super().get_config() | {"seed": self.seed}
