#!/usr/bin/env bash
# Keras: with the TensorFlow backend `keras.distribution.DataParallel` is accepted and does nothing.
#
# Versions: keras 3.15.1 with tensorflow 2.21.0, Python 3.11.
#
# Expected: a batch is shared by the devices, or an error says that the backend cannot do it.
# Seen: the distribution can be made with two devices and set, and `fit` runs without a warning, but
# the first device gets each batch whole, and the second computes nothing.
# What helps: `tf.distribute.MirroredStrategy`, with which each device gets half of the batch.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0 2>/dev/null
cd "$folder"
cat >probe.py <<'PYTHON'
import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
seen = set()


class Watched(keras.layers.Dense):
    def call(self, inputs):
        output = super().call(inputs)
        if tf.executing_eagerly():
            seen.add((output.device[-5:], len(output)))
        return output


def parts_of_batch():
    """The devices that computed, each with the number of samples it got."""
    network = keras.Sequential([keras.Input((4,)), Watched(2)])
    network.compile("sgd", "mse", run_eagerly=True)
    seen.clear()
    network.fit(np.ones((16, 4)), np.ones((16, 2)), batch_size=8, verbose=0)
    return sorted(seen)


keras.distribution.set_distribution(
    keras.distribution.DataParallel(devices=["cpu:0", "cpu:1"])
)
by_keras = parts_of_batch()
keras.distribution.set_distribution(None)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    by_tensorflow = parts_of_batch()
print(f"DataParallel: {by_keras}; MirroredStrategy: {by_tensorflow}")
assert by_keras == [("CPU:0", 8)]
assert by_tensorflow == [("CPU:0", 4), ("CPU:1", 4)]
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" probe.py 2>/dev/null
