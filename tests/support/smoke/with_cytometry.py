"""Run with `[cytometry]`: the map as an FCS file, and its gates beside it."""

from pathlib import Path

import flowio
import numpy as np

from embedscope import Explorer
from embedscope.samples import samples_from_array

explorer = Explorer(samples_from_array(np.random.default_rng(0).random((30, 4))))
explorer.place(np.random.default_rng(1).random((30, 2)).astype(np.float32))
explorer.add_gate([(0, 0), (1, 0), (1, 1), (0.2, 1)], name="most")
explorer.to_fcs("map.fcs")
assert flowio.FlowData("map.fcs").event_count == 30
assert "most" in Path("map.gating.xml").read_text("utf-8")
