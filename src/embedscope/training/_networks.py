"""Networks for pictures: a small convolutional encoder, and a decoder that draws sharp cells.

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
_BLEND = 0.5  # of the distance between neighbouring exemplars on the map
_SMALLEST_BLEND = 1e-3  # of the map's width: keeps exemplars at one place apart from the rest


def picture_encoder(shape: tuple[int, ...], seed: int) -> Any:
    """Two convolutions and a dense layer, from a picture or a volume to a place on the map.

    Parameters
    ----------
    shape : tuple of int
        [Depth,] height, width and channels of a picture.
    seed : int

    Returns
    -------
    keras.Sequential
    """

    def init(layer: int) -> Any:
        return keras.initializers.HeUniform(seed=seed + layer)

    layers = keras.layers
    is_volume = len(shape) == 4
    pool = layers.AveragePooling3D if is_volume else layers.AveragePooling2D
    conv = layers.Conv3D if is_volume else layers.Conv2D
    convolve = {"strides": 2, "padding": "same", "activation": "relu"}
    return keras.Sequential(
        [
            keras.Input(shape),
            pool(2, padding="same"),  # "same" for pictures of a single row or plane too
            conv(16, 3, kernel_initializer=init(0), **convolve),
            conv(32, 3, kernel_initializer=init(1), **convolve),
            layers.Flatten(),
            layers.Dense(128, activation="relu", kernel_initializer=init(2)),
            layers.Dense(2, kernel_initializer=init(3)),
        ],
        name="picture_encoder",
    )


def exemplar_decoder(pictures: np.ndarray) -> Any:
    """A decoder that blends exemplars by a Gaussian of their distance on the map.

    Attention with the exemplars' places as keys and their pixels as values, in plain Keras layers:
    ``softmax(-|z - place|^2 / (2 blend^2))`` is a softmax of a linear function of z. It blends all
    alike until `place_exemplars` says where they stand. Nothing in it is trained: the pixels stay
    those of real cells, since training would turn them into averages again, and the places are
    where the encoder puts them.

    Parameters
    ----------
    pictures : ndarray of shape (n_exemplars, [depth,] height, width, n_channels), float32
        Pixels in 0..1.

    Returns
    -------
    keras.Sequential
        Gives logits of pixels, as cross entropy takes them.
    """
    pixels = np.clip(pictures.reshape(len(pictures), -1), _SMALLEST_SHARE, 1.0 - _SMALLEST_SHARE)
    logits = np.log(pixels / (1.0 - pixels))
    mean = logits.mean(axis=0)
    weights, axes = _components(logits - mean)
    attention = keras.layers.Dense(
        len(pictures), activation="softmax", kernel_initializer="zeros", trainable=False
    )
    exemplars = keras.layers.Dense(weights.shape[1], use_bias=False, trainable=False)
    picture = keras.layers.Dense(len(mean), trainable=False)
    decoder = keras.Sequential(
        [
            keras.Input((2,)),
            attention,
            exemplars,
            picture,
            keras.layers.Reshape(pictures.shape[1:]),
        ],
        name="exemplar_decoder",
    )
    # Set once built: as initial values they would stand in the network's description, as text.
    exemplars.set_weights([weights])
    picture.set_weights([axes, mean])
    return decoder


def place_exemplars(decoder: Any, places: np.ndarray, blend: float | None = None) -> None:
    """Put the exemplars of a decoder where they stand on the map.

    Parameters
    ----------
    decoder : keras.Sequential
        Of `exemplar_decoder`, or a copy of one.
    places : ndarray of shape (n_exemplars, 2), float32
    blend : float, optional
        Standard deviation of the Gaussian, in map units; by default half the median distance of
        an exemplar to its second neighbour.
    """
    precision = 1.0 / (_typical_blend(places) if blend is None else blend) ** 2
    decoder.layers[0].set_weights(
        [precision * places.T, -0.5 * precision * (places**2).sum(axis=1)]
    )


def _typical_blend(places: np.ndarray) -> float:
    from scipy.spatial import cKDTree

    rank = min(2, len(places) - 1)
    distances, _ = cKDTree(places).query(places, k=[rank + 1])
    width = float(np.ptp(places, axis=0).max()) or 1.0
    return max(_BLEND * float(np.median(distances)), _SMALLEST_BLEND * width)


def _components(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leading principal components: the exemplars as weights of the axes, and the axes.

    By numpy, which leaves the interpreter lock for the whole decomposition; scipy's holds it.
    """
    n_kept = min(_KEPT_COMPONENTS, *centred.shape)
    _, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    weights = np.ascontiguousarray(vectors[:, -n_kept:], dtype=np.float32)
    return weights, weights.T @ centred
