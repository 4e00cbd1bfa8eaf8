"""Run with `[jupyter]`: the widget is made, and has its page."""

import numpy as np

from embedscope import Explorer
from embedscope.jupyter_widget import ExplorerWidget
from embedscope.samples import nuclei, samples_from_labels

fields = nuclei()
explorer = Explorer(samples_from_labels(fields.images[0], fields.labels[0], size=16))
explorer.place(np.random.default_rng(0).random((len(explorer.samples), 2)).astype(np.float32))
widget = ExplorerWidget(explorer)
assert len(str(widget._esm)) > 10_000
explorer.select_rows([0, 1])
assert len(widget.selection) == 2
widget.save_html("map.html")
