"""Run with `[cytometry]`: the map as FCS, and a gate that crosses itself as Gating-ML."""

from pathlib import Path

import flowio
import numpy as np
import pandas as pd

from embedscope import Explorer

table = pd.DataFrame(np.random.default_rng(0).random((30, 4)), columns=list("abcd"))
explorer = Explorer(table)
explorer.place(np.random.default_rng(1).random((30, 2)).astype(np.float32))
explorer.add_gate([(0, 0), (1, 1), (1, 0), (0, 1)], "eight")
explorer.to_fcs("map.fcs")
assert flowio.FlowData("map.fcs").event_count == 30
assert Path("map.gating.xml").read_text().count("PolygonGate gating:id") == 2
