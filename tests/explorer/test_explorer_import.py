"""Importing the explorer loads no toolkit and no TensorFlow; tables and pictures wait for a use."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = [
    "tensorflow",
    "keras",
    "numba",
    "napari",
    "qtpy",
    "ipywidgets",
    "anywidget",
    "pandas",
    "matplotlib",
]
USE = """
import sys
import numpy as np
from embedscope.explorer import ColorBy, Gate, GateSet, Selection
gates = GateSet().add(Gate("a", polygon=[(0, 0), (1, 0), (0, 1)]))
assert Selection.of_mask(gates.memberships(np.zeros((1, 2), np.float32))["a"]).rows.tolist() == [0]
ColorBy("feature", "x")
print(*sys.modules)
"""


@pytest.mark.parametrize("code", ["import sys, embedscope.explorer; print(*sys.modules)", USE])
def test_nothing_heavy_is_loaded(code):
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(ran.stdout.split())
    assert "embedscope.explorer" in loaded
    assert loaded & set(HEAVY) == set()
