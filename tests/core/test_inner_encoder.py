"""An encoder that begins with pooling is the same as its other layers on samples pooled before."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope.core.arrays._rows import as_rows
from embedscope.core.networks._inner_encoder import InnerEncoder, begins_with_pooling
from embedscope.core.networks._tensorflow import keras

layers = keras.layers


@pytest.mark.parametrize(
    ("shape", "pooling"),
    [
        ((7, 6, 2), layers.AveragePooling2D(2, padding="same")),
        ((6, 6, 1), layers.AveragePooling2D(3)),
        ((4, 5, 6, 1), layers.AveragePooling3D(2, padding="same")),
    ],
    ids=["uneven", "threes", "volume"],
)
def test_pooled_samples_get_the_same_positions(rng, shape, pooling):
    encoder = keras.Sequential([keras.Input(shape), pooling, layers.Flatten(), layers.Dense(2)])
    X = rng.random((5, *shape)).astype(np.float32)
    inner = InnerEncoder(encoder)
    inputs = inner.inputs(as_rows(X, shape))
    assert inputs.n_features < np.prod(shape)
    places = np.asarray(inner.network(inputs.take(slice(None))))
    np.testing.assert_allclose(places, np.asarray(encoder(X)), rtol=1e-5, atol=1e-6)
    # The layers are shared: training the inner network trains the encoder.
    inner.network.layers[-1].set_weights([np.zeros_like(w) for w in encoder.get_weights()])
    np.testing.assert_array_equal(np.asarray(encoder(X)), 0.0)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("conv", "shape", "patch"),
    [
        (layers.Conv2D, (16, 16, 1), 4),
        (layers.Conv2D, (13, 22, 3), (3, 5)),
        (layers.Conv3D, (6, 10, 9, 2), (2, 3, 2)),
        (layers.Conv1D, (17, 2), 4),
    ],
    ids=["even", "uneven", "volume", "signal"],
)
def test_patches_as_rows_get_the_same_positions(rng, conv, shape, patch, padding):
    pool = {2: layers.AveragePooling1D, 3: layers.AveragePooling2D, 4: layers.AveragePooling3D}
    encoder = keras.Sequential(
        [
            keras.Input(shape),
            pool[len(shape)](2, padding="same"),
            conv(5, patch, strides=patch, padding=padding, activation="relu"),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    encoder.layers[1].bias.assign(rng.normal(size=5))  # padded places show a bias too
    X = rng.normal(size=(6, *shape)).astype(np.float32)
    inner = InnerEncoder(encoder)
    inputs = inner.inputs(as_rows(X, shape))
    places = np.asarray(inner.network(inputs.take(slice(None))))
    np.testing.assert_allclose(places, np.asarray(encoder(X)), rtol=1e-4, atol=1e-5)
    # One step of training reaches the convolution's own weights.
    before = [np.array(weight) for weight in encoder.get_weights()]
    inner.network.compile("sgd", "mse")
    inner.network.fit(inputs.take(slice(None)), np.ones((6, 2)), verbose=0)
    assert all((old != new).any() for old, new in zip(before, encoder.get_weights(), strict=True))


@pytest.mark.parametrize(
    "options", [{"strides": 1}, {"strides": 4, "groups": 2}], ids=["overlapping", "groups"]
)
def test_other_convolutions_stay_as_they_are(rng, options):
    conv = layers.Conv2D(4, 4, **options)
    encoder = keras.Sequential(
        [keras.Input((16, 16, 2)), layers.AveragePooling2D(2), conv, layers.Flatten()]
    )
    inner = InnerEncoder(encoder)
    assert inner.network.layers[0] is conv
    X = rng.random((3, 16, 16, 2)).astype(np.float32)
    places = np.asarray(inner.network(inner.inputs(as_rows(X)).take(slice(None))))
    np.testing.assert_allclose(places, np.asarray(encoder(X)), rtol=1e-4, atol=1e-5)


def test_only_chains_that_begin_with_means_are_pooled_before():
    source = keras.Input((4, 4, 1))
    functional = keras.Model(source, layers.Flatten()(layers.AveragePooling2D(2)(source)))
    largest = keras.Sequential([source, layers.MaxPooling2D(2), layers.Flatten()])
    alone = keras.Sequential([source, layers.AveragePooling2D(2)])
    assert not any(map(begins_with_pooling, (functional, largest, alone)))
