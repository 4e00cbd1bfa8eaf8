"""Run with `[export]`: Parquet and AnnData files, written and read."""

import anndata
import numpy as np
import pandas as pd

from embedscope import Explorer
from embedscope.samples import read, samples_from_table

table = pd.DataFrame(np.random.default_rng(0).random((30, 4)), columns=list("abcd"))
explorer = Explorer(samples_from_table(table))
explorer.place(np.random.default_rng(1).random((30, 2)).astype(np.float32))
explorer.to_parquet("map.parquet")
assert len(pd.read_parquet("map.parquet")) == 30
explorer.to_anndata().write_h5ad("map.h5ad")
assert anndata.read_h5ad("map.h5ad").obsm["X_umap"].shape == (30, 2)
table.to_parquet("table.parquet")
assert read("table.parquet").X.shape == read("map.h5ad").X.shape == (30, 4)
