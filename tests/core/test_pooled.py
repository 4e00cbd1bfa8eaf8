"""An encoder that begins with pooling is the same as its other layers on samples pooled before."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope.core._pooled import PooledEncoder, begins_with_pooling
from embedscope.core._rows import as_rows
from embedscope.core._tensorflow import keras

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
def test_pooled_samples_get_the_same_places(rng, shape, pooling):
    encoder = keras.Sequential([keras.Input(shape), pooling, layers.Flatten(), layers.Dense(2)])
    X = rng.random((5, *shape)).astype(np.float32)
    pooled = PooledEncoder(encoder)
    inputs = pooled.inputs(as_rows(X, shape))
    assert inputs.n_features < np.prod(shape)
    places = np.asarray(pooled.network(inputs.take(slice(None))))
    np.testing.assert_allclose(places, np.asarray(encoder(X)), rtol=1e-5, atol=1e-6)
    # The layers are shared: what the inner network learns, the encoder knows.
    pooled.network.layers[-1].set_weights([np.zeros_like(w) for w in encoder.get_weights()])
    np.testing.assert_array_equal(np.asarray(encoder(X)), 0.0)


def test_only_chains_that_begin_with_means_are_pooled_before():
    source = keras.Input((4, 4, 1))
    functional = keras.Model(source, layers.Flatten()(layers.AveragePooling2D(2)(source)))
    largest = keras.Sequential([source, layers.MaxPooling2D(2), layers.Flatten()])
    alone = keras.Sequential([source, layers.AveragePooling2D(2)])
    assert not any(map(begins_with_pooling, (functional, largest, alone)))
