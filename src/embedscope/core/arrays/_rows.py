"""Any kind of array as checked float32 rows, from which batches for a network are taken by index.

Outside this module an `X` is a `Rows`. It may be dense or sparse, flat or image-shaped; it gives
batches of the shape that the network takes, and keeps the shape of the input for results.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidInputError
from embedscope.core.arrays._finite import check_finite
from embedscope.core.arrays._numbers import as_float32, check_dimensions
from embedscope.core.arrays._shapes import check_layout
from embedscope.core.arrays._sources import (
    JoinedSource,
    Source,
    block_rows,
    open_source,
    with_readable_rows,
)

_DENSE_VALUES = 2**25  # 128 MiB as float32


@dataclass(frozen=True)
class Rows:
    """Samples as rows of a two-dimensional array, and the shape that one sample has.

    Attributes
    ----------
    flat : ndarray, csr_matrix or Source of shape (n_samples, n_features), float32
        A `Source` gives rows by indexing, like the others; use `whole` where all are needed.
    shape : tuple of int
        Shape of one sample as the network takes it; its product is n_features.
    given_shape : tuple of int
        Shape of one sample as the user gave it.
    """

    flat: np.ndarray | sparse.csr_matrix | Source
    shape: tuple[int, ...]
    given_shape: tuple[int, ...]

    def __len__(self) -> int:
        return int(self.flat.shape[0])

    @property
    def n_features(self) -> int:
        """Number of values in one sample."""
        return int(self.flat.shape[1])

    def take(self, index: np.ndarray | slice) -> np.ndarray:
        """Samples of the given index as a dense array of shape ``index.shape + shape``.

        A slice may give a view, so the result must not be written to.
        """
        if isinstance(self.flat, np.ndarray):
            dense = self.flat[index]
        else:
            found = self.flat[index if isinstance(index, slice) else index.ravel()]
            dense = found if isinstance(found, np.ndarray) else found.toarray()
        leading = dense.shape[:1] if isinstance(index, slice) else index.shape
        return np.ascontiguousarray(dense).reshape(*leading, *self.shape)

    def blocks(self, index: np.ndarray | None = None) -> Iterator[slice | np.ndarray]:
        """Blocks of rows (of all, unless given) that are small enough for one call of a network."""
        step = block_rows(self.n_features)
        for start in range(0, len(self if index is None else index), step):
            block = slice(start, start + step)
            yield block if index is None else index[block]

    def subset(self, index: np.ndarray) -> Rows:
        """Only the samples of `index`, copied."""
        flat = self.flat
        chosen = flat.subset(index) if isinstance(flat, Source) else flat[index]
        return Rows(chosen, self.shape, self.given_shape)

    def joined(self, other: Rows) -> Rows:
        """These samples followed by those of `other`."""
        if isinstance(self.flat, Source):
            joined: Any = JoinedSource(self.flat, other.flat, self.flat.name)
        else:
            both = (self.flat, other.whole())
            if any(map(sparse.issparse, both)):
                joined = sparse.vstack([sparse.csr_matrix(part) for part in both], format="csr")
            else:
                joined = np.concatenate(both)
        return Rows(joined, self.shape, self.given_shape)

    def whole(self) -> np.ndarray | sparse.csr_matrix:
        """All samples as float32 in memory; a copy only of a `Source`."""
        return self.flat.whole() if isinstance(self.flat, Source) else self.flat

    def held(self) -> Rows:
        """The same samples where any of them can be read fast, for training in random order."""
        flat = self.flat.held() if isinstance(self.flat, Source) else self.flat
        return Rows(flat, self.shape, self.given_shape)

    def ranges(self) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest value of each feature, shape (n_features,) each, float32."""
        flat = self.flat
        if isinstance(flat, Source):
            return flat.summary.lowest, flat.summary.highest
        if isinstance(flat, np.ndarray):
            return flat.min(axis=0), flat.max(axis=0)
        low, high = (each(axis=0).toarray().ravel() for each in (flat.min, flat.max))
        return low, high


