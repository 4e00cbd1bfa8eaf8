"""Training of the decoder and the style code, which does not change the encoder or the map.

The decoder learns from the positions that the encoder gives, computed again before each pass. It
gets the style code of only half of the samples, and learns to decode the others without a code. So
it decodes the typical sample of a position if no code is given. Some samples may be held out: their
loss measures how much position and code explain of unseen samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from embedscope.core.arrays._principal_axes import principal_axes
from embedscope.core.arrays._rows import Rows
from embedscope.core.decoder._decoder_targets import Targets
from embedscope.core.decoder._spread import fit_spread
from embedscope.core.decoder._style_networks import (
    CURVED,
    HIDDEN,
    STRAIGHT,
    style_encoder,
    with_empty_code,
)
from embedscope.core.networks._forward import Forward
from embedscope.core.networks._keras_step import added_loss, descend
from embedscope.core.networks._reconstruction import Reconstruction
from embedscope.core.networks._tensorflow import tf
from embedscope.core.networks._tracing import TracedOnce, each_in_turn

# Most passes, enough steps, fewest passes: for the built-in networks, which start near the optimum,
# and for a user's decoder, which does not.
_LENGTH, _OWN_LENGTH = (60, 400, 6), (200, 2_000, 28)
_BATCH_SIZE = 64
_LARGE_BATCH_SIZE, _LARGE = 128, 4_000  # for that many samples
_CALL_STEPS = 64  # steps in one call of TensorFlow, which takes some tens of milliseconds
_POSITION_NOISE = 1.0  # of the distance on the map at which the similarity is 1/2
_SHOWN_CODES = 0.5  # share of the samples whose code the decoder gets
_SCORED = 1_000  # training samples in each entry of the history
_LAST_RATE = 0.05  # of the learning rate, at the end of its linear decay
_BEGIN = 0.05  # of the encoder's training; positions before that mean little
_CODE_SAMPLES, _SPREAD_SAMPLES = 10_000, 5_000  # training samples that are enough
_CALL_VALUES = 2**22  # most values of the targets in one call: 16 MiB
_RIDGE = 0.1  # of the mean square of a hidden unit


@dataclass
class DecoderNetworks:
    """The networks of a decoder that trains separately.

    Attributes
    ----------
    decoder : keras.Model
        From a position and a style code to standardised samples.
    trunk : keras.Model
        From the same input to the targets: components, or the decoder itself.
    head : keras.Model or None
        From the residual (sample minus typical sample) to the code; None without codes.
    axes : ndarray of shape (n_axes, n_features), float32, or None
        Between components and standardised samples.
    """

    decoder: Any
    trunk: Any
    head: Any | None
    axes: np.ndarray | None

    @property
    def n_style(self) -> int:
        """Numbers in a style code."""
        return 0 if self.head is None else int(self.head.output_shape[-1])


class DecoderTraining:
    """Decoder, style head and their optimiser, with the training steps.

    Parameters
    ----------
    networks : DecoderNetworks
    samples : Rows
    targets : Targets
        What the trunk learns of the samples.
    reconstruction : Reconstruction
    training, held_out : ndarray of int
        Samples to learn from, and samples for the validation loss.
    n_components : int
        Coordinates of a position.
    half_distance : float
        Distance on the map at which the similarity of two samples is 1/2.
    optimizer : keras.Optimizer
        Used by this training only.
    peak_rate : float or None
        Initial factor of the optimiser's rate; None for an optimiser of the user, whose rate is not
        changed.
    length : int
        1 is the standard length of the training.
    seed : int

    Attributes
    ----------
    trained : list of keras.Model
        The networks that learn.
    """

    def __init__(
        self,
        networks: DecoderNetworks,
        samples: Rows,
        targets: Targets,
        reconstruction: Reconstruction,
        training: np.ndarray,
        held_out: np.ndarray,
        n_components: int,
        half_distance: float,
        optimizer: Any,
        *,
        peak_rate: float | None,
        length: int,
        seed: int,
    ) -> None:
        self.networks = networks
        self._samples = samples
        self.targets = targets
        self.reconstruction = reconstruction
        self.training, self.held_out = training, held_out
        self._n_components = n_components
        self._positions: Callable[[], np.ndarray] = lambda: np.empty((0, n_components), np.float32)
        self._noise = np.float32(_POSITION_NOISE * half_distance)
        self._optimizer, self._peak_rate = optimizer, peak_rate
        self._rng = np.random.default_rng([seed, 12])
        self._seed = tf.constant([seed, 1], dtype=tf.int32)
        self.trained = [net for net in (networks.trunk, networks.head) if net is not None]
        self._variables = [v for net in self.trained for v in net.trainable_variables]
        optimizer.build(self._variables)
        large = len(training) >= _LARGE
        self._batch_size = min(
            _LARGE_BATCH_SIZE if large else _BATCH_SIZE, max(1, len(training) // 4)
        )
        per_pass = max(1, len(training) // self._batch_size)
        most, enough, fewest = _OWN_LENGTH if networks.axes is None else _LENGTH
        self._n_steps = length * min(most * per_pass, max(enough, fewest * per_pass))
        values = self._batch_size * targets.rows.n_features
        self._call_steps = max(1, min(_CALL_STEPS, _CALL_VALUES // values))
        self._done = 0
        self._pass: list[np.ndarray] = []
        self._at = np.empty((0, n_components), np.float32)
        self._has_codes = False
        self._forward = Forward(networks.trunk)
        self._steps = TracedOnce(self._steps_eagerly, n_free_axes=2)

    def watch(self, positions: Callable[[], np.ndarray]) -> None:
        """Set the source of positions; ``positions()`` has shape (n_samples, n_components)."""
        self._positions = positions

    @cached_property
    def typical(self) -> Any:
        """The decoder with an empty code, a network of the position alone."""
        return with_empty_code(self.networks.decoder, self._n_components)

    # -- training --------------------------------------------------------------------------------

    def advance(self, fraction: float) -> None:
        """Continue until the share `fraction` of the training is done.

        Does nothing in the first twentieth, in which the encoder's positions mean little.
        """
        wanted = self._n_steps * (fraction if fraction >= _BEGIN else 0.0)
        while self._done < int(wanted):
            if not self._pass:
                self._begin_pass()
            if not np.isfinite(self._at).all():
                return  # the encoder has diverged, and the run will stop
            n_steps = min(int(wanted) - self._done, len(self._pass), self._call_steps)
            index = np.stack(self._pass[:n_steps])
            del self._pass[:n_steps]
            self._learn(index)
            self._done += n_steps

    def _begin_pass(self) -> None:
        """Compute the current positions, and shuffle the samples into batches."""
        self._at = self._positions()
        if not self._done and self.networks.axes is not None and np.isfinite(self._at).all():
            self._initialise_trunk()
        order = self._rng.permutation(self.training)
        n_batches = max(1, len(order) // self._batch_size)
        self._pass = list(order[: n_batches * self._batch_size].reshape(n_batches, -1))

    def _learn(self, index: np.ndarray) -> None:
        shown = self._rng.random(index.shape) < _SHOWN_CODES
        progress = (self._done + np.arange(len(index))) / self._n_steps
        factor = 1.0 if self._peak_rate is None else self._peak_rate
        falls = self._peak_rate is not None
        rates = factor * (1.0 - (1.0 - _LAST_RATE) * progress if falls else np.ones(len(index)))
        self._steps(
            self._at[index],
            self.targets.take(index),
            (shown & self._has_codes).astype(np.float32)[..., None],
            rates.astype(np.float32),
            tf.constant(self._done, dtype=tf.int32),
        )

    def _steps_eagerly(
        self, positions: Any, targets: Any, shown: Any, rates: Any, first: Any
    ) -> None:
        optimizer = self._optimizer
        base = tf.identity(optimizer.learning_rate) if self._peak_rate is not None else None

        def decoder_step(step: Any) -> None:
            jitter = tf.random.stateless_normal(
                tf.shape(positions[step]), self._seed + tf.stack([0, first + step])
            )
            position, target = positions[step] + self._noise * jitter, targets[step]
            with tf.GradientTape() as tape:
                code = shown[step] * self._code(position, target)
                decoded = self.networks.trunk(self._joined(position, code), training=True)
                loss = self.loss(target, decoded) + added_loss(self.networks.trunk)
            if base is not None:
                optimizer.learning_rate.assign(base * rates[step])
            descend(tape, loss, self._variables, optimizer)

        each_in_turn(decoder_step, tf.shape(positions)[0])
        if base is not None:
            optimizer.learning_rate.assign(base)

    def finish(self) -> None:
        """End the training: an optimiser that averages the weights now assigns the averages."""
        if self._done:  # before the first step there is no average
            self._optimizer.finalize_variable_values(self._variables)

    def regularization(self, positions: Any) -> Any:
        """The losses that the trunk's layers add for a batch, a tensor."""
        self.networks.trunk(self._joined(positions, None), training=False)
        return added_loss(self.networks.trunk)

    def loss(self, targets: Any, decoded: Any) -> Any:
        """The loss of the training: mean squared error, or the user's loss."""
        if self.reconstruction.loss_fn is not None:
            return self.reconstruction.loss(targets, decoded)
        return tf.reduce_mean(tf.square(targets - decoded))

    def _code(self, position: Any, target: Any) -> Any:
        """Style codes of samples with the given positions, tensors."""
        n_samples = tf.shape(position)[0]
        if self.networks.head is None:
            return tf.zeros((n_samples, 0))
        typical = self.networks.trunk(self._joined(position, None), training=False)
        residual = tf.stop_gradient(tf.reshape(target - typical, (n_samples, -1)))
        return self.networks.head(residual)

    def _joined(self, position: Any, code: Any | None) -> Any:
        """Position and code as one input of the trunk; an empty code is zero."""
        if code is None:
            code = tf.zeros((tf.shape(position)[0], self.networks.n_style))
        return tf.concat([position, code], axis=1)

    def _initialise_trunk(self) -> None:
        """Initialise the last layer of the built-in trunk by ridge regression.

        The relu of each first hidden unit bends at the position of a sample, so that the units
        cover the map evenly.
        """
        trunk, n_components = self.networks.trunk, self._n_components
        chosen = self._rng.permutation(self.training)[:_CODE_SAMPLES]
        positions, wanted = self._at[chosen], self.targets.take(chosen)
        first, second = (trunk.get_layer(name) for name in HIDDEN)
        kernel, bias = first.get_weights()
        kernel[n_components:] = 0.0  # at first a code acts through the linear layer only
        width = positions.std(axis=0)
        kernel[:n_components] /= np.where(width > 0.0, width, 1.0)[:, None]
        bends = positions[self._rng.integers(len(positions), size=len(bias))]
        first.set_weights([kernel, -(bends * kernel[:n_components].T).sum(axis=1)])
        joined = np.pad(positions, ((0, 0), (0, self.networks.n_style)))
        features = np.asarray(second(first(joined)), dtype=np.float64)
        mean, aim = features.mean(axis=0), wanted.mean(axis=0, dtype=np.float64)
        features -= mean
        products = features.T @ features
        products.flat[:: len(products) + 1] += _RIDGE * (products.diagonal().mean() or 1.0)
        solved = np.linalg.solve(products, features.T @ (wanted - aim))
        trunk.get_layer(CURVED).set_weights([solved, aim - mean @ solved])

    def _initialise_codes(self) -> None:
        """Initialise the style codes with the leading principal components of the residuals."""
        self._has_codes = True
        head = self.networks.head
        if head is None:
            return
        chosen = self._rng.permutation(self.training)[:_CODE_SAMPLES]
        residual = self.targets.take(chosen) - self._decode(self._positions()[chosen])
        flat = residual.reshape(len(chosen), -1)
        axes = principal_axes(flat - flat.mean(axis=0), self.networks.n_style)
        deviation = (flat @ axes).std(axis=0)
        deviation[deviation <= 0.0] = 1.0
        head.layers[-1].set_weights([axes / deviation, np.zeros(axes.shape[1], np.float32)])
        if self.networks.axes is not None:
            straight = self.networks.trunk.get_layer(STRAIGHT)
            (kernel,) = straight.get_weights()
            kernel[self._n_components :] = (axes * deviation).T
            straight.set_weights([kernel])

    # -- results ---------------------------------------------------------------------------------

    def typical_loss(self, targets: Any, positions: Any) -> Any:
        """The loss of typical samples, a tensor, for an encoder that minimises it too."""
        typical = self.networks.trunk(self._joined(positions, None), training=False)
        return self.loss(targets, typical)

    def loss_of(self, samples: Rows, positions: np.ndarray) -> float:
        """The loss of other samples, decoded from their positions alone."""
        decoded = Forward(self.typical)(Rows(positions, positions.shape[1:], positions.shape[1:]))
        wanted = self.reconstruction.standardised(samples.whole()).reshape(decoded.shape)
        if self.reconstruction.loss_fn is not None:
            return float(self.loss(tf.constant(wanted), tf.constant(decoded)))
        energy = float(np.square(wanted, dtype=np.float64).sum())
        error = float(np.square(wanted - decoded, dtype=np.float64).sum())
        return error / energy if energy > 0 else 0.0

    def losses(self) -> dict[str, float]:
        """Losses of training and held-out samples, decoded by position alone and with codes."""
        at = self._positions()
        if not np.isfinite(at).all():
            return {"reconstruction_loss": np.nan}
        if not self._has_codes:
            self._initialise_codes()
        parts = {"": self.training[:: max(1, len(self.training) // _SCORED)], "val_": self.held_out}
        losses = {}
        for part, index in parts.items():
            if not len(index):
                continue
            losses[f"{part}reconstruction_loss"] = self._score(index, self._decode(at[index]))
            if self.networks.head is not None:
                codes = self.codes(index, at[index])
                decoded = self._decode(at[index], codes)
                losses[f"{part}style_reconstruction_loss"] = self._score(index, decoded)
        return losses

    def _score(self, index: np.ndarray, decoded: np.ndarray) -> float:
        """The loss of decoded samples: the user's, or the error as a share of the mean sample's."""
        if self.reconstruction.loss_fn is not None:
            return float(self.loss(tf.constant(self.targets.take(index)), tf.constant(decoded)))
        error, energy = self.targets.errors(index, decoded).sum(), self.targets.energy[index].sum()
        return float(error / energy) if energy > 0 else 0.0

    def codes(self, index: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Style codes of training samples with these positions, shape (n, n_style), float32."""
        residual = self.targets.take(index) - self._decode(positions)
        assert self.networks.head is not None
        return np.asarray(self.networks.head(residual.reshape(len(index), -1)))

    def _decode(self, positions: np.ndarray, codes: np.ndarray | None = None) -> np.ndarray:
        """The trunk's output for positions, and codes if there are any."""
        if codes is None:
            codes = np.zeros((len(positions), self.networks.n_style), np.float32)
        joined = np.concatenate([positions, codes], axis=1)
        return self._forward(Rows(joined, joined.shape[1:], joined.shape[1:]))

    def spread(self) -> Any | None:
        """The network of the variance of unseen samples around the typical one; see `fit_spread`.

        None if no sample was held out.
        """
        if not len(self.held_out):
            return None
        at = self._positions()
        seen = self._rng.permutation(self.training)[:_SPREAD_SAMPLES]
        return fit_spread(
            at[seen],
            self._squares(seen, at[seen]),
            at[self.held_out],
            self._squares(self.held_out, at[self.held_out]),
            self.reconstruction.offset.shape,
            self._rng,
        )

    def _squares(self, index: np.ndarray, positions: np.ndarray) -> Callable[[slice], np.ndarray]:
        """A function of a block: squared differences of standardised and typical samples."""
        decode = Forward(self.typical)

        def block(part: slice) -> np.ndarray:
            some = positions[part]
            typical = decode(Rows(some, some.shape[1:], some.shape[1:]))
            samples = self.reconstruction.standardised(self._samples.flat[index[part]])
            return np.square(samples - typical.reshape(len(some), -1))

        return block

    def style_encoder(self, encoder: Any, *, reads_both: bool = False) -> Any | None:
        """The network from samples to style codes, made with the encoder; see `style_encoder`."""
        if self.networks.head is None:
            return None
        if not self._has_codes:  # stopped before the first report
            self._initialise_codes()
        inner = with_empty_code(self.networks.trunk, self._n_components)
        return style_encoder(
            encoder,
            inner,
            self.networks.head,
            self.networks.axes,
            self.reconstruction,
            reads_both=reads_both,
        )
