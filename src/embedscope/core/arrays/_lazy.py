"""Functions of samples on dask arrays, which compute only on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def map_lazily(function: Callable[[np.ndarray], np.ndarray], X: Any, n_columns: int) -> Any:
    """Apply a function of whole samples to each block of a dask array, lazily.

    Parameters
    ----------
    function : callable
        From samples to float32 rows of `n_columns`. It is not called on blocks without samples,
        which indexing a dask array can leave.
    X : dask array of shape (n_samples, ...)
    n_columns : int

    Returns
    -------
    dask array of shape (n_samples, n_columns), float32
    """

    def apply(block: np.ndarray) -> np.ndarray:
        return function(block) if len(block) else np.empty((0, n_columns), dtype=np.float32)

    whole = X.rechunk(dict.fromkeys(range(1, X.ndim), -1))
    return whole.map_blocks(
        apply,
        dtype=np.float32,
        chunks=(whole.chunks[0], (n_columns,)),
        drop_axis=list(range(2, X.ndim)),
        meta=np.empty((0, n_columns), dtype=np.float32),
    )
