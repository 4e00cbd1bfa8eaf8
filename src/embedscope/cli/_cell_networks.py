"""The networks of the demo: a small convolutional encoder, and a decoder that draws sharp cells.

Two coordinates cannot say where each granule of a cell lies, so a decoder that is trained to be
right on average draws averages: grey blobs. This one remembers exemplars, real cells at their
places on the map, and blends the few that are near: it draws a cell as those of this place look.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope.core._tensorflow import keras

_KEPT_COMPONENTS = 512  # of the exemplars' pixels: blending these is cheaper, and looks the same
_SMALLEST_SHARE = 0.01  # keeps logits of black and white pixels finite


def cell_encoder(shape: tuple[int, int, int], seed: int) -> Any:
    """Two convolutions and a dense layer, from a crop to a place on the map.

    Parameters
    ----------
    shape : tuple of int
        Height, width and channels of a crop.
    seed : int

    Returns
    -------
    keras.Sequential
    """

    def init(layer: int) -> Any:
        return keras.initializers.HeUniform(seed=seed + layer)

    convolve = {"strides": 2, "padding": "same", "activation": "relu"}
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.AveragePooling2D(2),
            keras.layers.Conv2D(16, 3, kernel_initializer=init(0), **convolve),
            keras.layers.Conv2D(32, 3, kernel_initializer=init(1), **convolve),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu", kernel_initializer=init(2)),
            keras.layers.Dense(2, kernel_initializer=init(3)),
        ],
        name="cell_encoder",
    )


def exemplar_decoder(places: np.ndarray, crops: np.ndarray, blend: float) -> Any:
    """A decoder that blends exemplars by a Gaussian of their distance on the map.

    Attention with the exemplars' places as keys and their pixels as values, in plain Keras layers:
    ``softmax(-|z - place|^2 / (2 blend^2))`` is a softmax of a linear function of z. The places and
    the width are a start, and trained together with the encoder; the pixels stay those of real
    cells, since training would turn them into averages again.

    Parameters
    ----------
    places : ndarray of shape (n_exemplars, 2), float32
    crops : ndarray of shape (n_exemplars, height, width, n_channels), float32
        Pixels in 0..1.
    blend : float
        Standard deviation of the Gaussian, in map units.

    Returns
    -------
    keras.Sequential
        Gives logits of pixels, as cross entropy takes them.
    """
    precision = 1.0 / blend**2
    pixels = np.clip(crops.reshape(len(crops), -1), _SMALLEST_SHARE, 1.0 - _SMALLEST_SHARE)
    logits = np.log(pixels / (1.0 - pixels))
    mean = logits.mean(axis=0)
    weights, axes = _components(logits - mean)
    attention = keras.layers.Dense(len(places), activation="softmax")
    exemplars = keras.layers.Dense(weights.shape[1], use_bias=False, trainable=False)
    picture = keras.layers.Dense(len(mean), trainable=False)
    decoder = keras.Sequential(
        [
            keras.Input((2,)),
            attention,
            exemplars,
            picture,
            keras.layers.Reshape(crops.shape[1:]),
        ],
        name="exemplar_decoder",
    )
    # Set once built: as initial values they would stand in the network's description, as text.
    attention.set_weights([precision * places.T, -0.5 * precision * (places**2).sum(axis=1)])
    exemplars.set_weights([weights])
    picture.set_weights([axes, mean])
    return decoder


def _components(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leading principal components: the exemplars as weights of the axes, and the axes."""
    from sklearn.utils.extmath import randomized_svd

    n_kept = min(_KEPT_COMPONENTS, *centred.shape)
    left, values, right = randomized_svd(centred, n_kept, random_state=0)
    return (left * values).astype(np.float32), right.astype(np.float32)
