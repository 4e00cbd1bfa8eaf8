"""Samples that are not converted as a whole: rows are read when they are needed, as float32.

A `Source` stands for the array in `Rows`. Arrays in memory or memory-mapped keep their dtype, and
the rows that are taken are converted. Arrays on disk and dask arrays are read in whole chunks, in
their order.

Imports neither dask nor zarr nor h5py nor anndata: the attributes of an array show its kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from embedscope.core.arrays._finite import FiniteCheck, check_finite
from embedscope.core.arrays._numbers import as_float32, check_dimensions

# Rows in a block: throughput on 60,000 rows changes little from 4,096 to 16,384.
_BLOCK_ROWS = 8_192
_BLOCK_VALUES = 2**22  # 16 MiB of input, which the feature maps of a convolution multiply
_UNIT_BYTES = 2**26  # read from disk at once, as float32; a chunk is never split
_SPARSE_UNIT_ROWS = 4_096
_WHOLE_VALUES = 2**27  # 512 MiB as float32: converted as a whole, which keeps everything exact

Block = Any  # an ndarray or a csr_matrix of rows


def block_rows(n_features: int) -> int:
    """Number of rows in a block that is small enough for one call of a network."""
    return max(1, min(_BLOCK_ROWS, _BLOCK_VALUES // n_features))


@dataclass(frozen=True)
class Summary:
    """What one pass over all rows gives, for each feature.

    Attributes
    ----------
    lowest, highest, mean : ndarray of shape (n_features,), float32
    """

    lowest: np.ndarray
    highest: np.ndarray
    mean: np.ndarray


class Source(ABC):
    """Rows of an array that stays where it is.

    A slice or an array of row numbers as the index gives these rows as float32: an ndarray, or a
    csr_matrix if the array is sparse.

    Parameters
    ----------
    name : str
        Name of the array in error messages.
    n_samples, n_features : int
    is_sparse : bool
    is_checked : bool
        Whether the dtype has finite values only.

    Attributes
    ----------
    checks_when_read : bool
        Whether rows are checked each time that they are read; not after `checked`.
    """

    ndim = 2
    dtype = np.dtype(np.float32)

    def __init__(
        self,
        name: str,
        n_samples: int,
        n_features: int,
        *,
        is_sparse: bool = False,
        is_checked: bool = False,
    ) -> None:
        self.name = name
        self.shape = (n_samples, n_features)
        self.is_sparse = is_sparse
        self._is_checked = is_checked
        self._first_row = 0
        self.checks_when_read = not is_checked

    @abstractmethod
    def _read(self, start: int, stop: int) -> Block:
        """Rows in their own dtype and shape."""

    @abstractmethod
    def _gather(self, index: np.ndarray) -> Block:
        """Rows of any numbers, in their own dtype and shape."""

    @abstractmethod
    def held(self) -> np.ndarray | sparse.csr_matrix | Source:
        """The same rows, where any row can be read fast: in memory or memory-mapped."""

    def __getitem__(self, index: np.ndarray | slice) -> np.ndarray | sparse.csr_matrix:
        if isinstance(index, slice):
            start, stop, step = index.indices(self.shape[0])
            if step != 1:
                return self[np.arange(start, stop, step)]
            index = slice(start, max(start, stop))
            block = self._read(index.start, index.stop)
        else:
            block = self._gather(index)
        flat = self._flat(block)
        if self.checks_when_read:
            check_finite(flat, self.name, index)
        return flat

    def _flat(self, block: Block) -> np.ndarray | sparse.csr_matrix:
        if sparse.issparse(block):
            with np.errstate(over="ignore"):
                thin = sparse.csr_matrix(block, dtype=np.float32)
            return thin if self.is_sparse else thin.toarray()
        return as_float32(block, self.name).reshape(len(block), self.shape[1])

    def blocks(self) -> Iterator[slice]:
        """All rows in blocks, in their order."""
        step = block_rows(self.shape[1])
        for start in range(0, self.shape[0], step):
            yield slice(start, min(start + step, self.shape[0]))

    def whole(self) -> np.ndarray | sparse.csr_matrix:
        """All rows as float32, in memory."""
        if self.is_sparse:
            return sparse.vstack([self[block] for block in self.blocks()], format="csr")
        flat = np.empty(self.shape, np.float32)
        for block in self.blocks():
            flat[block] = self[block]
        return flat

    def subset(self, index: np.ndarray) -> np.ndarray | sparse.csr_matrix | Source:
        """A copy of some rows in memory; if there are many, in their own dtype."""
        block = self._gather(index)
        if sparse.issparse(block) or np.asarray(block).size <= _WHOLE_VALUES:
            return self._flat(block)
        return ArraySource(np.asarray(block), self.name)

    def checked(self, first_row: int = 0) -> np.ndarray | sparse.csr_matrix | Source:
        """These rows, all of them read once and checked; in memory as float32 if there are few.

        Parameters
        ----------
        first_row : int
            Number of the first row in the error.

        Raises
        ------
        InvalidInputError
            If a value is not finite; with the rows.
        """
        self.checks_when_read = False
        if self.shape[0] * self.shape[1] <= _WHOLE_VALUES:
            flat = self.whole()
            check_finite(flat, self.name, slice(first_row, None))
            return flat
        self._first_row = first_row
        if not self._is_checked:
            _ = self.summary  # made in the same pass
        return self

    @cached_property
    def summary(self) -> Summary:
        """Range and mean of each feature, and the check, in one pass."""
        check, checks = FiniteCheck(self.name), not self._is_checked
        self.checks_when_read = False
        lowest = np.full(self.shape[1], np.inf, np.float32)
        highest, total = -lowest, np.zeros(self.shape[1])
        for block in self.blocks():
            flat = self[block]
            if checks:
                check.add(flat, slice(self._first_row + block.start, None))
            low, high, part = _column_statistics(flat)
            lowest, highest = np.minimum(lowest, low), np.maximum(highest, high)
            total += part
        check.finish()
        return Summary(lowest, highest, (total / max(1, self.shape[0])).astype(np.float32))


def _column_statistics(
    flat: np.ndarray | sparse.csr_matrix,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smallest and largest value and sum of each column."""
    if isinstance(flat, np.ndarray):
        return flat.min(axis=0), flat.max(axis=0), flat.sum(axis=0, dtype=np.float64)
    low, high = (each(axis=0).toarray().ravel() for each in (flat.min, flat.max))
    return low, high, np.asarray(flat.sum(axis=0, dtype=np.float64)).ravel()


