"""Training acts as Keras's `fit`: added losses, loss scales, averaged weights."""

from __future__ import annotations

import gc
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.ops import gen_resource_variable_ops

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.core.solvers._registry import SOLVERS


@keras.saving.register_keras_serializable("test_keras_training")
class SmallOutput(keras.layers.Layer):
    """Adds a loss of its own: the output should be small."""

    def call(self, inputs):
        self.add_loss(50.0 * keras.ops.mean(keras.ops.square(inputs)))
        return inputs


def chain(
    n_inputs: int, n_outputs: int, *last: keras.layers.Layer, **options: Any
) -> keras.Sequential:
    """A small network; `options` are those of its first layer."""
    return keras.Sequential(
        [
            keras.Input((n_inputs,)),
            keras.layers.Dense(
                16,
                activation="relu",
                kernel_initializer=keras.initializers.HeUniform(seed=1),
                **options,
            ),
            keras.layers.Dense(
                n_outputs,
                kernel_initializer=keras.initializers.GlorotUniform(seed=2),
                dtype="float32",
            ),
            *last,
        ]
    )


def fitted(few, **parameters: Any) -> ParametricUMAP:
    standard = {"encoder": chain(64, 2), "n_epochs": 5, "batch_size": 50, "random_state": 0}
    return ParametricUMAP(**{**standard, **parameters}).fit(few.train[:100])


@pytest.fixture(scope="module")
def plain(few) -> dict[str, ParametricUMAP]:
    """Maps by a network that adds nothing to the loss."""
    return {solver: fitted(few, solver=solver) for solver in SOLVERS}


def kernel_size(network: keras.Model, number: int = 0) -> float:
    """Root mean square of the kernel of a network's layer."""
    return float(np.sqrt(np.square(network.get_weights()[2 * number]).mean()))


L2 = keras.regularizers.L2


@pytest.mark.parametrize("solver", SOLVERS)
def test_regularisers_act(few, plain, solver):
    encoder = chain(64, 2, kernel_regularizer=L2(100.0))
    embedder = fitted(few, encoder=encoder, solver=solver)
    assert kernel_size(embedder.encoder_) < 0.8 * kernel_size(plain[solver].encoder_)
    reported = embedder.history_["regularization_loss"]
    assert len(reported) == len(embedder.history_["loss"])
    first = 100.0 * np.square(encoder.get_weights()[0]).sum()
    assert reported[-1] < 0.9 * first
    last = 100.0 * np.square(embedder.encoder_.get_weights()[0]).sum()
    assert reported[-1] == pytest.approx(last, rel=1e-3)
    assert "regularization_loss" not in plain[solver].history_


@pytest.mark.parametrize("solver", SOLVERS)
def test_losses_that_layers_add_act(few, plain, solver):
    embedder = fitted(few, encoder=chain(64, 2, SmallOutput()), solver=solver)
    assert embedder.embedding_.std() < 0.5 * plain[solver].embedding_.std()
    mean_square = np.square(embedder.embedding_).mean()
    assert embedder.history_["regularization_loss"][-1] == pytest.approx(50 * mean_square, rel=0.3)


@keras.saving.register_keras_serializable("test_keras_training")
class OwnStep(keras.Model):
    """A network with its own `train_step`."""

    def train_step(self, data):
        raise AssertionError("it is never called")


@keras.saving.register_keras_serializable("test_keras_training")
class OwnLoss(keras.Sequential):
    """A network with its own `compute_loss`."""

    def compute_loss(self, *args, **kwargs):
        raise AssertionError("it is never called")


def with_own_fit() -> keras.Sequential:
    """A network whose `fit` was replaced on the instance."""
    network = chain(64, 2)
    network.fit = lambda *args, **kwargs: None
    return network


