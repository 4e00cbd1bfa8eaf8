"""A fit on two devices gives the map of a fit on one; the devices are two virtual CPUs."""

from __future__ import annotations

import json
from typing import Any

import pytest

# TensorFlow must get its virtual devices before it is used, so all of this runs in a new process.
_SCRIPT = """
import copy, json, pickle, sys, tempfile
import keras, numpy as np, tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from scipy.spatial.distance import pdist
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from embedscope import ParametricUMAP, load_ParametricUMAP
from embedscope._errors import InvalidInputError

two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
X = (load_digits().data[:300] / 16).astype(np.float32)
seen = set()

@keras.saving.register_keras_serializable("distribution")
class Watched(keras.layers.Dense):
    def call(self, inputs, training=None):
        found = super().call(inputs)
        if training:
            seen.add(found.device.rpartition(":")[-1])
        return found

def own_encoder(*further):
    hidden = Watched(32, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3))
    return keras.Sequential([keras.Input((64,)), hidden, *further, keras.layers.Dense(2)])

class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch >= 2

def differences(**parameters):
    "Largest difference of the weights after three steps, and how far they have moved."
    parameters = dict(
        n_epochs=20, optimizer=keras.optimizers.SGD(0.05, momentum=0.9, clipvalue=0.01),
        keras_fit_kwargs={"callbacks": [Stop()]}, random_state=3,
    ) | parameters
    start = parameters["encoder"].get_weights()
    one, both = (ParametricUMAP(**parameters, distribution=d).fit(X) for d in (None, two))
    weights = [
        [w for net in (each.encoder_, each.decoder_) if net is not None for w in net.get_weights()]
        for each in (one, both)
    ]
    far = max(float(np.abs(a - b).max()) for a, b in zip(*weights, strict=True))
    moved = max(float(np.abs(a - b).max()) for a, b in zip(weights[1], start))
    return far, moved

def maps(**parameters):
    "Trustworthiness on one device and on two, and the correlation of the distances."
    parameters = dict(quality="fast", random_state=3) | parameters
    one, both = (ParametricUMAP(**parameters, distribution=d).fit(X) for d in (None, two))
    maps = [each.embedding_ for each in (one, both)]
    correlation = float(np.corrcoef(*map(pdist, maps))[0, 1])
    return [float(trustworthiness(X, each)) for each in maps] + [correlation], both

def refusal(fit):
    try:
        fit()
    except InvalidInputError as error:
        return str(error)

out = {}
out["steps"] = differences(encoder=own_encoder(), batch_size=63)
out["steps with a decoder"] = differences(
    encoder=own_encoder(), batch_size=64, parametric_reconstruction=True, autoencoder_loss=True
)
out["devices"] = sorted(seen)
out["auxiliary"], fitted = maps()
out["edges"], _ = maps(
    solver="edges", n_epochs=200, encoder="reference", parametric_reconstruction=True
)
out["table"], _ = maps(solver="edges", n_epochs=100, parametric_embedding=False)
out["style"], _ = maps(parametric_reconstruction=True, n_style_components=2)
layers = keras.layers.BatchNormalization(), keras.layers.Dropout(0.1)
out["layers"], _ = maps(encoder=own_encoder(*layers), global_correlation_loss_weight=0.1)

again = clone(fitted).fit(X)
out["again"] = bool(np.array_equal(again.embedding_, fitted.embedding_))
with tempfile.TemporaryDirectory() as folder:
    fitted.save(folder + "/map")
    saved = load_ParametricUMAP(folder + "/map")
copies = saved, pickle.loads(pickle.dumps(fitted))
out["copies"] = [
    copied.distribution is None and np.array_equal(copied.transform(X), fitted.transform(X))
    for copied in copies
]
out["plain"] = all(
    not isinstance(weight.value, tf.distribute.DistributedValues)
    for weight in fitted.encoder_.weights
)
out["deep copy"] = type(copy.deepcopy(fitted).distribution).__name__

quick = dict(n_epochs=5, solver="edges", distribution=two)
out["refused"] = {
    "batch": refusal(lambda: ParametricUMAP(batch_size=1, **quick).fit(X)),
    "few": refusal(lambda: ParametricUMAP(n_neighbors=2, distribution=two).fit(X[:4])),
    "keras": refusal(lambda: ParametricUMAP(
        distribution=keras.distribution.DataParallel(devices=["cpu:0", "cpu:1"])).fit(X)),
    "pickle": refusal(lambda: pickle.dumps(ParametricUMAP(**quick))),
}
def inside():
    with two.scope():
        ParametricUMAP(**quick).fit(X)
out["refused"]["scope"] = refusal(inside)
print(json.dumps(out))
"""


@pytest.fixture(scope="module")
def found(run_python: Any) -> Any:
    return json.loads(run_python(_SCRIPT).stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["steps", "steps with a decoder"])
def test_steps_on_two_devices_are_those_on_one(found: Any, name: str) -> None:
    far, moved = found[name]
    assert far < 1e-5
    assert moved > 1e-3


def test_both_devices_compute(found: Any) -> None:
    assert found["devices"] == ["0", "1"] or found["devices"] == ["", "0", "1"]


@pytest.mark.parametrize("name", ["auxiliary", "edges", "table", "style", "layers"])
def test_the_map_is_as_good_and_alike(found: Any, name: str) -> None:
    one, two, correlation = found[name]
    assert two == pytest.approx(one, abs=0.02)
    assert correlation > 0.7


def test_a_seed_gives_the_same_map_again(found: Any) -> None:
    assert found["again"]


def test_the_devices_are_not_stored_with_the_map(found: Any) -> None:
    assert found["copies"] == [True, True]
    assert found["plain"]
    assert found["deep copy"] == "MirroredStrategy"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("batch", "batch_size must be at least the number of devices of distribution, 2; got 1."),
        ("few", "batch_size must be at least the number of devices of distribution, 2; got 1."),
        ("keras", "got DataParallel of Keras, which uses only one device"),
        ("pickle", "distribution must be None to pickle an estimator that is not fitted"),
        ("scope", "distribution must be used outside the scope of a strategy"),
    ],
)
def test_what_cannot_be_shared_is_refused(found: Any, name: str, says: str) -> None:
    assert says in found["refused"][name]
