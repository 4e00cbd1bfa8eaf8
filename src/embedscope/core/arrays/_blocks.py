"""Arrays larger than memory: dask arrays stay lazy, chunked arrays on disk are read in blocks.

Imports neither dask nor zarr: the attributes of an array show its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_BLOCK_BYTES = 2**26  # of float32 in one block; a chunk is never split


def is_lazy(X: Any) -> bool:
    """Whether `X` is a dask array, which computes only on request."""
    return hasattr(X, "map_blocks") and hasattr(X, "rechunk")


def is_chunked(X: Any) -> bool:
    """Whether `X` is a chunked array on disk, such as a zarr array."""
    chunks = getattr(X, "chunks", None)
    return isinstance(chunks, tuple) and all(isinstance(size, int) for size in chunks)


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


def map_chunks(function: Callable[[np.ndarray], np.ndarray], X: Any) -> np.ndarray:
    """Apply a function of samples to a chunked array on disk, a few chunks at a time.

    Parameters
    ----------
    function : callable
        From samples to rows.
    X : zarr array, or similar, of shape (n_samples, ...)

    Returns
    -------
    ndarray of shape (n_samples, ...)
    """
    n_samples, in_chunk = X.shape[0], max(1, X.chunks[0])
    chunk_bytes = 4 * in_chunk * int(np.prod(X.shape[1:]))
    step = in_chunk * max(1, _BLOCK_BYTES // max(1, chunk_bytes))
    # An array without samples is read too, so that the function raises its own error.
    starts = range(0, max(1, n_samples), step)
    return np.concatenate([function(np.asarray(X[start : start + step])) for start in starts])