def test_a_training_method_that_is_not_called_is_named(few, plain):
    layers = chain(64, 2)
    for network, method in (
        (OwnStep(layers.inputs[0], layers.outputs[0]), "train_step"),
        (OwnLoss([keras.Input((64,)), *layers.layers]), "compute_loss"),
        (with_own_fit(), "fit"),
    ):
        rule = rf"^encoder should .* got {type(network).__name__}, whose own {method} is not called"
        with pytest.warns(UserWarning, match=rule) as caught:
            embedder = fitted(few, encoder=network)
        assert sum("should be trained" in str(each.message) for each in caught) == 1
        np.testing.assert_array_equal(embedder.embedding_, plain["auxiliary"].embedding_)
    layers = chain(2, 64)
    decoder = OwnStep(layers.inputs[0], layers.outputs[0])
    with pytest.warns(UserWarning, match=r"^decoder should .* add_loss"):
        fitted(few, parametric_reconstruction=True, decoder=decoder)


@pytest.mark.parametrize("kind", ["kernel_regularizer", "activity_regularizer"])
def test_regularisers_of_a_convolution_behind_pooling_act(few, kind):
    """Such an encoder trains as an inner network that shares its layers."""

    def kernel(strength: float) -> np.ndarray:
        encoder = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.AveragePooling2D(2),
                keras.layers.Conv2D(4, 2, strides=2, **{kind: L2(strength)}),
                keras.layers.Flatten(),
                keras.layers.Dense(2),
            ]
        )
        rng = np.random.default_rng(0)
        encoder.set_weights([rng.normal(size=w.shape) / 2 for w in encoder.get_weights()])
        return fitted(few, encoder=encoder).encoder_.get_weights()[0]

    assert np.abs(kernel(100.0)).mean() < 0.7 * np.abs(kernel(0.0)).mean()


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("solver", ["auxiliary", pytest.param("edges", marks=pytest.mark.long)])
def test_regularisers_of_the_decoder_act(few, apart, solver):
    """In a decoder that trains with the encoder, and in one that trains separately."""

    def trained(strength: float) -> ParametricUMAP:
        return fitted(
            few,
            decoder=chain(2, 64, kernel_regularizer=L2(strength)),
            parametric_reconstruction=True,
            validation_fraction=0.1 if apart else 0.0,
            solver=solver,
            optimizer=keras.optimizers.Adam(1e-2),  # 50 steps: the usual rate goes less far
        )

    strict, free = trained(100.0), trained(0.0)
    assert kernel_size(strict.decoder_) < 0.8 * kernel_size(free.decoder_)
    assert strict.history_["regularization_loss"][-1] > 0.0
    np.testing.assert_array_equal(strict.embedding_, free.embedding_)  # it does not minimise that


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_scale_of_the_loss_changes_nothing_in_float32(few, solver):
    """Powers of two are exact: scaled up and divided again, every gradient is what it was."""
    optimizer = keras.optimizers.Adam(1e-2)
    usual = fitted(few, optimizer=optimizer, solver=solver)
    for scaling in (
        keras.optimizers.LossScaleOptimizer(optimizer),
        keras.optimizers.Adam(1e-2, loss_scale_factor=1024.0),
    ):
        scaled = fitted(few, optimizer=scaling, solver=solver)
        np.testing.assert_allclose(scaled.embedding_, usual.embedding_, atol=1e-4)