def dense_if_small(flat: np.ndarray | sparse.csr_matrix) -> np.ndarray | sparse.csr_matrix:
    """Sparse data of at most 33 million values (128 MiB) as dense data.

    The same numbers then give the same map to the last bit, sparse or dense.
    """
    if isinstance(flat, np.ndarray) or flat.shape[0] * flat.shape[1] > _DENSE_VALUES:
        return flat
    return np.asarray(flat.toarray())


def as_rows(
    X: Any,
    dims: Sequence[int] | None = None,
    *,
    name: str = "X",
    least: int = 1,
    check_when_read: bool = False,
    first_row: int = 0,
) -> Rows:
    """Check `X` and convert it to rows.

    C-contiguous float32 arrays and sparse matrices stay as they are. Other arrays of up to 512 MiB
    as float32 are converted; larger ones become a `Source`, of which rows are read when needed.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_samples, *dims)
        numpy array, memmap, scipy sparse matrix, zarr array, h5py dataset, sparse dataset of
        AnnData, dask array, or any object that numpy reads; numeric, finite.
    dims : sequence of int, optional
        Shape of one sample for the network.
    name : str
        Name of the array in error messages.
    least : int
        Smallest number of samples.
    check_when_read : bool
        For samples that are read only once, in blocks: each block is checked when it is read, and
        nothing is converted before.
    first_row : int
        Number of the first row in error messages, if X is a part of another array.

    Returns
    -------
    Rows

    Raises
    ------
    InvalidInputError
        If X is empty, not numeric, not finite, or its shape does not fit `dims`.
    """
    X = with_readable_rows(X)
    source = open_source(X, name)
    flat: np.ndarray | sparse.csr_matrix | Source
    if source is not None:
        given_shape: tuple[int, ...] = tuple(int(size) for size in X.shape[1:])
        flat = source
    elif sparse.issparse(X):
        flat = _as_csr(X, name)
        given_shape = (flat.shape[1],)
    else:
        dense = as_float32(X, name)
        check_dimensions(dense.shape, name)
        given_shape = dense.shape[1:]
        flat = dense.reshape(len(dense), int(np.prod(given_shape)))
    shape = tuple(int(size) for size in dims) if dims is not None else given_shape
    _check_shape(flat.shape, shape, given_shape, name, least, explicit=dims is not None)
    if not isinstance(flat, Source):
        check_finite(flat, name, slice(first_row, None))
    elif not check_when_read:
        flat = flat.checked(first_row)
    return Rows(flat, shape, given_shape)


def _as_csr(X: Any, name: str) -> sparse.csr_matrix:
    """A sparse matrix of numbers as float32, without a copy where it already is one."""
    check_dimensions(X.shape, name)
    as_float32(np.empty(0, X.dtype), name)  # for its rules about the dtype
    with np.errstate(over="ignore"):
        return sparse.csr_matrix(X, dtype=np.float32)


def _check_shape(
    given: tuple[int, int],
    shape: tuple[int, ...],
    given_shape: tuple[int, ...],
    name: str,
    least: int,
    *,
    explicit: bool,
) -> None:
    n_samples, n_features = given
    if n_features == 0:
        raise InvalidInputError(
            f"{name} must have at least one feature; got 0 feature(s) (shape={given}) while "
            "a minimum of 1 is required. Check how the features were selected."
        )
    if n_samples < least:
        raise InvalidInputError(
            f"{name} must have at least {least} sample(s); got n_samples={n_samples}. "
            "Add more samples."
        )
    if explicit and int(np.prod(shape)) != n_features:
        raise InvalidInputError(
            f"dims (by default the encoder's input shape) must be the shape of one sample; got "
            f"{shape} ({int(np.prod(shape))} values), but a sample of {name} has shape "
            f"{given_shape} ({n_features} values). Set dims so that its product is {n_features}."
        )
    check_layout(given_shape, shape, name)
