"""The networks of a map during training: batches for their steps, current positions and losses.

`_training_steps` does the gradient steps; the solvers decide what to train on, and for how long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from embedscope.core.arrays._rows import Rows
from embedscope.core.decoder._decoder_training import DecoderTraining
from embedscope.core.layout._layout import Objective
from embedscope.core.networks._keras_step import added_loss
from embedscope.core.networks._networks import one_model
from embedscope.core.networks._probe import LossProbe
from embedscope.core.networks._reconstruction import Reconstruction
from embedscope.core.networks._tensorflow import keras, tf
from embedscope.core.networks._tracing import TracedOnce
from embedscope.core.solvers._training_steps import Terms, TrainingSteps

_REGULARIZED = 256  # samples for the regularisation loss in the history


class MapModel:
    """Encoder, decoder and optimiser, with the training steps of both solvers.

    A decoder trains in the encoder's steps, as in umap-learn, or separately in a `DecoderTraining`.

    Parameters
    ----------
    encoder : keras.Model
        Takes samples of ``inputs.shape``.
    decoder : keras.Model or None
        A decoder that trains together with the encoder.
    inputs : Rows
        The training samples as input of the encoder.
    samples : Rows
        The original data, which the decoder learns to reconstruct.
    optimizer : keras.Optimizer
    terms : Terms
    probe : LossProbe
        The edges on which the history's loss is computed.
    seed : int
    peak_rate : float or None
        Factor of the optimiser's learning rate at the start of a schedule; None for an optimiser of
        the user, whose rate is not changed.
    validation : tuple of Rows, optional
        Inputs and samples whose reconstruction loss is also reported.
    whole_encoder : callable, optional
        Makes an encoder of samples for Keras callbacks, if `encoder` takes another input.
    make_decoder_training : callable, optional
        Makes the separate training of a decoder. Called when it is first needed: it takes time, and
        the layout, which users see first, does not need it.
    folded : callable, optional
        Returns the user's encoder with the current weights, if it does not share the layers of
        `encoder`.
    distribution : tf.distribute.Strategy, optional
        Shares each batch of the training steps between devices; a separate decoder uses one.
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
        make_decoder_training: Callable[[], DecoderTraining] | None = None,
        distribution: Any | None = None,
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
        self._make_decoder_training = make_decoder_training
        together = [encoder] if decoder is None else [encoder, decoder]
        self._variables = [v for network in together for v in network.trainable_variables]
        self._networks = together
        optimizer.build(self._variables)
        self._steps = TrainingSteps(
            encoder,
            decoder,
            self._variables,
            optimizer,
            terms,
            self._typical_loss,
            seed,
            peak_rate,
            distribution,
        )
        self._encode = TracedOnce(lambda x: encoder(x, training=False))
        self._decode = TracedOnce(lambda z: self.decoder(z, training=False))
        self._pull = TracedOnce(self._pull_eagerly)
        self._regularization = TracedOnce(self._regularization_eagerly)

    @cached_property
    def decoder_training(self) -> DecoderTraining | None:
        """The separate training of a decoder, if there is one; made at first use."""
        if self._make_decoder_training is None:
            return None
        decoder_training = self._make_decoder_training()
        decoder_training.watch(self.encode)
        self._networks = [*self._networks, *decoder_training.trained]
        return decoder_training

    @cached_property
    def keras_model(self) -> Any:
        """The model of the Keras callbacks: both networks as one, which they can call and save."""
        model = self._with_decoder(
            self.encoder if self._whole_encoder is None else self._whole_encoder()
        )
        model.optimizer, model.stop_training = self.optimizer, False  # as Keras's own `fit` does
        model.reconstruction = self.reconstruction  # converts the decoder's output to data
        if self._folded is not None:
            model.save_weights = self._save_weights
        return model

    def _with_decoder(self, encoder: Any) -> Any:
        training = self.decoder_training
        return one_model(encoder, self.decoder if training is None else training.typical)

    def _save_weights(self, filepath: Any, overwrite: bool = True, **options: Any) -> None:
        """Save weights in the layout of the network that the user gets."""
        assert self._folded is not None
        if self._foldable is None:
            self._foldable = self._with_decoder(self._folded())
        self._folded()
        self._foldable.save_weights(filepath, overwrite, **options)

    @property
    def reconstruction(self) -> Reconstruction | None:
        """The target and output scaling of the decoder; None without a decoder."""
        training = self.decoder_training
        return self.terms.reconstruction if training is None else training.reconstruction

    def train_decoder(self, fraction: float) -> None:
        """Continue a separate decoder's training to the share `fraction`."""
        if self.decoder_training is not None:
            self.decoder_training.advance(fraction)

    def encode(self, rows: Rows | None = None, index: np.ndarray | None = None) -> np.ndarray:
        """Positions of samples, by default of all training samples, float32."""
        rows = self.inputs if rows is None else rows
        return np.concatenate(
            [self._encode(rows.take(block)).numpy() for block in rows.blocks(index)]
        )

    @property
    def values_per_sample(self) -> int:
        """Values of each sample that a step needs."""
        own = self.samples.n_features if self._needs_samples else 0
        return max(self.inputs.n_features, own)

    @property
    def is_table(self) -> bool:
        """Whether the encoder is a free table of positions."""
        return isinstance(self.encoder.layers[0], keras.layers.Embedding)

    def assign_table(self, positions: np.ndarray) -> None:
        """Put positions into the free table."""
        self.encoder.layers[0].set_weights([positions])

    def losses(self) -> dict[str, float]:
        """An entry of the history, computed with the current networks."""
        probe = self._probe
        losses = {"loss": probe.loss(lambda index: self.encode(index=index))}
        if self.terms.reconstruction is not None:
            losses["reconstruction_loss"] = self.reconstruction_loss(
                self.inputs, self.samples, probe.samples
            )
            if self._validation is not None:
                losses["val_reconstruction_loss"] = self.reconstruction_loss(*self._validation)
        if self.decoder_training is not None:
            losses |= self.decoder_training.losses()
            if self._validation is not None:
                inputs, samples = self._validation
                losses["val_reconstruction_loss"] = self.decoder_training.loss_of(
                    samples, self.encode(inputs)
                )
        if any(network.losses for network in self._networks):  # losses of their last call
            some = self.inputs.take(probe.samples[:_REGULARIZED])
            losses["regularization_loss"] = float(self._regularization(some))
        return losses

    def _regularization_eagerly(self, x: Any) -> Any:
        """The losses that the layers of all networks add for a batch."""
        position = self.encoder(x, training=False)
        loss = added_loss(self.encoder)
        if self.decoder is not None:
            self.decoder(position, training=False)
            loss += added_loss(self.decoder)
        if self.decoder_training is not None:
            loss += self.decoder_training.regularization(position)
        return loss

    def finish(self) -> None:
        """End the training: an optimiser that averages the weights now assigns the averages."""
        self.optimizer.finalize_variable_values(self._variables)
        if self.decoder_training is not None:
            self.decoder_training.finish()

    def reconstruction_loss(
        self, inputs: Rows, samples: Rows, index: np.ndarray | None = None
    ) -> float:
        """Mean reconstruction loss of samples, by default of all, with the current networks."""
        assert self.terms.reconstruction is not None
        total = 0.0
        for block in samples.blocks(index):
            output = self._decode(self._encode(inputs.take(block)))
            loss = self.terms.reconstruction.loss(tf.constant(samples.take(block)), output)
            total += float(loss) * len(output)
        return total / len(inputs if index is None else index)

    def reconstruction_pull(self, positions: np.ndarray) -> np.ndarray | None:
        """The force of the reconstruction on each sample: minus the gradient of its weighted loss.

        None if the encoder does not minimise the reconstruction loss.

        Parameters
        ----------
        positions : ndarray of shape (n_samples, n_components), float32

        Returns
        -------
        ndarray of shape (n_samples, n_components), float32, or None
        """
        if not self.terms.autoencoder or self.reconstruction is None:
            return None
        wanted = self.samples if self.decoder_training is None else self.decoder_training.targets
        pulls = [
            self._pull(positions[block], wanted.take(block)).numpy()
            for block in self.samples.blocks()
        ]
        return np.concatenate(pulls)

    def _pull_eagerly(self, positions: Any, wanted: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(positions)
            if self.decoder_training is not None:
                mean = self.decoder_training.typical_loss(wanted, positions)
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
        """Restore weights of `get_weights`; networks made since then do not change."""
        for network in self._networks:
            if not weights:
                break
            n_own = len(network.weights)
            network.set_weights(weights[:n_own])
            weights = weights[n_own:]

    def fit_steps(
        self,
        index: np.ndarray,
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
        noise : ndarray of shape (n_steps,), float32
            Standard deviation of the noise added to the samples.
        targets : ndarray of shape (n_samples, n_components), float32
        rates : ndarray of shape (n_steps,), float32
            Factors of the optimiser's learning rate.
        landmarks : ndarray of shape (n_samples, n_components), float32, or None
        """
        self._steps.fit(
            self.inputs.take(index),
            targets[index],
            noise,
            rates,
            self.samples.take(index) if self._needs_samples else None,
            landmarks[index] if landmarks is not None else None,
            self._wanted(index),
        )

    def _typical_loss(self, targets: Any, positions: Any) -> Any:
        """The loss of a separate decoder, a tensor."""
        assert self.decoder_training is not None
        return self.decoder_training.typical_loss(targets, positions)

    def _wanted(self, index: np.ndarray) -> np.ndarray | None:
        """The targets of a separate decoder, if the encoder minimises its loss too."""
        if not self.terms.autoencoder or self.decoder_training is None:
            return None
        return self.decoder_training.targets.take(index)

    @property
    def _needs_samples(self) -> bool:
        return bool(self._steps.minimises_reconstruction or self.terms.correlation_weight)

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
            Indices in the batch of tails, whose points serve as negative samples.
        density : ndarray of shape (n_steps, 2, batch), float32
            Weight of each edge's squared length in the density term, and the squared length for
            which it was computed.
        rates : ndarray of shape (n_steps,), float32
        objective : Objective
        landmarks : ndarray of shape (n_samples, n_components), float32, or None
        """
        self._steps.edges(
            self.inputs.take(heads),
            self.inputs.take(tails),
            negatives,
            density,
            rates,
            objective,
            self.samples.take(heads) if self._needs_samples else None,
            landmarks[heads] if landmarks is not None else None,
            self._wanted(heads),
        )