def test_a_separate_decoder_scales_its_loss_too(few):
    options = {
        "decoder": chain(2, 64),
        "parametric_reconstruction": True,
        "validation_fraction": 0.1,
    }
    optimizer = keras.optimizers.SGD(1e-2)
    usual = fitted(few, optimizer=optimizer, **options)
    scaled = fitted(few, optimizer=keras.optimizers.LossScaleOptimizer(optimizer), **options)
    for ours, theirs in zip(
        scaled.decoder_.get_weights(), usual.decoder_.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_networks_in_float16_train(few):
    """Keras scales the loss for them automatically; so do we."""
    encoder = chain(64, 2, dtype="mixed_float16")
    before = kernel_size(encoder)
    embedder = fitted(few, encoder=encoder)
    assert np.isfinite(embedder.embedding_).all()
    assert kernel_size(embedder.encoder_) != before
    assert embedder.history_["loss"][-1] < embedder.history_["loss"][0]


class Weights(keras.callbacks.Callback):
    """Records the weights after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[np.ndarray] = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(self.model.get_weights()[0])

    def average(self, momentum: float) -> np.ndarray:
        average = self.seen[0]
        for weights in self.seen[1:]:
            average = momentum * average + (1.0 - momentum) * weights
        return average


@pytest.mark.parametrize("solver", SOLVERS)
def test_averages_of_the_weights_are_assigned_at_the_end(few, solver):
    weights = Weights()
    embedder = fitted(
        few,
        optimizer=keras.optimizers.SGD(1e-2, use_ema=True, ema_momentum=0.9),
        keras_fit_kwargs={"callbacks": [weights]},
        solver=solver,
        batch_size=100,
    )
    kernel = embedder.encoder_.get_weights()[0]
    np.testing.assert_allclose(kernel, weights.average(0.9), atol=1e-5)
    assert np.abs(kernel - weights.seen[-1]).max() > 1e-4
    np.testing.assert_allclose(embedder.transform(few.train[:100]), embedder.embedding_, atol=1e-5)


def test_a_separate_decoder_assigns_its_averages(few):
    def decoder_of(**averaging: Any) -> np.ndarray:
        embedder = fitted(
            few,
            decoder=chain(2, 64),
            parametric_reconstruction=True,
            validation_fraction=0.1,
            optimizer=keras.optimizers.SGD(1e-2, **averaging),
        )
        return np.array(embedder.decoder_.get_weights()[0])

    usual, averaged = decoder_of(), decoder_of(use_ema=True, ema_momentum=0.9)
    assert 0.0 < np.abs(usual - averaged).max() < 0.5


@pytest.mark.parametrize(
    ("kind", "monitor"),
    [
        ("early stopping", "val_loss"),
        ("early stopping", "val_reconstruction_loss"),
        ("rate", "val_reconstruction_loss"),
        ("checkpoint", "val_reconstruction_loss"),
    ],
)
def test_losses_of_held_out_samples_can_be_monitored(few, tmp_path, monitor, kind):
    """Keras does not know from these names which way is better, and raises after an epoch."""
    options = {"monitor": monitor}
    file = tmp_path / "best.weights.h5"
    made = {
        "early stopping": lambda: keras.callbacks.EarlyStopping(
            **options, patience=1, min_delta=1e3
        ),
        "rate": lambda: keras.callbacks.ReduceLROnPlateau(**options, patience=1, min_delta=1e3),
        "checkpoint": lambda: keras.callbacks.ModelCheckpoint(
            file, **options, save_best_only=True, save_weights_only=True
        ),
    }
    callback = made[kind]()
    embedder = fitted(
        few,
        parametric_reconstruction=True,
        reconstruction_validation=few.test[:50],
        keras_fit_kwargs={"callbacks": [callback]},
        batch_size=100,
        loss_report_frequency=4,
        optimizer="adam",
    )
    n_reports = len(embedder.history_["val_reconstruction_loss"])
    assert n_reports == (2 if kind == "early stopping" else 4)
    assert file.exists() == (kind == "checkpoint")
    assert "val_loss" not in embedder.history_  # it has one name there


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.EarlyStopping("accuracy"),
        keras.callbacks.ReduceLROnPlateau("val_mean_squared_error"),
    ],
)
def test_what_cannot_be_monitored_is_refused_before_the_first_step(few, callback):
    began = []
    with pytest.raises(InvalidInputError, match=r"^keras_fit_kwargs\['callbacks'\] must monitor"):
        fitted(few, keras_fit_kwargs={"callbacks": [callback]}, progress=began.append)
    assert not began


class Within(keras.callbacks.Callback):
    """After each batch, a step of the encoder towards a radius; as in notebooks/extending.ipynb."""

    def __init__(self, inputs: np.ndarray, radius: float) -> None:
        super().__init__()
        self.inputs, self.radius = inputs, radius

    def on_train_begin(self, logs: Any = None) -> None:
        self.optimizer = keras.optimizers.Adam(0.01)
        self.optimizer.build(self.model.trainable_variables)
        self.step = tf.function(self.take_step)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.step()

    def take_step(self) -> None:
        with tf.GradientTape() as tape:
            length = tf.norm(self.model(self.inputs, training=True), axis=1)
            loss = tf.reduce_mean(tf.nn.relu(length - self.radius))
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_callback_may_take_a_step_of_its_own(few, plain, solver):
    callbacks = [Within(few.train[:100], 2.0)]
    quick = {"quality": "fast", "batch_size": 100}
    within = fitted(few, solver=solver, keras_fit_kwargs={"callbacks": callbacks}, **quick)
    assert np.linalg.norm(plain[solver].embedding_, axis=1).max() > 3.0
    assert np.linalg.norm(within.embedding_, axis=1).max() < 2.5
    np.testing.assert_array_equal(within.transform(few.train[:100]), within.embedding_)


@pytest.mark.parametrize(
    "encoder", [None, chain(64, 2), pytest.param("reference", marks=pytest.mark.long)]
)
def test_weights_of_a_checkpoint_load_into_the_encoder(few, tmp_path, encoder):
    file = tmp_path / "{epoch}.weights.h5"
    embedder = fitted(
        few,
        encoder=encoder,
        parametric_reconstruction=True,
        keras_fit_kwargs={
            "callbacks": [keras.callbacks.ModelCheckpoint(file, save_weights_only=True)]
        },
        batch_size=100,
        loss_report_frequency=2,
    )
    loaded = keras.models.clone_model(embedder.encoder_)
    loaded.load_weights(tmp_path / "2.weights.h5")
    for ours, theirs in zip(loaded.get_weights(), embedder.encoder_.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    loaded.load_weights(tmp_path / "1.weights.h5")
    assert np.abs(loaded(few.train[:100]) - embedder.embedding_).max() > 1e-3


KINDS = {
    "auxiliary": {"encoder": None},
    "edges": {"encoder": None, "solver": "edges"},
    "table": {"encoder": None, "parametric_embedding": False},
    "decoder": {"encoder": None, "parametric_reconstruction": True},
    "style": {
        "encoder": None,
        "parametric_reconstruction": True,
        "n_style_components": 4,
        "validation_fraction": 0.1,
    },
    "callback": {
        "encoder": None,
        "keras_fit_kwargs": {"callbacks": [keras.callbacks.TerminateOnNaN()]},
    },
    "named optimizer": {"optimizer": "SGD"},
    "own optimizer": {"optimizer": keras.optimizers.RMSprop(1e-3)},
}


def test_layers_of_both_networks_make_one_network(few):
    """Keras refuses a network with two layers of one name."""
    options = {"autoencoder_loss": True, "parametric_reconstruction": True, "n_epochs": 1}
    embedder = ParametricUMAP(loss_report_frequency=1, batch_size=50, **options)
    embedder.fit(few.train[:100])
    both = keras.Sequential([*embedder.encoder_.layers, *embedder.decoder_.layers])
    wanted = embedder.decoder_(embedder.encoder_(few.train[:5]))
    np.testing.assert_allclose(both(few.train[:5]), wanted, atol=1e-6)


@pytest.mark.parametrize(
    "kind",  # "style" trains all that "decoder" does, and more
    [pytest.param(kind, marks=pytest.mark.long) if kind == "decoder" else kind for kind in KINDS],
)
def test_a_fit_makes_no_variable_of_a_new_name(few, kind, monkeypatch):
    """TensorFlow keeps 36 kB for each name of a variable until the process ends."""
    names = []
    make = gen_resource_variable_ops.var_handle_op

    def noted(*args, **options):
        names.append(options["debug_name"])
        return make(*args, **options)

    options = {"encoder": chain(64, 2), "n_epochs": 1, "loss_report_frequency": 1} | KINDS[kind]
    embedder = ParametricUMAP(batch_size=50, random_state=0, **options)
    monkeypatch.setattr(gen_resource_variable_ops, "var_handle_op", noted)
    embedder.fit(few.train[:100])
    known = set(names)
    assert known
    embedder.fit(few.train[:100])
    assert set(names) == known


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_fit_leaves_no_graph_behind(few, solver):
    """Each held several megabytes, in every process that fits more than once."""

    def graphs() -> int:
        gc.collect()
        return sum(type(found).__name__ == "FuncGraph" for found in gc.get_objects())

    options = {"solver": solver, "n_epochs": 1, "loss_report_frequency": 1}
    fitted(few, **options)
    before = graphs()
    for _ in range(2):
        fitted(few, **options)
    assert graphs() <= before
