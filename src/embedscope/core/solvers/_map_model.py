"""The networks of a map while they train: one gradient step, repeated, and the way out of them.

Knows Keras and TensorFlow; leaves what to train on, and for how long, to the solvers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from embedscope.core.arrays._rows import Rows
from embedscope.core.decoder._drawing import Drawing
from embedscope.core.layout._layout import Objective
from embedscope.core.networks import _losses
from embedscope.core.networks._keras_step import added_loss, descend
from embedscope.core.networks._networks import one_model
from embedscope.core.networks._probe import LossProbe
from embedscope.core.networks._reconstruction import Reconstruction
from embedscope.core.networks._tensorflow import keras, tf
from embedscope.core.networks._tracing import TracedOnce, each_in_turn

_NOISE_VALUES = 2**20  # of the row that all noise is cut from
_REGULARIZED = 256  # samples that the history's regularisation is computed on


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

    A decoder trains in the encoder's own steps, as in umap-learn, or apart in a `Drawing`.

    Parameters
    ----------
    encoder : keras.Model
        Takes samples of ``inputs.shape``.
    decoder : keras.Model or None
        One that trains together with the encoder.
    inputs : Rows
        What the encoder is trained on.
    samples : Rows
        The data themselves, which the decoder learns to give back.
    optimizer : keras.Optimizer
    terms : Terms
    probe : LossProbe
        The edges on which the history's loss is computed.
    seed : int
    peak_rate : float or None
        Factor of the optimiser's learning rate that a schedule may begin with; None for an
        optimiser whose rate is not ours to change.
    validation : tuple of Rows, optional
        Inputs and samples whose reconstruction loss is reported too.
    whole_encoder : callable, optional
        Makes the encoder that others should see, where `encoder` does not take the samples.
    make_drawing : callable, optional
        Makes the decoder that trains apart. Asked when it is first needed: it takes a while, and
        the layout, which people can look at, needs none.
    folded : callable, optional
        Gives the encoder that the user gets, with the weights as they are now, where that is not
        made of the layers that train.
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
        peak_rate: float | None = None,
        validation: tuple[Rows, Rows] | None = None,
        whole_encoder: Callable[[], Any] | None = None,
        folded: Callable[[], Any] | None = None,
        make_drawing: Callable[[], Drawing] | None = None,
    ) -> None:
        self.encoder = encoder
        self.decoder: Any = decoder
        self.inputs = inputs
        self.samples = samples
        self.optimizer = optimizer
        self.terms = terms
        self.peak_rate = peak_rate
        self._probe = probe
        self._validation = validation
        self._whole_encoder, self._folded = whole_encoder, folded
        self._foldable: Any = None
        self._make_drawing = make_drawing
        together = [encoder] if decoder is None else [encoder, decoder]
        self._variables = [v for network in together for v in network.trainable_variables]
        self._networks = together
        optimizer.build(self._variables)
        self._seed = tf.constant([seed, 0], dtype=tf.int32)
        self._noise_row: Any = None
        self._n_steps = 0
        self._encode = TracedOnce(lambda x: encoder(x, training=False))
        self._decode = TracedOnce(lambda z: self.decoder(z, training=False))
        self._pull = TracedOnce(self._pull_eagerly)
        self._regularization = TracedOnce(self._regularization_eagerly)
        self._fit_steps = TracedOnce(self._fit_steps_eagerly, n_free_axes=2)
        self._edge_steps = TracedOnce(self._edge_steps_eagerly, n_free_axes=2)

    @cached_property
    def drawing(self) -> Drawing | None:
        """The decoder that trains apart, if there is one; made now if it was not yet."""
        if self._make_drawing is None:
            return None
        drawing = self._make_drawing()
        drawing.watch(self.encode)
        self._networks = [*self._networks, *drawing.trained]
        return drawing

    @cached_property
    def keras_model(self) -> Any:
        """What Keras callbacks see: one model of both networks, which they can call and save."""
        model = self._with_decoder(
            self.encoder if self._whole_encoder is None else self._whole_encoder()
        )
        model.optimizer, model.stop_training = self.optimizer, False  # as Keras's own `fit` does
        model.reconstruction = self.reconstruction  # makes data of what the decoder gives
        if self._folded is not None:
            model.save_weights = self._save_weights
        return model

    def _with_decoder(self, encoder: Any) -> Any:
        return one_model(encoder, self.decoder if self.drawing is None else self.drawing.typical)

    def _save_weights(self, filepath: Any, overwrite: bool = True, **options: Any) -> None:
        """Save weights that fit the network that the user gets."""
        assert self._folded is not None
        if self._foldable is None:
            self._foldable = self._with_decoder(self._folded())
        self._folded()
        self._foldable.save_weights(filepath, overwrite, **options)

    @property
    def reconstruction(self) -> Reconstruction | None:
        """What the decoder learns, and how its output becomes data; None without a decoder."""
        return self.terms.reconstruction if self.drawing is None else self.drawing.reconstruction

    def draw(self, fraction: float) -> None:
        """Let a decoder that trains apart go on, to the share `fraction` of its training."""
        if self.drawing is not None:
            self.drawing.advance(fraction)

    def encode(self, rows: Rows | None = None, index: np.ndarray | None = None) -> np.ndarray:
        """Positions of samples (the training samples, and all of them, unless given), float32."""
        rows = self.inputs if rows is None else rows
        return np.concatenate(
            [self._encode(rows.take(block)).numpy() for block in rows.blocks(index)]
        )

    @property
    def values_per_sample(self) -> int:
        """Values that a step takes of each sample."""
        own = self.samples.n_features if self._needs_samples else 0
        return max(self.inputs.n_features, own)

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
        losses = {"loss": probe.loss(lambda index: self.encode(index=index))}
        if self.terms.reconstruction is not None:
            losses["reconstruction_loss"] = self.reconstruction_loss(
                self.inputs, self.samples, probe.samples
            )
            if self._validation is not None:
                losses["val_reconstruction_loss"] = self.reconstruction_loss(*self._validation)
        if self.drawing is not None:
            losses |= self.drawing.losses()
            if self._validation is not None:
                inputs, samples = self._validation
                losses["val_reconstruction_loss"] = self.drawing.loss_of(
                    samples, self.encode(inputs)
                )
        if any(network.losses for network in self._networks):  # of their last call
            some = self.inputs.take(probe.samples[:_REGULARIZED])
            losses["regularization_loss"] = float(self._regularization(some))
        return losses

    def _regularization_eagerly(self, x: Any) -> Any:
        """What the layers of all networks add to the loss, for a batch."""
        position = self.encoder(x, training=False)
        loss = added_loss(self.encoder)
        if self.decoder is not None:
            self.decoder(position, training=False)
            loss += added_loss(self.decoder)
        if self.drawing is not None:
            loss += self.drawing.regularization(position)
        return loss

    def finish(self) -> None:
        """End the training: an optimiser that averages the weights puts the averages in place."""
        self.optimizer.finalize_variable_values(self._variables)
        if self.drawing is not None:
            self.drawing.finish()

    def reconstruction_loss(
        self, inputs: Rows, samples: Rows, index: np.ndarray | None = None
    ) -> float:
        """Mean reconstruction loss of samples (all, unless given), as the networks are now."""
        assert self.terms.reconstruction is not None
        total = 0.0
        for block in samples.blocks(index):
            output = self._decode(self._encode(inputs.take(block)))
            loss = self.terms.reconstruction.loss(tf.constant(samples.take(block)), output)
            total += float(loss) * len(output)
        return total / len(inputs if index is None else index)

    def reconstruction_pull(self, positions: np.ndarray) -> np.ndarray | None:
        """Where the reconstruction wants each sample: minus the gradient of its weighted loss.

        None where the encoder is not to feel it.

        Parameters
        ----------
        positions : ndarray of shape (n_samples, n_components), float32

        Returns
        -------
        ndarray of shape (n_samples, n_components), float32, or None
        """
        if not self.terms.autoencoder or self.reconstruction is None:
            return None
        wanted = self.samples if self.drawing is None else self.drawing.targets
        pulls = [
            self._pull(positions[block], wanted.take(block)).numpy()
            for block in self.samples.blocks()
        ]
        return np.concatenate(pulls)

    def _pull_eagerly(self, positions: Any, wanted: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(positions)
            if self.drawing is not None:
                mean = self.drawing.place_loss(wanted, positions)
            else:
                assert self.terms.reconstruction is not None
                output = self.decoder(positions, training=False)
                mean = self.terms.reconstruction.loss(wanted, output)
            total = mean * tf.cast(tf.shape(positions)[0], mean.dtype)
        return -self.terms.reconstruction_weight * tape.gradient(total, positions)

    def get_weights(self) -> list[np.ndarray]:
        """A copy of all weights."""
        return [np.array(weight) for network in self._networks for weight in network.get_weights()]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Put weights of `get_weights` back; networks made since then stay as they are."""
        for network in self._networks:
            if not weights:
                break
            n_own = len(network.weights)
            network.set_weights(weights[:n_own])
            weights = weights[n_own:]

    def fit_steps(
        self,
        index: np.ndarray,
        partners: np.ndarray,
        mix: np.ndarray,
        noise: np.ndarray,
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
        noise : ndarray of shape (n_steps,), float32
            Standard deviation of the noise added to mixed samples.
        targets : ndarray of shape (n_samples, n_components), float32
        rates : ndarray of shape (n_steps,), float32
            Factors of the optimiser's learning rate.
        landmarks : ndarray of shape (n_samples, n_components), float32, or None
        """
        if self._noise_row is None:
            n_values = max(_NOISE_VALUES, 2 * index.shape[-1] * self.inputs.n_features)
            self._noise_row = tf.random.stateless_normal((n_values,), self._seed)
        x, z = self.inputs.take(index), targets[index]
        share = mix.reshape(*mix.shape, *[1] * (x.ndim - 2))
        x_mixed = x + share * (self.inputs.take(partners) - x)
        z_mixed = z + mix[..., None] * (targets[partners] - z)
        needs_clean = self._needs_clean
        self._fit_steps(
            x_mixed,
            z_mixed,
            noise,
            rates,
            self._next_step(len(index)),
            x if needs_clean else None,
            self.samples.take(index) if self._needs_samples else None,
            landmarks[index] if landmarks is not None else None,
            self._wanted(index),
        )

    @property
    def _needs_clean(self) -> bool:
        if self._needs_samples or self.terms.landmark_weight:
            return True
        return self.terms.autoencoder and self.drawing is not None

    def _wanted(self, index: np.ndarray) -> np.ndarray | None:
        """What a decoder that trains apart is to give, where the encoder is to feel it."""
        if not self.terms.autoencoder or self.drawing is None:
            return None
        return self.drawing.targets.take(index)

    @property
    def _needs_samples(self) -> bool:
        return bool(self._learns_to_draw or self.terms.correlation_weight)

    @property
    def _learns_to_draw(self) -> bool:
        """Some network feels the reconstruction; a decoder of frozen layers is only reported on."""
        if self.terms.reconstruction is None:
            return False
        return self.terms.autoencoder or bool(self.decoder.trainable_variables)

    def edge_steps(
        self,
        heads: np.ndarray,
        tails: np.ndarray,
        negatives: np.ndarray,
        density: np.ndarray,
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
        density : ndarray of shape (n_steps, 2, batch), float32
            Weight of each edge's squared length in the density term, and the squared length that
            this holds for.
        rates : ndarray of shape (n_steps,), float32
        objective : Objective
        landmarks : ndarray of shape (n_samples, n_components), float32, or None
        """
        self._edge_steps(
            self.inputs.take(heads),
            self.inputs.take(tails),
            negatives,
            density,
            rates,
            self._next_step(len(heads)),
            objective,
            self.samples.take(heads) if self._needs_samples else None,
            landmarks[heads] if landmarks is not None else None,
            self._wanted(heads),
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
        wanted: Any | None,
    ) -> None:
        base = self._base_rate()

        def fit_step(step: Any) -> None:
            jitter = self._jitter(tf.shape(x_mixed[step]), first + step)
            with tf.GradientTape() as tape:
                z = self.encoder(x_mixed[step] + noise[step] * jitter, training=True)
                loss = tf.reduce_mean(_losses.distances(z_mixed[step], z))
                loss += added_loss(self.encoder)
                if x is not None:
                    loss += self._other_terms(
                        self.encoder(x[step], training=True),
                        None if samples is None else samples[step],
                        None if landmarks is None else landmarks[step],
                        None if wanted is None else wanted[step],
                    )
            self._descend(tape, loss, base * rates[step])

        each_in_turn(fit_step, tf.shape(x_mixed)[0])
        self._restore_rate(base)

    def _jitter(self, shape: Any, step: Any) -> Any:
        """Normal noise for a step: a stretch of one long row of it that begins anywhere.

        To draw fresh numbers for every pixel took longer than the encoder's own step.
        """
        n_values = tf.reduce_prod(shape)
        last = tf.size(self._noise_row) - n_values + 1
        start = tf.random.stateless_uniform(
            (), self._seed + tf.stack([0, step]), 0, last, dtype=tf.int32
        )
        return tf.reshape(self._noise_row[start : start + n_values], shape)

    def _edge_steps_eagerly(
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

        def edge_step(step: Any) -> None:
            with tf.GradientTape() as tape:
                both = tf.concat([heads[step], tails[step]], axis=0)
                z_heads, z_tails = tf.split(self.encoder(both, training=True), 2)
                away = tf.gather(z_tails, negatives[step])
                loss = _losses.cross_entropy(z_heads, z_tails, away, objective)
                loss += added_loss(self.encoder)
                squared = _losses.squared_distances(z_heads, z_tails)
                loss += _losses.density_term(density[step, 0], squared, density[step, 1])
                loss += self._other_terms(
                    z_heads,
                    None if samples is None else samples[step],
                    None if landmarks is None else landmarks[step],
                    None if wanted is None else wanted[step],
                )
            self._descend(tape, loss, base * rates[step])

        each_in_turn(edge_step, tf.shape(heads)[0])
        self._restore_rate(base)

    def _other_terms(
        self, z: Any, samples: Any | None, landmarks: Any | None, wanted: Any | None
    ) -> Any:
        """Reconstruction, landmarks and global correlation of one batch."""
        terms = self.terms
        loss = tf.constant(0.0)
        if terms.reconstruction is not None and self._learns_to_draw:
            seen = z if terms.autoencoder else tf.stop_gradient(z)
            output = self.decoder(seen, training=True)
            loss += terms.reconstruction_weight * terms.reconstruction.loss(samples, output)
            loss += added_loss(self.decoder)
        if wanted is not None and self.drawing is not None:
            loss += terms.reconstruction_weight * self.drawing.place_loss(wanted, z)
        if terms.correlation_weight:
            loss += terms.correlation_weight * _losses.global_correlation(samples, z)
        if terms.landmark_weight and landmarks is not None:
            loss += terms.landmark_weight * _losses.landmark_distance(
                landmarks, z, terms.landmark_loss_fn
            )
        return loss

    def _base_rate(self) -> Any:
        """The rate that callbacks see and set; each step multiplies its own factor in.

        The rate of an optimiser of the user's may be a schedule, so it is left alone.
        """
        return (
            tf.identity(self.optimizer.learning_rate)
            if self.peak_rate is not None
            else tf.constant(1.0)
        )

    def _restore_rate(self, base: Any) -> None:
        if self.peak_rate is not None:
            self.optimizer.learning_rate.assign(base)

    def _descend(self, tape: Any, loss: Any, rate: Any) -> None:
        if self.peak_rate is not None:
            self.optimizer.learning_rate.assign(rate)
        descend(tape, loss, self._variables, self.optimizer)
