"""Run with `[export,images,jupyter]` and without TensorFlow and Keras, beside a trained session."""

import importlib.util

from refusing import refused

import embedscope
from embedscope import Explorer, ParametricUMAP
from embedscope.jupyter_widget import ExplorerWidget
from embedscope.samples import nuclei, samples_from_labels

assert importlib.util.find_spec("tensorflow") is None
assert importlib.util.find_spec("keras") is None
explorer = Explorer.open("session")
widget = ExplorerWidget(explorer)
explorer.color("area")
lowest, highest = explorer.embedding.positions.min(axis=0), explorer.embedding.positions.max(axis=0)
explorer.select_rectangle(lowest, highest)
assert len(widget.selection) == len(explorer.samples)
explorer.to_csv("map.csv")
explorer.to_parquet("map.parquet")
assert "X_umap" in explorer.to_anndata().obsm
explorer.save_map("map.png")
explorer.save_montage("montage.png")
widget.save_html("map.html")
explorer.save("again")
fields = nuclei()
fresh = Explorer(samples_from_labels(fields.images[0], fields.labels[0], size=16))
fresh.place(explorer.embedding.positions)
for function, *arguments in [
    (explorer.explain,),
    (explorer.embed, fresh.samples),
    (getattr, embedscope, "load_ParametricUMAP"),
    (ParametricUMAP().fit, explorer.embedding.positions),
]:
    assert "pip install tensorflow" in refused(function, *arguments)
