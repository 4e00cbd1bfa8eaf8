"""The networks of a map while they train: one gradient step, repeated, and the way out of them.

Knows Keras and TensorFlow; leaves what to train on, and for how long, to the solvers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from embedscope.core import _losses
from embedscope.core._layout import Objective
from embedscope.core._probe import LossProbe
from embedscope.core._reconstruction import Reconstruction
from embedscope.core._rows import Rows

_ENCODE_ROWS = 8192


@dataclass(frozen=True)
class Terms:
    """The parts of the objective beside UMAP's own, with their weights.

    Attributes
    ----------
    reconstruction : Reconstruction or None
    reconstruction_weight : float
    autoencoder : bool
        Let the encoder feel the reconstruction loss.
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


class MapModel:
    """Encoder, decoder and optimiser, with the training steps of both solvers.

    Parameters
    ----------
    encoder : keras.Model
        Takes samples of ``inputs.shape``.
    decoder : keras.Model or None
    inputs : Rows
        What the encoder is trained on.
    samples : Rows
        The data themselves, which the decoder learns to give back.
    optimizer : keras.Optimizer
    terms : Terms
    probe : LossProbe
        The edges on which the history's loss is computed.
    seed : int
    anneals : bool
        The solver may lower the learning rate towards the end.
    validation : tuple of Rows, optional
        Inputs and samples whose reconstruction loss is reported too.
    """

    def __init__(
        self,
        encoder: Any,
        decoder: Any | None,
        inputs: Rows,
        samples: Rows,
        optimizer: Any,
        terms: Terms,
        probe: LossProbe,
        seed: int,
        *,
        anneals: bool = True,
        validation: tuple[Rows, Rows] | None = None,
    ) -> None:
        self.encoder = encoder
        self.decoder = decoder
        self.inputs = inputs
        self.samples = samples
        self.optimizer = optimizer
        self.terms = terms
        self.anneals = anneals
        self._probe = probe
        self._validation = validation
        position = encoder.outputs[0]
        outputs = position if decoder is None else [position, decoder(position)]
        # What Keras callbacks see: a functional model of both networks, which they can save.
        self.keras_model = keras.Model(encoder.inputs, outputs, name="parametric_umap")
        self.keras_model.optimizer = optimizer
        optimizer.build(self.keras_model.trainable_variables)
        self._seed = tf.constant([seed, 0], dtype=tf.int32)
        self._n_steps = 0
        self._encode = tf.function(lambda x: encoder(x, training=False), reduce_retracing=True)
        self._decode = tf.function(lambda z: decoder(z, training=False), reduce_retracing=True)
        self._fit_steps = tf.function(self._fit_steps_eagerly, reduce_retracing=True)
        self._edge_steps = tf.function(self._edge_steps_eagerly, reduce_retracing=True)

    def encode(self, rows: Rows | None = None) -> np.ndarray:
        """Positions of the samples (the training samples, unless given), float32."""
        return np.concatenate(list(self.encode_blocks(rows)))

    def encode_blocks(self, rows: Rows | None = None) -> Iterator[np.ndarray]:
        """Positions, block by block, so that a caller can look up in between."""
        rows = self.inputs if rows is None else rows
        for start in range(0, len(rows), _ENCODE_ROWS):
            yield self._encode(rows.take(slice(start, start + _ENCODE_ROWS))).numpy()

    @property
    def is_table(self) -> bool:
        """The encoder is a free table of positions."""
        return isinstance(self.encoder.layers[0], keras.layers.Embedding)

    def assign_table(self, positions: np.ndarray) -> None:
        """Put positions into the free table."""
        self.encoder.layers[0].set_weights([positions])

    def losses(self) -> dict[str, float]:
        """An entry of the history, with the networks as they are."""
        probe = self._probe
        losses = {"loss": probe.loss(lambda index: self.encode(self.inputs.subset(index)))}
        if self.terms.reconstruction is not None:
            losses["reconstruction_loss"] = self.reconstruction_loss(
                self.inputs.subset(probe.samples), self.samples.subset(probe.samples)
            )
            if self._validation is not None:
                losses["val_reconstruction_loss"] = self.reconstruction_loss(*self._validation)
        return losses

    def reconstruction_loss(self, inputs: Rows, samples: Rows) -> float:
        """Mean reconstruction loss of some samples, with the networks as they are."""
        assert self.terms.reconstruction is not None
        total = 0.0
        for start in range(0, len(inputs), _ENCODE_ROWS):
            block = slice(start, start + _ENCODE_ROWS)
            output = self._decode(self._encode(inputs.take(block)))
            loss = self.terms.reconstruction.loss(tf.constant(samples.take(block)), output)
            total += float(loss) * len(output)
        return total / len(inputs)

    def get_weights(self) -> list[np.ndarray]:
        """A copy of all weights."""
        return [np.array(weight) for weight in self.keras_model.get_weights()]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Put weights of `get_weights` back."""
        self.keras_model.set_weights(weights)

    def fit_steps(
        self,
        index: np.ndarray,
        partners: np.ndarray,
        mix: np.ndarray,
        noise: float,
        targets: np.ndarray,
        rates: np.ndarray,
        landmarks: np.ndarray | None,
    ) -> None:
        """Steps of regression of the encoder onto target positions, one for each row of `index`.

        Parameters
        ----------
        index : ndarray of shape (n_steps, batch), int
            The samples of each step.
        partners : ndarray of shape (n_steps, batch), int
            A graph neighbour of each.
        mix : ndarray of shape (n_steps, batch), float32
            Share of the partner that is mixed into each sample and its target alike; 0..1.
        noise : float
            Standard deviation of the noise added to mixed samples.
        targets : ndarray of shape (n_samples, n_components), float32
        rates : ndarray of shape (n_steps,), float32
            Factors of the optimiser's learning rate.
        landmarks : ndarray of shape (n_samples, n_components), float32, or None
        """
        x, z = self.inputs.take(index), targets[index]
        share = mix.reshape(*mix.shape, *[1] * (x.ndim - 2))
        x_mixed = x + share * (self.inputs.take(partners) - x)
        z_mixed = z + mix[..., None] * (targets[partners] - z)
        needs_clean = self._needs_clean
        self._fit_steps(
            x_mixed,
            z_mixed,
            np.float32(noise),
            rates,
            self._next_step(len(index)),
            x if needs_clean else None,
            self.samples.take(index) if self.terms.reconstruction else None,
            landmarks[index] if landmarks is not None else None,
        )

    @property
    def _needs_clean(self) -> bool:
        terms = self.terms
        return bool(terms.reconstruction or terms.correlation_weight or terms.landmark_weight)

    def edge_steps(
        self,
        heads: np.ndarray,
        tails: np.ndarray,
        negatives: np.ndarray,
        density_pull: np.ndarray,
        rates: np.ndarray,
        objective: Objective,
        landmarks: np.ndarray | None,
    ) -> None:
        """Steps of gradient descent on UMAP's cross entropy of sampled edges.

        Parameters
        ----------
        heads, tails : ndarray of shape (n_steps, batch), int
            Samples at both ends of each edge.
        negatives : ndarray of shape (n_steps, negative_sample_rate, batch), int
            Places in the batch of tails whose points serve as negative samples.
        density_pull : ndarray of shape (n_steps, batch), float32
            Weight of each edge's squared length in the density term.
        rates : ndarray of shape (n_steps,), float32
        objective : Objective
        landmarks : ndarray of shape (n_samples, n_components), float32, or None
        """
        self._edge_steps(
            self.inputs.take(heads),
            self.inputs.take(tails),
            negatives,
            density_pull,
            rates,
            self._next_step(len(heads)),
            objective,
            self.samples.take(heads) if self.terms.reconstruction else None,
            landmarks[heads] if landmarks is not None else None,
        )

    def _next_step(self, n_steps: int) -> Any:
        """Number of the next step, for random numbers that depend on the seed alone."""
        self._n_steps += n_steps
        return tf.constant(self._n_steps - n_steps, dtype=tf.int32)

    def _fit_steps_eagerly(
        self,
        x_mixed: Any,
        z_mixed: Any,
        noise: Any,
        rates: Any,
        first: Any,
        x: Any | None,
        samples: Any | None,
        landmarks: Any | None,
    ) -> None:
        base = tf.identity(self.optimizer.learning_rate)
        for step in tf.range(tf.shape(x_mixed)[0]):
            jitter = tf.random.stateless_normal(
                tf.shape(x_mixed[step]), self._seed + tf.stack([0, first + step])
            )
            with tf.GradientTape() as tape:
                z = self.encoder(x_mixed[step] + noise * jitter, training=True)
                loss = tf.reduce_mean(_losses.distances(z_mixed[step], z))
                if x is not None:
                    loss += self._other_terms(
                        x[step],
                        self.encoder(x[step], training=True),
                        None if samples is None else samples[step],
                        None if landmarks is None else landmarks[step],
                    )
            self._descend(tape, loss, base * rates[step])
        self.optimizer.learning_rate.assign(base)

    def _edge_steps_eagerly(
        self,
        heads: Any,
        tails: Any,
        negatives: Any,
        density_pull: Any,
        rates: Any,
        first: Any,
        objective: Objective,
        samples: Any | None,
        landmarks: Any | None,
    ) -> None:
        base = tf.identity(self.optimizer.learning_rate)
        for step in tf.range(tf.shape(heads)[0]):
            with tf.GradientTape() as tape:
                both = tf.concat([heads[step], tails[step]], axis=0)
                z_heads, z_tails = tf.split(self.encoder(both, training=True), 2)
                away = tf.gather(z_tails, negatives[step])
                loss = _losses.cross_entropy(z_heads, z_tails, away, objective)
                squared = _losses.squared_distances(z_heads, z_tails)
                loss += tf.reduce_mean(density_pull[step] * squared)
                loss += self._other_terms(
                    heads[step],
                    z_heads,
                    None if samples is None else samples[step],
                    None if landmarks is None else landmarks[step],
                )
            self._descend(tape, loss, base * rates[step])
        self.optimizer.learning_rate.assign(base)

    def _other_terms(self, x: Any, z: Any, samples: Any | None, landmarks: Any | None) -> Any:
        """Reconstruction, landmarks and global correlation of one batch."""
        terms = self.terms
        loss = tf.constant(0.0)
        if terms.reconstruction is not None:
            seen = z if terms.autoencoder else tf.stop_gradient(z)
            output = self.decoder(seen, training=True)
            loss += terms.reconstruction_weight * terms.reconstruction.loss(samples, output)
        if terms.correlation_weight:
            loss += terms.correlation_weight * _losses.global_correlation(x, z)
        if terms.landmark_weight and landmarks is not None:
            loss += terms.landmark_weight * _losses.landmark_distance(
                landmarks, z, terms.landmark_loss_fn
            )
        return loss

    def _descend(self, tape: Any, loss: Any, rate: Any) -> None:
        variables = self.keras_model.trainable_variables
        gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
        # The rate that callbacks see and set is the base; the schedule multiplies it in here.
        self.optimizer.learning_rate.assign(rate)
        self.optimizer.apply(gradients, variables)
