#!/usr/bin/env bash
# Keras's Adafactor: a column of the data that is always 0 turns the first layer's weights into NaN,
# and the loss does not show it.
#
# Versions: keras 3.15.1 with tensorflow 2.21.0, Python 3.11, on a processor.
#
# Expected: an input that is always 0 has a gradient of 0, and its weights stay as they are, as with
# Adam. One step of Adafactor with a gradient of zeros, or with a row of zeros, does leave them.
# Seen: after three epochs of `fit` on 64 samples, of which one of four columns is 0, all 32 weights
# of the first layer's kernel are NaN. The loss that `fit` reports stays a number near that of a
# network that knows nothing of its input (a relu behind the layer makes 0 of NaN, see
# tensorflow_relu_hides_nan_weights.sh). With Adam no weight is NaN.
# What helps: drop such columns, or take another optimiser.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0 2>/dev/null
cd "$folder"
cat >probe.py <<'PYTHON'
import keras
import numpy as np

X = np.random.default_rng(0).random((64, 4)).astype(np.float32)


def train(optimizer, column):
    """Weights of the first kernel that are NaN after three epochs, and the losses."""
    keras.utils.set_random_seed(0)
    data = X.copy()
    data[:, column] = 0.0
    network = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)]
    )
    network.compile(optimizer, "mse")
    losses = network.fit(data, X[:, :1], epochs=3, verbose=0).history["loss"]
    return int(np.isnan(network.get_weights()[0]).sum()), losses


n_nan, losses = train(keras.optimizers.Adafactor(1e-3), slice(2, 3))
print(f"Adafactor, a column of zeros: {n_nan} of 32 weights NaN, losses {losses}")
assert n_nan == 32 and np.isfinite(losses).all()
for name, optimizer, column in (
    ("Adafactor, no such column", keras.optimizers.Adafactor(1e-3), slice(0, 0)),
    ("Adam, a column of zeros", keras.optimizers.Adam(1e-3), slice(2, 3)),
):
    n_nan, losses = train(optimizer, column)
    print(f"{name}: {n_nan} of 32 weights NaN, losses {losses}")
    assert n_nan == 0

variable = keras.Variable(np.ones((4, 3), np.float32))
optimizer = keras.optimizers.Adafactor(1e-3)
optimizer.build([variable])
gradient = np.ones((4, 3), np.float32)
gradient[1] = 0.0
optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
assert np.isfinite(variable.numpy()).all()
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" probe.py 2>/dev/null
