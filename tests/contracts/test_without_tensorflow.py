"""A session opens, is explored, exported and saved again on a machine without TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from embedscope import Explorer
from embedscope.samples import samples_from_array

ABSENT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow", "keras"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""
EXPLORE = """
import sys
from embedscope import Explorer
from embedscope._errors import MissingDependencyError
from embedscope.explorer import ColorBy

explorer = Explorer.open("session")
corners = [(-100, -100), (100, -100), (100, 100), (-100, 100)]
explorer.add_gate(corners, name="all")
explorer.select_gate("all")
assert len(explorer.selection) == 60
explorer.color("source")
assert not explorer.draw_grid(2).decoded
explorer.color(ColorBy("novelty"))
explorer.to_csv("map.csv")
explorer.save("again")
for ask in (lambda: explorer.explain(), lambda: explorer.embed(explorer.samples)):
    try:
        ask()
        raise AssertionError("needs the networks")
    except MissingDependencyError as error:
        assert "pip install tensorflow" in str(error)
explorer.train()
status = explorer.wait()
assert isinstance(status.error, MissingDependencyError), status
assert "tensorflow" not in sys.modules
"""


def test_session_without_tensorflow(tmp_path):
    data = np.random.default_rng(0).random((60, 4)).astype(np.float32)
    explorer = Explorer(samples_from_array(data))
    explorer.set_parameters(n_neighbors=5, encoder="dense", quality="fast", reconstruction=False)
    explorer.train()
    assert explorer.wait().error is None
    explorer.save(tmp_path / "session")
    done = subprocess.run(
        [sys.executable, "-c", ABSENT + EXPLORE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    again = Explorer.open(tmp_path / "again")  # the networks were kept
    assert again.gates.names == ("all",)
    expected = explorer.model.estimator.transform(data)
    np.testing.assert_array_equal(again.model.estimator.transform(data), expected)
