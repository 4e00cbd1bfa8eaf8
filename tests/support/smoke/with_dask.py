"""Run with `[dask]`: a dask array is placed lazily, by a cluster of one process."""

import dask.array as da
import numpy as np
from distributed import Client
from sklearn.datasets import load_digits

from embedscope import ParametricUMAP

data = (load_digits().data[:400] / 16).astype(np.float32)
if __name__ == "__main__":
    mapper = ParametricUMAP(random_state=0).fit(data)
    with Client(n_workers=1, threads_per_worker=1, dashboard_address=None):
        placed = mapper.transform(da.from_array(data, chunks=(100, 64))).compute()
    np.testing.assert_allclose(placed, mapper.transform(data), rtol=1e-4, atol=1e-4)
