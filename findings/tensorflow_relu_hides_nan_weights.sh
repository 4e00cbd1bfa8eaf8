#!/usr/bin/env bash
# TensorFlow on a processor: weights that are NaN come out of a dense layer with relu as 0.
#
# Versions: tensorflow 2.21.0 with keras 3.15.1, Python 3.11, x86-64 with oneDNN (the default).
#
# Expected: NaN among the weights of a layer makes its output and the loss NaN, so that
# `TerminateOnNaN`, or any look at the loss or the predictions, finds it.
# Seen: called eagerly the network gives NaN. In a graph (`predict`, `evaluate`, `fit`) the product,
# the bias and the relu are run as one operation of oneDNN, whose relu gives 0 for NaN. The loss is a
# plain number, it even falls, and `TerminateOnNaN` says nothing. The same with relu6 and with a
# convolution; elu, tanh, sigmoid, gelu and leaky_relu give NaN. With TF_ENABLE_ONEDNN_OPTS=0 the
# graph gives NaN too.
# What helps: look at the weights, not at what comes out.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0 2>/dev/null
cd "$folder"
cat >probe.py <<'PYTHON'
import sys

import keras
import numpy as np

layers = keras.layers
x, y = np.ones((2, 3), np.float32), np.ones((2, 1), np.float32)


def broken(activation):
    network = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, activation), layers.Dense(1)]
    )
    kernel, *others = network.get_weights()
    network.set_weights([np.full_like(kernel, np.nan), *others])
    network.compile("sgd", "mse")
    return network


hides = {
    name: bool(np.isfinite(broken(name).predict(x, verbose=0)).all())
    for name in ("relu", "relu6", "elu", "tanh", "sigmoid", "gelu", "leaky_relu")
}
print("predictions are numbers:", hides)
network = broken("relu")
eager = np.asarray(network(x)).ravel()
history = network.fit(x, y, epochs=2, verbose=0, callbacks=[keras.callbacks.TerminateOnNaN()])
losses = history.history["loss"]
print("eager:", eager, "losses of fit:", losses)
assert np.isnan(eager).all()
if sys.argv[1] == "onednn":
    assert hides == {name: name in ("relu", "relu6") for name in hides}, hides
    assert len(losses) == 2 and losses[1] < losses[0], losses
else:
    assert not any(hides.values()), hides
    assert np.isnan(losses[0]) and len(losses) == 1, losses
PYTHON
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1
"$folder/venv/bin/python" probe.py onednn 2>/dev/null
TF_ENABLE_ONEDNN_OPTS=0 "$folder/venv/bin/python" probe.py plain 2>/dev/null
