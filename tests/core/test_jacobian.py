"""The encoder's derivative is that of finite differences, for every kind of network and array."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from scipy import sparse

from embedscope import ParametricUMAP, load_ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.core.arrays._rows import as_rows
from embedscope.core.networks import _jacobian
from embedscope.core.networks._jacobian import Jacobian
from embedscope.core.networks._networks import dense_encoder

STEP = 1e-6  # in float64: halves the digits, and a kink of relu within it is very unlikely


def conv_encoder() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(6, 3, strides=2),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(2, padding="same"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2),
        ]
    )


def branched_encoder() -> keras.Model:
    inputs = keras.Input((64,))
    wide = keras.layers.Dense(16, activation="gelu")(inputs)
    gate = keras.layers.Dense(16, activation="sigmoid")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Multiply()([wide, gate])))


ENCODERS: dict[str, Callable[[], Any]] = {
    "default": lambda: None,
    "reference": lambda: "reference",
    "convolutions": conv_encoder,
    "branches": branched_encoder,
}


def short(**parameters: Any) -> ParametricUMAP:
    standard = {"encoder": "reference", "n_epochs": 10, "batch_size": 100, "random_state": 0}
    return ParametricUMAP(**{**standard, **parameters})


@pytest.fixture(scope="module", params=list(ENCODERS))
def fitted(request: pytest.FixtureRequest, few: Any) -> ParametricUMAP:
    return short(encoder=ENCODERS[request.param]()).fit(few.train)


def in_double(network: keras.Model) -> keras.Model:
    """The same network in float64, for accurate differences of nearly equal numbers."""

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        return layer.__class__.from_config({**layer.get_config(), "dtype": "float64"})

    inputs = keras.Input(network.input_shape[1:], dtype="float64")
    copied = keras.models.clone_model(network, input_tensors=inputs, clone_function=clone)
    copied.set_weights(network.get_weights())
    return copied


def finite_differences(network: keras.Model, X: np.ndarray) -> np.ndarray:
    """Central differences by each value in turn, of shape (n_samples, n_outputs, n_features)."""
    double, shape = in_double(network), network.input_shape[1:]
    flat = X.reshape(len(X), -1).astype(np.float64)
    steps = STEP * np.eye(flat.shape[1])
    columns = []
    for sample in flat:
        there = np.asarray(double((sample + steps).reshape(-1, *shape), training=False))
        back = np.asarray(double((sample - steps).reshape(-1, *shape), training=False))
        columns.append((there - back).T / (2 * STEP))
    return np.array(columns)


def assert_close(derivatives: np.ndarray, expected: np.ndarray) -> None:
    assert derivatives.dtype == np.float32
    np.testing.assert_allclose(derivatives, expected, atol=1e-4 * np.abs(expected).max())


def test_it_is_that_of_finite_differences(fitted, few):
    X = few.test[:6] + np.float32(1e-3)  # off the exact zeros and ties, where maxima have kinks
    assert_close(fitted.encoder_jacobian(X), finite_differences(fitted.encoder_, X))


def test_flat_and_shaped_samples_give_what_fit_was_given(few):
    images = few.train.reshape(-1, 8, 8, 1)
    flat = short(encoder=conv_encoder()).fit(few.train)
    shaped = short(encoder=conv_encoder()).fit(images)
    for embedder, shape in ((flat, (64,)), (shaped, (8, 8, 1))):
        from_flat = embedder.encoder_jacobian(few.test[:5])
        from_shaped = embedder.encoder_jacobian(few.test[:5].reshape(-1, 8, 8, 1))
        assert from_flat.shape == (5, 2, *shape)
        np.testing.assert_array_equal(from_flat, from_shaped)


def test_other_numbers_of_components(few):
    embedder = short(n_components=3).fit(few.train)
    X = few.test[:4]
    assert_close(embedder.encoder_jacobian(X), finite_differences(embedder.encoder_, X))


def test_a_linear_encoder_gives_its_weights(rng):
    network = dense_encoder((5,), 2, (4, 4, 4), seed=0)
    linear = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    kernel = rng.normal(size=(5, 2)).astype(np.float32)
    linear.set_weights([kernel, np.ones(2, np.float32)])
    rows = as_rows(rng.normal(size=(7, 5)))
    np.testing.assert_array_equal(Jacobian(linear)(rows), np.broadcast_to(kernel.T, (7, 2, 5)))
    assert Jacobian(network)(rows).std(axis=0).max() > 0  # and one with relu does not


def test_sparse_samples(few):
    embedder = short().fit(few.train)
    dense = embedder.encoder_jacobian(few.test[:5])
    np.testing.assert_array_equal(embedder.encoder_jacobian(sparse.csr_matrix(few.test[:5])), dense)


@pytest.mark.parametrize("limit", ["_BLOCK_ROWS", "_BLOCK_VALUES"])
def test_blocks_change_nothing_and_are_traced_once(rng, monkeypatch, limit):
    class Counted(keras.layers.Layer):
        traces = 0

        def call(self, inputs: Any) -> Any:
            Counted.traces += 1
            return keras.ops.tanh(inputs)

    network = keras.Sequential([keras.Input((10,)), Counted(), keras.layers.Dense(2)])
    rows = as_rows(rng.normal(size=(53, 10)))
    whole = Jacobian(network)(rows)
    monkeypatch.setattr(_jacobian, limit, 7 if limit == "_BLOCK_ROWS" else 70)
    Counted.traces = 0
    derive = Jacobian(network)
    np.testing.assert_allclose(derive(rows), whole, rtol=1e-6)
    derive(rows.subset(np.arange(3)))
    assert Counted.traces == 1


def test_it_follows_the_network_through_fits_and_files(few, tmp_path):
    embedder, X = short(random_state=1).fit(few.train), few.test[:3]
    first = embedder.encoder_jacobian(X)
    copied = pickle.loads(pickle.dumps(embedder))  # noqa: S301 - of our own making
    embedder.save(tmp_path / "model")
    for same in (copied, load_ParametricUMAP(tmp_path / "model")):
        np.testing.assert_array_equal(same.encoder_jacobian(X), first)
    embedder.set_params(random_state=2).fit(few.train)
    again = embedder.encoder_jacobian(X)
    assert_close(again, finite_differences(embedder.encoder_, X))
    assert np.abs(again - first).max() > 0.1 * np.abs(first).max()


class TestRefusals:
    def test_a_table_of_positions(self, few):
        table = short(parametric_embedding=False).fit(few.train)
        with pytest.raises(InvalidInputError, match="must be True for encoder_jacobian; got False"):
            table.encoder_jacobian(few.test[:2])

    def test_other_features(self, few):
        embedder = short().fit(few.train)
        with pytest.raises(InvalidInputError, match=r"X has 63 features, but .* 64"):
            embedder.encoder_jacobian(few.test[:2, :63])

    def test_a_layer_without_a_derivative(self):
        network = keras.Sequential(
            [keras.Input((3,)), keras.layers.Embedding(9, 2), keras.layers.Flatten()]
        )
        with pytest.raises(InvalidInputError, match="must have a derivative by its input; got"):
            Jacobian(network)(as_rows(np.ones((4, 3))))

    def test_an_infinite_derivative(self):
        class Root(keras.layers.Layer):
            def call(self, inputs: Any) -> Any:
                return keras.ops.sqrt(inputs)

        network = keras.Sequential([keras.Input((2,)), Root()])
        with pytest.raises(InvalidInputError, match="must have a finite derivative; got"):
            Jacobian(network)(as_rows(np.zeros((4, 2))))
