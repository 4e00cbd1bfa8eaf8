"""Training the decoder and the style code, beside the encoder and without a say in the map.

The decoder learns on the places that the encoder gives, which are asked for anew at each pass, and
sees a sample's style code for half of the samples only: for the others it learns to draw without.
So it draws the typical sample of a place where no code is given. Some samples may be kept out of
all this: on them is measured what place and code explain of samples not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from embedscope.core.arrays._principal_axes import principal_axes
from embedscope.core.arrays._rows import Rows
from embedscope.core.decoder._drawn_targets import Targets
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

# Most passes, enough steps, fewest passes: of the built-in networks, which begin near their end,
# and of a decoder of the user's, which does not.
_LENGTH, _OWN_LENGTH = (60, 400, 6), (200, 2_000, 28)
_BATCH_SIZE = 64
_LARGE_BATCH_SIZE, _LARGE = 128, 4_000  # for that many samples
_CALL_STEPS = 64  # handed to TensorFlow at once: some tens of milliseconds
_PLACE_NOISE = 1.0  # of the distance at which two samples are half alike
_SHOWN_CODES = 0.5  # share of the samples whose code the decoder sees
_SCORED = 1_000  # training samples that a report looks at
_LAST_RATE = 0.05
_BEGIN = 0.05  # of the encoder's training: before, its places mean little
_CODE_SAMPLES, _SPREAD_SAMPLES = 10_000, 5_000  # as many training samples are enough
_CALL_VALUES = 2**22
_RIDGE = 0.1  # of the mean square of a hidden unit


@dataclass
class DrawnNetworks:
    """The networks that draw.

    Attributes
    ----------
    decoder : keras.Model
        From a place, with a style code behind it, to standardised samples.
    trunk : keras.Model
        From the same to what is learned: components, or the decoder itself.
    head : keras.Model or None
        From what a place leaves open to the code; None without codes.
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


