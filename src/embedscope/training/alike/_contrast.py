"""A convolutional network that learns by contrast which pictures show the same cell.

Two views of each picture of a batch are made (`_views`). The network is trained such that the
features of two views of one picture agree, and those of different pictures do not. A second head
reads the features and does the same in the plane, with the kernel of t-SNE: so there is a map to
look at from the first steps on.

References
----------
Chen, Kornblith, Norouzi and Hinton, "A simple framework for contrastive learning of visual
representations", ICML 2020, arXiv:2002.05709.
Böhm, Berens and Kobak, "Unsupervised visualization of image datasets using contrastive learning",
ICLR 2023, arXiv:2210.09879.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from embedscope.core.networks import TracedOnce, keras, tf
from embedscope.training.alike._views import Views

CONVOLUTIONS = ((4, 2, 32), (3, 2, 64), (3, 2, 128), (3, 2, 128))
"""Kernel size, stride and filters of each: most is computed at low resolution."""

_HIDDEN, _AGREEING = 256, 64  # units of a head, and numbers that are compared
_TEMPERATURE = 0.5
_RATE, _DECAY = 2e-3, 1e-4
_WARM_UP = 20  # steps until the full learning rate
_MOMENTUM = 0.95  # of batch normalisation, since there are a few hundred steps only
_BATCH = 256
_FAR = 1e9


class Contrast:
    """The network in training.

    Parameters
    ----------
    pictures : ndarray of shape (n, height, width, n_channels), float32
        The planes of volumes as channels.
    changes : ndarray of shape (n_lit,), float32
        How much the light of each channel may change; see `Views`.
    n_steps : int
        Of the whole training.
    seed : int
    """

    def __init__(
        self,
        pictures: np.ndarray,
        changes: np.ndarray,
        n_steps: int,
        seed: int,
    ) -> None:
        self._pictures = pictures
        self._rng = np.random.default_rng([seed, 2])
        self._seed, self._n_steps = seed, n_steps
        shape = height, width, n_channels = pictures.shape[1:]
        self.means = pictures.mean(axis=(0, 1, 2), dtype=np.float64).astype(np.float32)
        self.deviations = np.maximum(pictures.std(axis=(0, 1, 2), dtype=np.float64), 1e-3).astype(
            np.float32
        )
        self.views = Views(height, width, n_channels, self.deviations, changes)
        self.trunk = _trunk(shape, self.means, self.deviations, seed)
        n_features = int(self.trunk.output_shape[-1])
        self._head = _head(n_features, _AGREEING, "agreeing", seed + 100)
        self._plane = _head(n_features, 2, "plane", seed + 200)
        self._variables = [
            *self.trunk.trainable_variables,
            *self._head.trainable_variables,
            *self._plane.trainable_variables,
        ]
        self._optimizer = keras.optimizers.AdamW(_RATE, weight_decay=_DECAY, name="adamw")
        self._optimizer.build(self._variables)
        self._step = TracedOnce(self._step_eagerly, n_free_axes=1)
        self._place = TracedOnce(
            lambda batch: self._plane(self.trunk(batch, training=False), training=False)
        )

    def train(self) -> Iterator[int]:
        """Train, and yield the number of steps done after each."""
        batches = _batches(self._rng, len(self._pictures))
        for done in range(self._n_steps):
            rising = min(1.0, (done + 1) / _WARM_UP)
            rate = _RATE * rising * 0.5 * (1.0 + np.cos(np.pi * done / self._n_steps))
            rows = next(batches)
            seed = np.array([self._seed, done], np.int32)
            self._step(self._pictures[rows], tf.constant(rate, tf.float32), tf.constant(seed))
            yield done + 1

    def folded(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Kernel and bias of each convolution, with the normalisation folded into them."""
        folded = []
        scale = 1.0 / self.deviations[:, None]  # of the standardised input
        for number in range(len(CONVOLUTIONS)):
            (kernel,) = self.trunk.get_layer(f"trunk_{number}").get_weights()
            norm = self.trunk.get_layer(f"trunk_norm_{number}")
            gamma, beta, mean, variance = norm.get_weights()
            factor = gamma / np.sqrt(variance + norm.epsilon)
            folded.append((kernel * scale * factor, beta - mean * factor))
            scale = np.float32(1.0)
        return folded

    def positions(self) -> np.ndarray:
        """All pictures on the map of the second head, shape (n, 2), float32."""
        blocks = range(0, len(self._pictures), _BATCH)
        return np.concatenate(
            [self._place(self._pictures[start : start + _BATCH]).numpy() for start in blocks]
        )

    def _step_eagerly(self, pictures: Any, rate: Any, seed: Any) -> None:
        self._optimizer.learning_rate.assign(rate)
        views = self.views(tf.concat([pictures, pictures], axis=0), seed)
        with tf.GradientTape() as tape:
            features = self.trunk(views, training=True)
            agreeing = tf.math.l2_normalize(self._head(features, training=True), axis=1)
            similar = tf.matmul(agreeing, agreeing, transpose_b=True) / _TEMPERATURE
            # The head in the plane is for the eye; its gradient would spoil the features.
            places = self._plane(tf.stop_gradient(features), training=True)
            loss = _contrast(similar) + _contrast(-_log_distances(places))
        gradients = tape.gradient(loss, self._variables)
        self._optimizer.apply(gradients, self._variables)


