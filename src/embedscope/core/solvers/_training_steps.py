"""Gradient steps of the networks of a map, as TensorFlow functions of many steps each.

Two kinds of steps: regression onto target positions, and descent of UMAP's cross entropy of edges.
Both add the same further terms of the objective.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedscope.core.layout._layout import Objective
from embedscope.core.networks import _losses
from embedscope.core.networks._devices import check_batch, shared_gradients, whole
from embedscope.core.networks._keras_step import added_loss, apply, descend
from embedscope.core.networks._reconstruction import Reconstruction
from embedscope.core.networks._tensorflow import tf
from embedscope.core.networks._tracing import TracedOnce, each_in_turn

_NOISE_VALUES = 2**20  # length of the array that all noise is cut from


@dataclass(frozen=True)
class Terms:
    """The terms of the objective besides UMAP's own, with their weights.

    Attributes
    ----------
    reconstruction : Reconstruction or None
    reconstruction_weight : float
    autoencoder : bool
        The encoder minimises the reconstruction loss too.
    correlation_weight : float
        Weight of the correlation of global distances.
    landmark_weight : float
    landmark_loss_fn : callable or None
    """

    reconstruction: Reconstruction | None = None
    reconstruction_weight: float = 1.0
    autoencoder: bool = False
    correlation_weight: float = 0.0
    landmark_weight: float = 0.0
    landmark_loss_fn: Any | None = None


class TrainingSteps:
    """The gradient steps of an encoder, and of a decoder that trains together with it.

    Parameters
    ----------
    encoder : keras.Model
    decoder : keras.Model or None
    variables : list of keras.Variable
        The weights that the steps change.
    optimizer : keras.Optimizer
    terms : Terms
    typical_loss : callable
        ``typical_loss(targets, positions)``: the loss of a separate decoder, a tensor.
    seed : int
    peak_rate : float or None
        None for an optimiser of the user, whose rate is not changed.
    distribution : tf.distribute.Strategy or None
        Shares each batch between devices. Negative samples, global correlation, the mean over
        landmarks and batch normalisation then see only the part of a batch that is on one device.
    """

    def __init__(
        self,
        encoder: Any,
        decoder: Any | None,
        variables: list[Any],
        optimizer: Any,
        terms: Terms,
        typical_loss: Callable[[Any, Any], Any],
        seed: int,
        peak_rate: float | None,
        distribution: Any | None = None,
    ) -> None:
        self._encoder = encoder
        self._decoder: Any = decoder
        self._variables = variables
        self._optimizer = optimizer
        self._terms = terms
        self._typical_loss = typical_loss
        self._peak_rate = peak_rate
        self._distribution = distribution
        self._seed = tf.constant([seed, 0], dtype=tf.int32)
        self._noise_row: Any = None
        self._n_steps = 0
        self._fit = TracedOnce(self._fit_eagerly, n_free_axes=2)
        self._edges = TracedOnce(self._edges_eagerly, n_free_axes=2)

    @property
    def minimises_reconstruction(self) -> bool:
        """Whether a network is trained on the reconstruction; frozen decoders are only reported."""
        if self._terms.reconstruction is None:
            return False
        return self._terms.autoencoder or bool(self._decoder.trainable_variables)

    def fit(
        self,
        x: np.ndarray,
        targets: np.ndarray,
        noise: np.ndarray,
        rates: np.ndarray,
        samples: np.ndarray | None,
        landmarks: np.ndarray | None,
        wanted: np.ndarray | None,
    ) -> None:
        """Steps of regression, one for each row of the arrays; see `MapModel.fit_steps`.

        Parameters
        ----------
        x, targets : ndarray of shape (n_steps, batch, ...), float32
            Inputs of the encoder and their target positions.
        noise : ndarray of shape (n_steps,), float32
            Standard deviation of the noise added to the inputs.
        rates : ndarray of shape (n_steps,), float32
            Factors of the optimiser's learning rate.
        samples, landmarks, wanted : ndarray of shape (n_steps, batch, ...), float32, or None
            The original samples, their landmarks, and the targets of a separate decoder.
        """
        check_batch(self._distribution, x.shape[1])
        if self._noise_row is None:
            n_values = max(_NOISE_VALUES, 2 * int(np.prod(x.shape[1:])))
            self._noise_row = tf.random.stateless_normal((n_values,), self._seed)
        first = self._next_step(len(rates))
        self._fit(x, targets, noise, rates, first, samples, landmarks, wanted)

    def edges(
        self,
        heads: np.ndarray,
        tails: np.ndarray,
        negatives: np.ndarray,
        density: np.ndarray,
        rates: np.ndarray,
        objective: Objective,
        samples: np.ndarray | None,
        landmarks: np.ndarray | None,
        wanted: np.ndarray | None,
    ) -> None:
        """Steps of descent on edges, one for each row of the arrays; see `MapModel.edge_steps`.

        Parameters
        ----------
        heads, tails : ndarray of shape (n_steps, batch, ...), float32
            Inputs of the encoder at both ends of each edge.
        negatives : ndarray of shape (n_steps, negative_sample_rate, batch), int
        density : ndarray of shape (n_steps, 2, batch), float32
        rates : ndarray of shape (n_steps,), float32
        objective : Objective
        samples, landmarks, wanted : ndarray of shape (n_steps, batch, ...), float32, or None
            The original samples of the heads, their landmarks, and the targets of a separate
            decoder.
        """
        check_batch(self._distribution, heads.shape[1])
        first = self._next_step(len(rates))
        self._edges(
            heads, tails, negatives, density, rates, first, objective, samples, landmarks, wanted
        )

    def _next_step(self, n_steps: int) -> Any:
        """Number of the next step, for random numbers that depend only on the seed."""
        self._n_steps += n_steps
        return tf.constant(self._n_steps - n_steps, dtype=tf.int32)

    def _fit_eagerly(
        self,
        x: Any,
        targets: Any,
        noise: Any,
        rates: Any,
        first: Any,
        samples: Any | None,
        landmarks: Any | None,
        wanted: Any | None,
    ) -> None:
        base = self._base_rate()

        def loss_of(
            x: Any, jitter: Any, targets: Any, samples: Any, landmarks: Any, wanted: Any, noise: Any
        ) -> Any:
            z = self._encoder(x + noise * jitter, training=True)
            loss = tf.reduce_mean(_losses.distances(targets, z))
            loss += added_loss(self._encoder)
            if self._has_other_terms(landmarks, wanted):
                # Without noise: these terms are of the samples themselves.
                z = self._encoder(x, training=True)
                loss += self._other_terms(z, samples, landmarks, wanted)
            return loss

        def fit_step(step: Any) -> None:
            jitter = self._jitter(tf.shape(x[step]), first + step)

            def batch(cut: Callable[..., Any]) -> tuple[Any, ...]:
                further = (cut(_at(step, values)) for values in (samples, landmarks, wanted))
                return cut(x[step]), cut(jitter), cut(targets[step]), *further, noise[step]

            self._descend(batch, loss_of, tf.shape(x)[1], base * rates[step])

        each_in_turn(fit_step, tf.shape(x)[0])
        self._restore_rate(base)

    def _jitter(self, shape: Any, step: Any) -> Any:
        """Normal noise for a step, cut from one long array of noise at a random index.

        Drawing new numbers for every pixel took longer than the encoder's own step.
        """
        n_values = tf.reduce_prod(shape)
        last = tf.size(self._noise_row) - n_values + 1
        start = tf.random.stateless_uniform(
            (), self._seed + tf.stack([0, step]), 0, last, dtype=tf.int32
        )
        return tf.reshape(self._noise_row[start : start + n_values], shape)

    def _edges_eagerly(
        self,
        heads: Any,
        tails: Any,
        negatives: Any,
        density: Any,
        rates: Any,
        first: Any,
        objective: Objective,
        samples: Any | None,
        landmarks: Any | None,
        wanted: Any | None,
    ) -> None:
        base = self._base_rate()

        def loss_of(
            heads: Any,
            tails: Any,
            negatives: Any,
            weights: Any,
            squared_before: Any,
            samples: Any,
            landmarks: Any,
            wanted: Any,
        ) -> Any:
            both = tf.concat([heads, tails], axis=0)
            z_heads, z_tails = tf.split(self._encoder(both, training=True), 2)
            if self._distribution is not None:  # the other tails are on other devices
                negatives %= tf.cast(tf.shape(tails)[0], negatives.dtype)
            away = tf.gather(z_tails, negatives)
            loss = _losses.cross_entropy(z_heads, z_tails, away, objective)
            loss += added_loss(self._encoder)
            squared = _losses.squared_distances(z_heads, z_tails)
            loss += _losses.density_term(weights, squared, squared_before)
            loss += self._other_terms(z_heads, samples, landmarks, wanted)
            return loss

        def edge_step(step: Any) -> None:
            def batch(cut: Callable[..., Any]) -> tuple[Any, ...]:
                further = (cut(_at(step, values)) for values in (samples, landmarks, wanted))
                return (
                    cut(heads[step]),
                    cut(tails[step]),
                    cut(negatives[step], axis=1),
                    cut(density[step, 0]),
                    cut(density[step, 1]),
                    *further,
                )

            self._descend(batch, loss_of, tf.shape(heads)[1], base * rates[step])

        each_in_turn(edge_step, tf.shape(heads)[0])
        self._restore_rate(base)

    def _has_other_terms(self, landmarks: Any | None, wanted: Any | None) -> bool:
        held = self._terms.landmark_weight and landmarks is not None
        correlated = self._terms.correlation_weight
        return bool(held or correlated or wanted is not None or self.minimises_reconstruction)

    def _other_terms(
        self, z: Any, samples: Any | None, landmarks: Any | None, wanted: Any | None
    ) -> Any:
        """Reconstruction, landmarks and global correlation of one batch."""
        terms = self._terms
        loss = tf.constant(0.0)
        if terms.reconstruction is not None and self.minimises_reconstruction:
            seen = z if terms.autoencoder else tf.stop_gradient(z)
            output = self._decoder(seen, training=True)
            loss += terms.reconstruction_weight * terms.reconstruction.loss(samples, output)
            loss += added_loss(self._decoder)
        if wanted is not None:
            loss += terms.reconstruction_weight * self._typical_loss(wanted, z)
        if terms.correlation_weight:
            loss += terms.correlation_weight * _losses.global_correlation(samples, z)
        if terms.landmark_weight and landmarks is not None:
            loss += terms.landmark_weight * _losses.landmark_distance(
                landmarks, z, terms.landmark_loss_fn
            )
        return loss

    def _base_rate(self) -> Any:
        """The rate that callbacks read and set; each step multiplies it by its own factor.

        The rate of a user's optimiser may be a schedule, so it is not changed.
        """
        return (
            tf.identity(self._optimizer.learning_rate)
            if self._peak_rate is not None
            else tf.constant(1.0)
        )

    def _restore_rate(self, base: Any) -> None:
        if self._peak_rate is not None:
            self._optimizer.learning_rate.assign(base)

    def _descend(
        self,
        batch: Callable[[Callable[..., Any]], tuple[Any, ...]],
        loss_of: Callable[..., Any],
        batch_size: Any,
        rate: Any,
    ) -> None:
        """One step down the mean loss of a batch; see `shared_gradients`."""
        variables, optimizer = self._variables, self._optimizer
        if self._peak_rate is not None:
            optimizer.learning_rate.assign(rate)
        if self._distribution is None:
            with tf.GradientTape() as tape:
                loss = loss_of(*batch(whole))
            descend(tape, loss, variables, optimizer)
            return
        gradients = shared_gradients(
            self._distribution, batch, loss_of, batch_size, variables, optimizer
        )
        apply(gradients, variables, optimizer)


def _at(step: Any, values: Any | None) -> Any | None:
    return None if values is None else values[step]
