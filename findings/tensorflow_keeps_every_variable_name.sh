#!/usr/bin/env bash
# TensorFlow, eager: each name that a variable ever had costs 36 kB, and nothing gives it back.
#
# Versions: tensorflow 2.21.0 with keras 3.15.1, Python 3.11, Linux with glibc.
#
# Expected: a layer that nobody holds any more leaves nothing behind, whatever it was called.
# Seen: of 200 layers that are made, called once and dropped, those of one and the same name leave
# nothing; those with a new name each leave 71 kB each, two variables to a layer. TensorFlow keeps the
# kernels of eager operations in a cache, and a variable's name is part of the key. Keras makes up a
# new name for each layer and optimiser (`dense_17`, `adam_3`), so a process that trains many small
# models grows, with the number of Python objects constant: collecting garbage does not help. Explicit
# names do.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet keras==3.15.1 tensorflow==2.21.0 2>/dev/null
cd "$folder"
cat >probe.py <<'PYTHON'
import ctypes
import gc

import keras
import numpy as np

FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()
N_LAYERS = 200


class MemoryInfo(ctypes.Structure):
    _fields_ = [(field, ctypes.c_size_t) for field in FIELDS]


libc = ctypes.CDLL("libc.so.6")
libc.mallinfo2.restype = MemoryInfo


def kilobytes_in_use():
    gc.collect()
    return libc.mallinfo2().uordblks / 1024


def make_and_drop(name):
    layer = keras.layers.Dense(4, name=name)
    layer.build((None, 4))
    layer(np.ones((2, 4), np.float32))


def left_by_each(name_of):
    for number in range(20):
        make_and_drop(name_of(number))
    before = kilobytes_in_use()
    for number in range(20, 20 + N_LAYERS):
        make_and_drop(name_of(number))
    return (kilobytes_in_use() - before) / N_LAYERS


same = left_by_each(lambda number: "dense")
new = left_by_each("layer_{}".format)
print(f"a layer leaves {same:.1f} kB with a name that was there before, {new:.1f} kB with a new one")
assert same < 5, same
assert 50 < new < 100, new
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" probe.py 2>/dev/null
