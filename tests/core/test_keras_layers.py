"""Layers and optimisers of Keras as users combine them: fitted, saved, pickled, exported."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import keras
import numpy as np
import pytest

from embedscope import ParametricUMAP, load_ParametricUMAP
from embedscope._errors import InvalidInputError

onnxruntime = pytest.importorskip("onnxruntime")

layers, optimizers = keras.layers, keras.optimizers
N_SAMPLES = 80
SHORT = {"n_neighbors": 5, "n_epochs": 5, "random_state": 0, "loss_report_frequency": 2}


def chain(shape: tuple[int, ...], *stack: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *stack, layers.Dense(2)])


def branches() -> keras.Model:
    source = keras.Input((12,))
    parts = [layers.Dense(8, name)(source) for name in ("relu", "tanh")]
    return keras.Model(source, layers.Dense(2)(layers.Concatenate()(parts)))


def attention() -> keras.Model:
    source = keras.Input((6, 4))
    seen = layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(source, source))
    return keras.Model(source, layers.Dense(2)(layers.GlobalAveragePooling1D()(seen)))


def normalized() -> keras.Model:
    """Its layer was adapted to data far from zero."""
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(1).normal(50.0, 3.0, (500, 12)))
    return chain((12,), layer)


def augmented() -> keras.Model:
    flips = [layers.RandomFlip(seed=1), layers.RandomRotation(0.1, seed=2)]
    return chain((12, 12, 3), *flips, layers.Conv2D(4, 3), layers.Flatten())


def pretrained() -> keras.Model:
    inner = keras.applications.MobileNetV3Small(
        (32, 32, 3), include_top=False, weights=None, pooling="avg"
    )
    return chain((32, 32, 3), inner)


NETWORKS = {
    "recurrent": lambda: chain((6, 4), layers.GRU(8)),
    "both directions": pytest.param(
        lambda: chain((6, 4), layers.Bidirectional(layers.LSTM(4))), marks=pytest.mark.long
    ),
    "branches": branches,
    "layer normalisation": lambda: chain((12,), layers.LayerNormalization(), layers.Dense(8)),
    "batch normalisation": lambda: chain((12,), layers.BatchNormalization(), layers.Dropout(0.2)),
    "attention": pytest.param(attention, marks=pytest.mark.long),
    "normalisation of data": normalized,
    "augmentation": augmented,
    "an application": pytest.param(pretrained, marks=pytest.mark.long),
}
OPTIMIZERS = {
    "AdamW": lambda: optimizers.AdamW(1e-3),
    "Lion": lambda: optimizers.Lion(1e-4),
    "Muon": lambda: optimizers.Muon(1e-3),
    "SGD with a schedule": lambda: optimizers.SGD(optimizers.schedules.CosineDecay(0.05, 100)),
    "Nadam with clipping": lambda: optimizers.Nadam(1e-3, clipnorm=1.0),
}


def samples_for(network: keras.Model) -> np.ndarray:
    shape = (N_SAMPLES, *network.input_shape[1:])
    return np.random.default_rng(0).normal(50.0, 3.0, shape).astype(np.float32)


def check_copies(embedder: ParametricUMAP, X: np.ndarray, folder) -> None:
    """A model that was saved, pickled or exported gives samples the same positions."""
    places = embedder.transform(X)
    np.testing.assert_allclose(places, embedder.embedding_, rtol=1e-4, atol=1e-4)
    embedder.save(folder / "model")
    for again in (load_ParametricUMAP(folder / "model"), pickle.loads(pickle.dumps(embedder))):  # noqa: S301
        np.testing.assert_array_equal(again.transform(X), places)
    session = onnxruntime.InferenceSession(embedder.to_onnx(folder / "encoder.onnx"))
    (exported,) = session.run(None, {session.get_inputs()[0].name: X})
    np.testing.assert_allclose(exported, places, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_networks(make: Callable[[], keras.Model], tmp_path):
    network = make()
    X = samples_for(network)
    check_copies(ParametricUMAP(encoder=network, **SHORT).fit(X), X, tmp_path)


@pytest.mark.parametrize("solver", ["auxiliary", pytest.param("edges", marks=pytest.mark.long)])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_optimizers(make: Callable[[], keras.optimizers.Optimizer], solver: str, tmp_path):
    network = chain((12,), layers.Dense(16, "relu"))
    X = (samples_for(network) - 50.0) / 3.0
    options = SHORT | {"solver": solver, "batch_size": 40}
    embedder = ParametricUMAP(encoder=network, optimizer=make(), **options).fit(X)
    assert np.abs(embedder.embedding_ - np.asarray(network(X))).max() > 1e-3  # it has learned
    check_copies(embedder, X, tmp_path)


def test_training_starts_from_the_users_network():
    """`clone_model` and `set_weights` lose the statistics of an adapted normalisation layer."""
    network = normalized()
    X = samples_for(network)
    still = ParametricUMAP(encoder=network, optimizer=optimizers.SGD(0.0), **SHORT).fit(X)
    np.testing.assert_allclose(still.embedding_, np.asarray(network(X)), rtol=1e-4, atol=1e-4)


@keras.saving.register_keras_serializable("test_keras_layers")
class Shift(layers.Layer):
    """Holds a number that is neither a weight nor in its config."""

    shift = 0.0

    def call(self, inputs):
        return inputs + self.shift


@keras.saving.register_keras_serializable("test_keras_layers")
class AlwaysRandom(layers.Layer):
    def call(self, inputs):
        return inputs + keras.random.normal(keras.ops.shape(inputs))


def test_a_network_that_differs_after_copying_is_refused():
    network = chain((12,), Shift())
    network.layers[0].shift = 5.0
    X = samples_for(network)
    with pytest.raises(InvalidInputError, match=r"^encoder must give the same after .*add_weight"):
        ParametricUMAP(encoder=network, **SHORT).fit(X)
    decoder = keras.Sequential([keras.Input((2,)), Shift(), layers.Dense(12)])
    decoder.layers[0].shift = 5.0
    with pytest.raises(InvalidInputError, match=r"^decoder must give the same after"):
        ParametricUMAP(decoder=decoder, parametric_reconstruction=True, **SHORT).fit(X)


def test_a_network_that_differs_at_each_call_is_accepted():
    network = chain((12,), AlwaysRandom())
    assert len(ParametricUMAP(encoder=network, **SHORT).fit(samples_for(network)).embedding_)


class LosesWeights(keras.callbacks.Callback):
    """Leaves NaN in the first layer after some epochs, as a broken optimiser does."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            kernel, bias = self.model.layers[1].get_weights()
            self.model.layers[1].set_weights([np.full_like(kernel, np.nan), bias])


def test_weights_that_are_no_numbers_end_the_training(few):
    """A relu in a graph turns NaN to zero, so that every loss stays finite."""
    network = chain((64,), layers.Dense(16, "relu"))
    embedder = ParametricUMAP(
        encoder=network,
        keras_fit_kwargs={"callbacks": [LosesWeights()]},
        **SHORT | {"loss_report_frequency": 5, "batch_size": 100},
    )
    with pytest.warns(RuntimeWarning, match="NaN or infinity among the weights|got loss nan"):
        embedder.fit(few.train[:100])
    assert len(embedder.history_["loss"]) == 1
    assert all(np.isfinite(weight).all() for weight in embedder.encoder_.get_weights())
    assert np.ptp(embedder.embedding_, axis=0).min() > 0.0