def _contrast(similarity: Any) -> Any:
    """How badly each view finds its partner among all views, by their similarities."""
    n_views = tf.shape(similarity)[0]
    others = similarity - _FAR * tf.eye(n_views)
    partner = tf.concat([tf.range(n_views // 2, n_views), tf.range(n_views // 2)], axis=0)
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=partner, logits=others)
    )


def _log_distances(places: Any) -> Any:
    """Logarithm of 1 plus the squared distance, between all pairs."""
    squares = tf.reduce_sum(tf.square(places), axis=1)
    distances = squares[:, None] + squares - 2.0 * tf.matmul(places, places, transpose_b=True)
    return tf.math.log1p(tf.maximum(distances, 0.0))


def _trunk(shape: tuple[int, ...], means: np.ndarray, deviations: np.ndarray, seed: int) -> Any:
    """Convolutions with batch normalisation; the mean and the maximum over the picture."""
    layers = keras.layers
    inputs = keras.Input(shape)
    maps = layers.Normalization(mean=means, variance=deviations**2, name="standard")(inputs)
    for number, (size, stride, filters) in enumerate(CONVOLUTIONS):
        maps = layers.Conv2D(
            filters,
            size,
            strides=stride,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.GlorotUniform(seed=seed + number),
            name=f"trunk_{number}",
        )(maps)
        maps = layers.BatchNormalization(momentum=_MOMENTUM, name=f"trunk_norm_{number}")(maps)
        maps = layers.ReLU(name=f"trunk_relu_{number}")(maps)
    mean = layers.GlobalAveragePooling2D(name="trunk_mean")(maps)
    most = layers.GlobalMaxPooling2D(name="trunk_most")(maps)
    return keras.Model(inputs, layers.Concatenate(name="trunk_features")([mean, most]))


def _head(n_inputs: int, n_outputs: int, name: str, seed: int) -> Any:
    layers = keras.layers

    def init(number: int) -> Any:
        return keras.initializers.GlorotUniform(seed=seed + number)

    return keras.Sequential(
        [
            keras.Input((n_inputs,)),
            layers.Dense(
                _HIDDEN, use_bias=False, kernel_initializer=init(0), name=f"{name}_hidden"
            ),
            layers.BatchNormalization(momentum=_MOMENTUM, name=f"{name}_norm"),
            layers.ReLU(name=f"{name}_relu"),
            layers.Dense(n_outputs, kernel_initializer=init(1), name=f"{name}_output"),
        ],
        name=name,
    )


def _batches(rng: np.random.Generator, n_samples: int) -> Iterator[np.ndarray]:
    """Batches without end; an incomplete last one of a pass is left out."""
    size = min(_BATCH, n_samples)
    while True:
        order = rng.permutation(n_samples)
        for start in range(0, n_samples - size + 1, size):
            yield order[start : start + size]
