#!/usr/bin/env bash
# Keras: a network with a lambda as an argument of a layer is saved, and can never be loaded.
#
# Versions: keras 3.15.1 with tensorflow 2.21.0 (3.15.0 does the same), Python 3.11.
#
# Expected: `keras.layers.Dense(2, activation=lambda x: 2 * x)` is saved with the warning that the
# loading function needs safe_mode=False, and is loaded that way, as a `Lambda` layer is.
# Seen: the file is written, and both safe_mode=True and safe_mode=False end in a TypeError, "Could
# not interpret activation function identifier". The description of an activation, an initialiser
# or a regulariser leaves out the class name "__lambda__" that the loader looks for; that of a
# `Lambda` layer keeps it. So the trained weights are in a file that Keras does not open.
# What helps: a named function with @keras.saving.register_keras_serializable().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0
cd "$folder"
cat >probe.py <<'PYTHON'
import warnings

import keras

layers = keras.layers


def reload(layer, safe_mode):
    """Name of the error of saving and loading a network with this layer; None for success."""
    network = keras.Sequential([keras.Input((3,)), layer])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that safe_mode=False will be needed
        network.save("network.keras")
    try:
        keras.models.load_model("network.keras", safe_mode=safe_mode)
    except (TypeError, ValueError) as error:
        return type(error).__name__
    return None


@keras.saving.register_keras_serializable("probe")
def double(x):
    return 2 * x


arguments = {
    "activation": lambda: layers.Dense(2, activation=lambda x: 2 * x),
    "initialiser": lambda: layers.Dense(
        2, kernel_initializer=lambda shape, dtype=None: keras.ops.ones(shape, dtype)
    ),
    "regulariser": lambda: layers.Dense(2, kernel_regularizer=lambda w: keras.ops.sum(w)),
}
for name, make in arguments.items():
    seen = [reload(make(), safe_mode) for safe_mode in (True, False)]
    print(f"a lambda as {name}: safe_mode=True {seen[0]}, safe_mode=False {seen[1]}")
    assert seen == ["TypeError", "TypeError"], seen
assert reload(layers.Lambda(lambda x: 2 * x), False) is None
assert reload(layers.Dense(2, activation=double), True) is None
print("a Lambda layer loads with safe_mode=False, a registered function with either")
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" probe.py 2>/dev/null
