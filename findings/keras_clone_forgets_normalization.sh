#!/usr/bin/env bash
# Keras: a network with an adapted Normalization layer is another network after cloning.
#
# Versions: keras 3.15.1 with tensorflow 2.21.0, Python 3.11.
#
# Expected: `copy = clone_model(network); copy.set_weights(network.get_weights())` gives a network
# with the same output; the mean and the variance of an adapted `Normalization` are among the weights.
# Seen: the weights are equal, and the outputs are not. The layer computes with two tensors that it
# derives from its weights when it is built, adapted or loaded, but not when its weights are set: the
# copy normalises by mean 0 and variance 1. Saved and loaded it is right again, so that a model
# trained as a copy gives other results after loading than before.
# What helps: `layer.finalize_state()` on each such layer after `set_weights`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0 2>/dev/null
cd "$folder"
cat >probe.py <<'PYTHON'
import keras
import numpy as np

X = np.random.default_rng(0).normal(50.0, 3.0, (200, 4)).astype(np.float32)
layer = keras.layers.Normalization()
layer.adapt(X)
network = keras.Sequential([keras.Input((4,)), layer])
copy = keras.models.clone_model(network)
copy.set_weights(network.get_weights())
same = all(
    np.array_equal(one, other)
    for one, other in zip(network.get_weights(), copy.get_weights(), strict=True)
)
means = [float(np.asarray(each(X)).mean()) for each in (network, copy)]
copy.save("copy.keras")
means.append(float(np.asarray(keras.models.load_model("copy.keras")(X)).mean()))
copy.layers[0].finalize_state()
means.append(float(np.asarray(copy(X)).mean()))
print(f"weights equal: {same}; mean output of network, copy, loaded copy, mended copy: {means}")
assert same
assert abs(means[0]) < 0.1 and means[1] > 40.0
assert abs(means[2]) < 0.1 and abs(means[3]) < 0.1
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" probe.py 2>/dev/null