class Drawing:
    """Decoder, style head and their optimiser, with the steps that train them.

    Parameters
    ----------
    networks : DrawnNetworks
    samples : Rows
    targets : Targets
        What the networks' trunk learns of the samples.
    reconstruction : Reconstruction
    training, held_out : ndarray of int
        Samples to learn from, and samples to be measured on.
    n_components : int
        Coordinates of a place.
    half_distance : float
        Distance on the map at which two samples are half alike.
    optimizer : keras.Optimizer
        Of this training alone.
    peak_rate : float or None
        Factor of its rate to begin with; None for one whose rate is not ours to change.
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
        networks: DrawnNetworks,
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
        self._places: Callable[[], np.ndarray] = lambda: np.empty((0, n_components), np.float32)
        self._noise = np.float32(_PLACE_NOISE * half_distance)
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
        self._knows_codes = False
        self._forward = Forward(networks.trunk)
        self._steps = TracedOnce(self._steps_eagerly, n_free_axes=2)

    def watch(self, places: Callable[[], np.ndarray]) -> None:
        """Say where the samples are: ``places()`` gives all, shape (n_samples, n_components)."""
        self._places = places

    @cached_property
    def typical(self) -> Any:
        """The decoder without a code, a network of the place alone."""
        return with_empty_code(self.networks.decoder, self._n_components)

    # -- training --------------------------------------------------------------------------------

    def advance(self, fraction: float) -> None:
        """Go on until the share `fraction` of the training is done.

        Nothing is done in the first twentieth: the encoder's places mean little then.
        """
        wanted = self._n_steps * (fraction if fraction >= _BEGIN else 0.0)
        while self._done < int(wanted):
            if not self._pass:
                self._begin_pass()
            if not np.isfinite(self._at).all():
                return  # the encoder has come apart, and the run will stop
            n_steps = min(int(wanted) - self._done, len(self._pass), self._call_steps)
            index = np.stack(self._pass[:n_steps])
            del self._pass[:n_steps]
            self._learn(index)
            self._done += n_steps

    def _begin_pass(self) -> None:
        """Ask where the samples are by now, and shuffle them into batches."""
        self._at = self._places()
        if not self._done and self.networks.axes is not None and np.isfinite(self._at).all():
            self._place_features()
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
            (shown & self._knows_codes).astype(np.float32)[..., None],
            rates.astype(np.float32),
            tf.constant(self._done, dtype=tf.int32),
        )

    def _steps_eagerly(self, places: Any, targets: Any, shown: Any, rates: Any, first: Any) -> None:
        optimizer = self._optimizer
        base = tf.identity(optimizer.learning_rate) if self._peak_rate is not None else None

        def draw_step(step: Any) -> None:
            jitter = tf.random.stateless_normal(
                tf.shape(places[step]), self._seed + tf.stack([0, first + step])
            )
            place, target = places[step] + self._noise * jitter, targets[step]
            with tf.GradientTape() as tape:
                code = shown[step] * self._code(place, target)
                drawn = self.networks.trunk(self._joined(place, code), training=True)
                loss = self.loss(target, drawn) + added_loss(self.networks.trunk)
            if base is not None:
                optimizer.learning_rate.assign(base * rates[step])
            descend(tape, loss, self._variables, optimizer)

        each_in_turn(draw_step, tf.shape(places)[0])
        if base is not None:
            optimizer.learning_rate.assign(base)

    def finish(self) -> None:
        """End the training: an optimiser that averages the weights puts the averages in place."""
        if self._done:  # before the first step there is no average
            self._optimizer.finalize_variable_values(self._variables)

    def regularization(self, places: Any) -> Any:
        """What the trunk's layers add to the loss, for a batch, a tensor."""
        self.networks.trunk(self._joined(places, None), training=False)
        return added_loss(self.networks.trunk)

    def loss(self, targets: Any, drawn: Any) -> Any:
        """What is minimised: mean squared error, or the user's loss."""
        if self.reconstruction.loss_fn is not None:
            return self.reconstruction.loss(targets, drawn)
        return tf.reduce_mean(tf.square(targets - drawn))

    def _code(self, place: Any, target: Any) -> Any:
        """Style codes of samples at places, tensors."""
        n_samples = tf.shape(place)[0]
        if self.networks.head is None:
            return tf.zeros((n_samples, 0))
        typical = self.networks.trunk(self._joined(place, None), training=False)
        left_open = tf.stop_gradient(tf.reshape(target - typical, (n_samples, -1)))
        return self.networks.head(left_open)

    def _joined(self, place: Any, code: Any | None) -> Any:
        """Place and code as the trunk takes them; an empty code is zero."""
        if code is None:
            code = tf.zeros((tf.shape(place)[0], self.networks.n_style))
        return tf.concat([place, code], axis=1)

    def _place_features(self) -> None:
        """Begin the built-in trunk at the best that its last layer can do, a ridge regression.

        The hidden units bend at places of samples, so that they describe the map evenly.
        """
        trunk, n_components = self.networks.trunk, self._n_components
        chosen = self._rng.permutation(self.training)[:_CODE_SAMPLES]
        places, wanted = self._at[chosen], self.targets.take(chosen)
        first, second = (trunk.get_layer(name) for name in HIDDEN)
        kernel, bias = first.get_weights()
        kernel[n_components:] = 0.0  # a code adds straight at first, and bends later
        width = places.std(axis=0)
        kernel[:n_components] /= np.where(width > 0.0, width, 1.0)[:, None]
        bends = places[self._rng.integers(len(places), size=len(bias))]
        first.set_weights([kernel, -(bends * kernel[:n_components].T).sum(axis=1)])
        joined = np.pad(places, ((0, 0), (0, self.networks.n_style)))
        features = np.asarray(second(first(joined)), dtype=np.float64)
        mean, aim = features.mean(axis=0), wanted.mean(axis=0, dtype=np.float64)
        features -= mean
        products = features.T @ features
        products.flat[:: len(products) + 1] += _RIDGE * (products.diagonal().mean() or 1.0)
        solved = np.linalg.solve(products, features.T @ (wanted - aim))
        trunk.get_layer(CURVED).set_weights([solved, aim - mean @ solved])

    def _learn_codes(self) -> None:
        """Begin the style codes at the leading components of what the places leave open."""
        self._knows_codes = True
        head = self.networks.head
        if head is None:
            return
        chosen = self._rng.permutation(self.training)[:_CODE_SAMPLES]
        left_open = self.targets.take(chosen) - self._drawn(self._places()[chosen])
        flat = left_open.reshape(len(chosen), -1)
        axes = principal_axes(flat - flat.mean(axis=0), self.networks.n_style)
        deviation = (flat @ axes).std(axis=0)
        deviation[deviation <= 0.0] = 1.0
        head.layers[-1].set_weights([axes / deviation, np.zeros(axes.shape[1], np.float32)])
        if self.networks.axes is not None:
            straight = self.networks.trunk.get_layer(STRAIGHT)
            (kernel,) = straight.get_weights()
            kernel[self._n_components :] = (axes * deviation).T
            straight.set_weights([kernel])

    # -- what has been learned -------------------------------------------------------------------

    def place_loss(self, targets: Any, places: Any) -> Any:
        """The loss of typical samples, a tensor: what the encoder may be made to feel."""
        return self.loss(targets, self.networks.trunk(self._joined(places, None), training=False))

    def loss_of(self, samples: Rows, places: np.ndarray) -> float:
        """The loss of other samples by place alone."""
        drawn = Forward(self.typical)(Rows(places, places.shape[1:], places.shape[1:]))
        wanted = self.reconstruction.standardised(samples.flat).reshape(drawn.shape)
        if self.reconstruction.loss_fn is not None:
            return float(self.loss(tf.constant(wanted), tf.constant(drawn)))
        energy = float(np.square(wanted, dtype=np.float64).sum())
        error = float(np.square(wanted - drawn, dtype=np.float64).sum())
        return error / energy if energy > 0 else 0.0

    def losses(self) -> dict[str, float]:
        """Losses of training samples and of samples held out, by place alone and with codes."""
        at = self._places()
        if not np.isfinite(at).all():
            return {"reconstruction_loss": np.nan}
        if not self._knows_codes:
            self._learn_codes()
        parts = {"": self.training[:: max(1, len(self.training) // _SCORED)], "val_": self.held_out}
        losses = {}
        for part, index in parts.items():
            if not len(index):
                continue
            losses[f"{part}reconstruction_loss"] = self._score(index, self._drawn(at[index]))
            if self.networks.head is not None:
                codes = self.codes(index, at[index])
                drawn = self._drawn(at[index], codes)
                losses[f"{part}style_reconstruction_loss"] = self._score(index, drawn)
        return losses

    def _score(self, index: np.ndarray, drawn: np.ndarray) -> float:
        """The loss of what was drawn: the user's, or a share of the mean sample's error."""
        if self.reconstruction.loss_fn is not None:
            return float(self.loss(tf.constant(self.targets.take(index)), tf.constant(drawn)))
        error, energy = self.targets.errors(index, drawn).sum(), self.targets.energy[index].sum()
        return float(error / energy) if energy > 0 else 0.0

    def codes(self, index: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Style codes of training samples at their places, shape (n, n_style), float32."""
        left_open = self.targets.take(index) - self._drawn(places)
        assert self.networks.head is not None
        return np.asarray(self.networks.head(left_open.reshape(len(index), -1)))

    def _drawn(self, places: np.ndarray, codes: np.ndarray | None = None) -> np.ndarray:
        """What the trunk gives for places, and codes if there are any."""
        if codes is None:
            codes = np.zeros((len(places), self.networks.n_style), np.float32)
        joined = np.concatenate([places, codes], axis=1)
        return self._forward(Rows(joined, joined.shape[1:], joined.shape[1:]))

    def spread(self) -> Any | None:
        """The network that says how far unseen samples are from the typical one.

        None where no sample was held out. See `fit_spread`.
        """
        if not len(self.held_out):
            return None
        at = self._places()
        seen = self._rng.permutation(self.training)[:_SPREAD_SAMPLES]
        return fit_spread(
            at[seen],
            self._squares(seen, at[seen]),
            at[self.held_out],
            self._squares(self.held_out, at[self.held_out]),
            self.reconstruction.offset.shape,
            self._rng,
        )

    def _squares(self, index: np.ndarray, places: np.ndarray) -> Callable[[slice], np.ndarray]:
        """Squared differences of standardised samples and typical ones, a block when asked."""
        decode = Forward(self.typical)

        def block(part: slice) -> np.ndarray:
            some = places[part]
            typical = decode(Rows(some, some.shape[1:], some.shape[1:]))
            samples = self.reconstruction.standardised(self._samples.flat[index[part]])
            return np.square(samples - typical.reshape(len(some), -1))

        return block

    def style_encoder(self, encoder: Any) -> Any | None:
        """The network from samples to style codes, given that from samples to places."""
        if self.networks.head is None:
            return None
        if not self._knows_codes:  # stopped before the first report
            self._learn_codes()
        inner = with_empty_code(self.networks.trunk, self._n_components)
        return style_encoder(
            encoder, inner, self.networks.head, self.networks.axes, self.reconstruction
        )
