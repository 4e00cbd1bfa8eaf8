"""Run with `[spatialdata]`: labels and their table, written to disk and read."""

import numpy as np
import spatialdata
from spatialdata.models import Image2DModel, Labels2DModel

from embedscope import Explorer
from embedscope.samples import nuclei, samples_from_spatialdata

fields = nuclei()
sdata = spatialdata.SpatialData(
    images={"raw": Image2DModel.parse(fields.images[0][None], dims=("c", "y", "x"))},
    labels={"cells": Labels2DModel.parse(fields.labels[0].astype(np.int32), dims=("y", "x"))},
)
cells = samples_from_spatialdata(sdata, "cells", size=16)
explorer = Explorer(cells)
explorer.place(np.random.default_rng(0).random((len(cells), 2)).astype(np.float32))
sdata.tables["map"] = explorer.to_spatialdata_table()
sdata.write("nuclei.zarr")
again = spatialdata.read_zarr("nuclei.zarr")
assert again.tables["map"].obsm["X_umap"].shape == (len(cells), 2)
assert len(samples_from_spatialdata("nuclei.zarr", "cells", size=16)) == len(cells)
