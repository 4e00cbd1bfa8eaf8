"""Run with embedscope alone: arrays, tables, and what is said where an extra is missing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from refusing import refused
from sklearn.datasets import load_digits

from embedscope import Explorer, ParametricUMAP, load_ParametricUMAP
from embedscope.samples import read, samples_from_labels, samples_from_spatialdata

digits = load_digits()
data = (digits.data[:400] / 16).astype(np.float32)

mapper = ParametricUMAP(parametric_reconstruction=True, random_state=0)
positions = mapper.fit_transform(data)
assert mapper.inverse_transform(positions[:3]).shape == (3, 64)
mapper.save("digits")
np.testing.assert_array_equal(load_ParametricUMAP("digits").transform(data), positions)

pd.DataFrame(data[:, 10:40]).rename(columns="pixel {}".format).to_csv("table.csv", index=False)
explorer = Explorer(read("table.csv"))
explorer.set_parameters(encoder="dense", quality="fast", reconstruction=False)
explorer.train()
assert explorer.wait().error is None
explorer.save("session")
Explorer.open("session").to_csv("map.csv")
command = [sys.executable, "-m", "embedscope", "train", "table.csv", "--out", "map"]
subprocess.run(command, check=True, timeout=300)


def widget():
    from embedscope.jupyter_widget import ExplorerWidget

    return ExplorerWidget(explorer)


def dock():
    from embedscope.napari_dock import ExplorerDock

    return ExplorerDock


for name in ("cells.tif", "masks.tif", "cells.parquet", "cells.h5ad", "cells.geojson"):
    Path(name).write_text('{"type": "FeatureCollection", "features": []}')
Path("plate.zarr").mkdir()
Path("plate.zarr", "zarr.json").write_text("{}")
labels = np.zeros((40, 40), np.int32)
labels[5:15, 5:15] = 1
for extra, function, *arguments in [
    ("images", samples_from_labels, labels.astype(np.float32), labels),
    ("images", read, "cells.tif", "masks.tif"),
    ("images", read, "plate.zarr"),
    ("export", read, "cells.parquet"),
    ("export", read, "cells.h5ad"),
    ("export", explorer.to_parquet, "map.parquet"),
    ("export", explorer.to_anndata),
    ("spatialdata", explorer.to_spatialdata_table),
    ("spatialdata", samples_from_spatialdata, "plate.zarr"),
    ("cytometry", explorer.to_fcs, "map.fcs"),
    ("onnx", mapper.to_onnx, "encoder.onnx"),
    ("jupyter", widget),
    ("napari", dock),
]:
    message = refused(function, *arguments)
    assert f'pip install "embedscope[{extra}]"' in message, message
for arguments in (["demo", "--headless"], ["train", "cells.tif", "masks.tif", "--out", "cut"]):
    command = [sys.executable, "-m", "embedscope", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert 'pip install "embedscope[images]"' in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