class ArraySource(Source):
    """A numpy array of any real dtype, in memory or memory-mapped.

    Parameters
    ----------
    array : ndarray of shape (n_samples, ...)
    name : str
    """

    def __init__(self, array: np.ndarray, name: str) -> None:
        super().__init__(
            name,
            len(array),
            int(np.prod(array.shape[1:])),
            is_checked=array.dtype.kind in "iub",
        )
        self._array = array

    def _read(self, start: int, stop: int) -> Block:
        return self._array[start:stop]

    def _gather(self, index: np.ndarray) -> Block:
        return self._array[index]

    def held(self) -> ArraySource:
        """The source itself."""
        return self


class StoredSource(Source):
    """An array of which rows are read in units of whole chunks; the last unit read is kept.

    Parameters
    ----------
    read : callable
        ``read(start, stop)`` gives rows as an ndarray or a sparse matrix.
    bounds : ndarray of int
        Where units begin, and the number of samples.
    shape : tuple of int
    dtype : numpy dtype
    name : str
    is_sparse : bool
    """

    def __init__(
        self,
        read: Callable[[int, int], Block],
        bounds: np.ndarray,
        shape: tuple[int, ...],
        dtype: Any,
        name: str,
        *,
        is_sparse: bool = False,
    ) -> None:
        super().__init__(
            name,
            int(shape[0]),
            int(np.prod(shape[1:])),
            is_sparse=is_sparse,
            is_checked=np.dtype(dtype).kind in "iub",
        )
        self._read_unit = read
        self._bounds = bounds
        self._kept: tuple[int, Block] | None = None

    def _unit(self, number: int) -> Block:
        if self._kept is None or self._kept[0] != number:
            self._kept = None  # so that two units are never in memory
            start, stop = self._bounds[number : number + 2]
            self._kept = (number, self._read_unit(int(start), int(stop)))
        return self._kept[1]

    def _read(self, start: int, stop: int) -> Block:
        first, last = np.searchsorted(self._bounds, [start, max(start, stop - 1)], side="right") - 1
        parts = []
        for number in range(first, last + 1):
            begin = self._bounds[number]
            parts.append(self._unit(number)[max(start - begin, 0) : stop - begin])
        return _stacked(parts)

    def _gather(self, index: np.ndarray) -> Block:
        order = np.argsort(index, kind="stable")
        rising = index[order]
        edges = np.searchsorted(rising, self._bounds)
        parts = [
            self._unit(number)[rising[begin:end] - self._bounds[number]]
            for number, (begin, end) in enumerate(pairwise(edges))
            if begin < end
        ]
        if not parts:
            return self._read(0, 0)
        found = _stacked(parts)
        return found if (np.diff(order) > 0).all() else found[_inverse(order)]

    def held(self) -> np.ndarray | sparse.csr_matrix | Source:
        """All rows in memory, in their own dtype."""
        return self.subset(np.arange(self.shape[0]))


class JoinedSource(Source):
    """The rows of two arrays, one after the other.

    Parameters
    ----------
    first, second : Source, ndarray or csr_matrix
        The same number of features in both.
    name : str
    """

    def __init__(self, first: Any, second: Any, name: str) -> None:
        parts = (first, second)
        super().__init__(
            name,
            sum(part.shape[0] for part in parts),
            first.shape[1],
            is_sparse=any(map(_is_sparse, parts)),
            is_checked=True,  # the parts are
        )
        self._parts = parts

    def _read(self, start: int, stop: int) -> Block:
        first, second = self._parts
        n_first = first.shape[0]
        if stop <= n_first:
            return first[start:stop]
        if start >= n_first:
            return second[start - n_first : stop - n_first]
        return _stacked([first[start:], second[: stop - n_first]])

    def _gather(self, index: np.ndarray) -> Block:
        first, second = self._parts
        n_first = first.shape[0]
        is_first = index < n_first
        order = np.argsort(~is_first, kind="stable")
        found = _stacked([first[index[is_first]], second[index[~is_first] - n_first]])
        return found[_inverse(order)]

    def held(self) -> Source:
        """The same with each part held."""
        first, second = (part.held() if isinstance(part, Source) else part for part in self._parts)
        return JoinedSource(first, second, self.name)


