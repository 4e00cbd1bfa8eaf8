#!/usr/bin/env bash
# Keras with TensorFlow: every traced function with a step of an optimiser stays in memory for good.
#
# Versions: keras 3.15.1 with tensorflow 2.21.0, Python 3.11.
#
# Expected: a `tf.function` that nobody holds any more is collected, with its graph.
# Seen: of ten functions that call `optimizer.apply`, made and dropped one after the other, the graphs
# of all ten are still there after a full collection; of ten that change a variable by hand, none.
# Without a distribution strategy too, Keras adds up the gradients of all devices, and TensorFlow
# registers the gradient of this sum under a new name in a table that nothing ever leaves; the entry
# holds the graph. A process that fits many small models grows by some megabytes with each.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0 2>/dev/null
cd "$folder"
cat >probe.py <<'PYTHON'
import gc

import keras
import numpy as np
import tensorflow as tf


def by_hand():
    variable = tf.Variable(np.ones(3, np.float32))
    tf.function(lambda x: variable.assign_sub(x), autograph=False)(tf.ones(3))


def by_optimizer():
    variable = keras.Variable(np.ones(3, np.float32))
    optimizer = keras.optimizers.SGD()
    optimizer.build([variable])
    tf.function(lambda x: optimizer.apply([x], [variable]), autograph=False)(tf.ones(3))


def graphs():
    gc.collect()
    return sum(type(found).__name__ == "FuncGraph" for found in gc.get_objects())


left = {}
for make in (by_hand, by_optimizer):
    make()
    before = graphs()
    for _ in range(10):
        make()
    left[make.__name__] = graphs() - before
print("graphs left of ten functions:", left)
assert left == {"by_hand": 0, "by_optimizer": 10}, left
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" probe.py 2>/dev/null