def _is_sparse(part: Any) -> bool:
    return part.is_sparse if isinstance(part, Source) else bool(sparse.issparse(part))


def _inverse(order: np.ndarray) -> np.ndarray:
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place


def _stacked(parts: Sequence[Block]) -> Block:
    if len(parts) == 1:
        return parts[0]
    if any(map(sparse.issparse, parts)):
        return sparse.vstack([sparse.csr_matrix(part) for part in parts], format="csr")
    return np.concatenate(parts)


# -- kinds of arrays -------------------------------------------------------------------------------


def open_source(X: Any, name: str) -> Source | None:
    """`X` as a source, if it is of a kind that is read by rows; else None.

    Parameters
    ----------
    X : numpy array or memmap, zarr array, h5py dataset, sparse dataset of AnnData, or dask array
    name : str
        Name of the array in error messages.

    Returns
    -------
    Source or None
        None also for C-contiguous float32 arrays in memory, which need no conversion.

    Raises
    ------
    InvalidInputError
        If the array has fewer than two axes, or entries that are not real numbers.
    """
    if isinstance(X, np.ndarray):
        return _opened_array(X, name)
    if is_lazy(X):
        X = _with_known_chunks(X)
    elif not is_stored(X):
        return None
    check_dimensions(X.shape, name)
    as_float32(np.empty(0, X.dtype), name)  # for its rules about the dtype
    if is_lazy(X):
        bounds = _grouped(X.chunks[0], 4 * int(np.prod(X.shape[1:])))
        return StoredSource(
            lambda start, stop: X[start:stop].compute(), bounds, X.shape, X.dtype, name
        )
    if _is_sparse_dataset(X):
        bounds = _regular(X.shape[0], _SPARSE_UNIT_ROWS)
        return StoredSource(
            lambda start, stop: X[start:stop], bounds, X.shape, X.dtype, name, is_sparse=True
        )
    in_chunk = max(1, X.chunks[0]) if getattr(X, "chunks", None) else 1
    row_bytes = max(1, 4 * int(np.prod(X.shape[1:])))
    step = in_chunk * max(1, _UNIT_BYTES // (in_chunk * row_bytes))
    return StoredSource(
        lambda start, stop: X[start:stop], _regular(X.shape[0], step), X.shape, X.dtype, name
    )


def _opened_array(X: np.ndarray, name: str) -> Source | None:
    if isinstance(X, np.ma.MaskedArray) or X.ndim < 2 or X.dtype.kind not in "fiub":
        return None
    array = np.asarray(X)
    is_ready = array.dtype == np.float32 and array.flags.c_contiguous
    is_large_file = isinstance(X, np.memmap) and array.size > _WHOLE_VALUES
    return None if is_ready and not is_large_file else ArraySource(array, name)


def is_lazy(X: Any) -> bool:
    """Whether `X` is a dask array, which computes only on request."""
    return hasattr(X, "map_blocks") and hasattr(X, "rechunk")


def is_stored(X: Any) -> bool:
    """Whether `X` is an array on disk: of zarr, h5py or AnnData, or one like these."""
    if _is_sparse_dataset(X):
        return True
    chunks = getattr(X, "chunks", None)
    if isinstance(chunks, tuple):
        return all(isinstance(size, int) for size in chunks)
    return type(X).__module__.partition(".")[0] == "h5py" and hasattr(X, "shape")


def with_readable_rows(X: Any) -> Any:
    """`X`, but in memory if it is AnnData's sparse matrix of compressed columns on disk.

    Its rows cannot be read without the whole file.
    """
    return X.to_memory() if _is_sparse_dataset(X) and X.format != "csr" else X


def _is_sparse_dataset(X: Any) -> bool:
    """Whether `X` is AnnData's sparse matrix on disk."""
    return hasattr(X, "to_memory") and hasattr(X, "group") and hasattr(X, "format")


def _with_known_chunks(X: Any) -> Any:
    """The dask array with the sizes of its chunks, which are computed if they are unknown."""
    if not np.isnan(X.shape[0]):
        return X
    return X.copy().compute_chunk_sizes()


def _regular(n_samples: int, step: int) -> np.ndarray:
    return np.append(np.arange(0, n_samples, step), n_samples)


def _grouped(sizes: Sequence[int], row_bytes: int) -> np.ndarray:
    """Where units begin that are made of whole chunks of these numbers of rows."""
    bounds, in_unit = [0], 0
    for size in sizes:
        if in_unit and (in_unit + size) * row_bytes > _UNIT_BYTES:
            bounds.append(bounds[-1] + in_unit)
            in_unit = 0
        in_unit += size
    return np.array([*bounds, bounds[-1] + in_unit])
