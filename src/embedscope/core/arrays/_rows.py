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

from embedscope._errors import InvalidInputError, InvalidTypeError
from embedscope.core.arrays._shapes import check_layout

# Rows in a block: throughput on 60,000 rows changes little from 4,096 to 16,384.
_BLOCK_ROWS = 8_192
_BLOCK_VALUES = 2**22  # 16 MiB of input, which the feature maps of a convolution multiply
_DENSE_VALUES = 2**25  # 128 MiB as float32

LARGEST_VALUE = 1e32  # sums of its neighbours' distances still fit in float32


@dataclass(frozen=True)
class Rows:
    """Samples as rows of a two-dimensional array, and the shape that one sample has.

    Attributes
    ----------
    flat : ndarray or csr_matrix of shape (n_samples, n_features), float32
    shape : tuple of int
        Shape of one sample as the network takes it; its product is n_features.
    given_shape : tuple of int
        Shape of one sample as the user gave it.
    """

    flat: np.ndarray | sparse.csr_matrix
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
            dense = self.flat[index if isinstance(index, slice) else index.ravel()].toarray()
        leading = dense.shape[:1] if isinstance(index, slice) else index.shape
        return np.ascontiguousarray(dense).reshape(*leading, *self.shape)

    def blocks(self, index: np.ndarray | None = None) -> Iterator[slice | np.ndarray]:
        """Blocks of rows (of all, unless given) that are small enough for one call of a network."""
        step = max(1, min(_BLOCK_ROWS, _BLOCK_VALUES // self.n_features))
        for start in range(0, len(self if index is None else index), step):
            block = slice(start, start + step)
            yield block if index is None else index[block]

    def subset(self, index: np.ndarray) -> Rows:
        """Only the samples of `index`."""
        return Rows(self.flat[index], self.shape, self.given_shape)

    def joined(self, other: Rows) -> Rows:
        """These samples followed by those of `other`."""
        both = (self.flat, other.flat)
        if sparse.issparse(self.flat) or sparse.issparse(other.flat):
            stacked = sparse.vstack([sparse.csr_matrix(part) for part in both], format="csr")
        else:
            stacked = np.concatenate(both)
        return Rows(stacked, self.shape, self.given_shape)


def dense_if_small(flat: np.ndarray | sparse.csr_matrix) -> np.ndarray | sparse.csr_matrix:
    """Sparse data of at most 33 million values (128 MiB) as dense data.

    The same numbers then give the same map to the last bit, sparse or dense.
    """
    if isinstance(flat, np.ndarray) or flat.shape[0] * flat.shape[1] > _DENSE_VALUES:
        return flat
    return np.asarray(flat.toarray())


def as_rows(X: Any, dims: Sequence[int] | None = None, *, name: str = "X", least: int = 1) -> Rows:
    """Check `X` and convert it to rows.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_samples, *dims)
        numpy array, memmap, scipy sparse matrix, or any object that numpy reads; numeric, finite.
    dims : sequence of int, optional
        Shape of one sample for the network.
    name : str
        Name of the array in error messages.
    least : int
        Smallest number of samples.

    Returns
    -------
    Rows

    Raises
    ------
    InvalidInputError
        If X is empty, not numeric, not finite, or its shape does not fit `dims`.
    """
    if sparse.issparse(X):
        flat: np.ndarray | sparse.csr_matrix = _as_csr(X, name)
        given_shape: tuple[int, ...] = (flat.shape[1],)
    else:
        dense = as_float32(X, name)
        check_dimensions(dense.shape, name)
        given_shape = dense.shape[1:]
        flat = dense.reshape(len(dense), int(np.prod(given_shape)))
    shape = tuple(int(size) for size in dims) if dims is not None else given_shape
    _check_shape(flat, shape, given_shape, name, least, explicit=dims is not None)
    _check_finite(flat, name)
    return Rows(flat, shape, given_shape)


def check_dimensions(shape: tuple[int, ...], name: str) -> None:
    """Raise unless an array of that shape can hold samples and their features."""
    if len(shape) < 2:
        raise InvalidInputError(
            f"{name} must be an array of at least two dimensions, samples first; got shape "
            f"{shape}. Reshape your data: use {name}.reshape(-1, 1) for one feature, "
            f"{name}.reshape(1, -1) for one sample."
        )


def _as_csr(X: Any, name: str) -> sparse.csr_matrix:
    """A sparse matrix of numbers as float32, without a copy where it already is one."""
    check_dimensions(X.shape, name)
    as_float32(np.empty(0, X.dtype), name)  # for its rules about the dtype
    with np.errstate(over="ignore"):
        return sparse.csr_matrix(X, dtype=np.float32)


def as_array(given: Any, name: str) -> np.ndarray:
    """`given`, an array-like or an object with ``__array__``, as a numpy array.

    Raises
    ------
    InvalidInputError
        If the rows of a list are ragged, or the object cannot be converted: a tensor on a GPU, or
        one that records gradients.
    """
    try:
        return np.asarray(given)
    except (RuntimeError, TypeError, ValueError) as error:
        own = hasattr(given, "__array__")
        remedy = (
            "Make it a numpy array first" if own else "Give every row the same number of values"
        )
        raise InvalidInputError(
            f"{name} must be one array; got {type(given).__name__}, which makes none "
            f"({str(error).rstrip('.')}). {remedy}."
        ) from error


def as_float32(given: Any, name: str) -> np.ndarray:
    """A dense numeric array as float32, without a copy where it already is one.

    Raises
    ------
    InvalidInputError
        If the entries are not real numbers, or the array is ragged or masked.
    """
    array = as_array(given, name)
    if isinstance(given, np.ma.MaskedArray) and np.ma.is_masked(given):
        raise InvalidInputError(
            f"{name} must have a value everywhere; got {np.ma.getmaskarray(given).sum()} masked "
            "entries. Drop those rows, or fill them with its filled method."
        )
    if array.dtype.kind == "c":
        raise InvalidInputError(
            f"{name} must be real; got complex numbers. Complex data not supported: pass real "
            "and imaginary parts, or the magnitude, as features."
        )
    if array.dtype.kind not in "fiub":
        array = _numbers_from_objects(array, name, given)
    with np.errstate(over="ignore"):
        return np.asarray(array, dtype=np.float32, order="C")


def _numbers_from_objects(array: np.ndarray, name: str, given: Any) -> np.ndarray:
    if array.dtype.kind != "O":
        raise InvalidInputError(
            f"{name} must be numeric; got dtype {array.dtype}. Encode text and dates as numbers "
            "first, for instance with OneHotEncoder."
        )
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        # scikit-learn also raises a TypeError for a mapping or an array in a cell.
        kind = InvalidTypeError if isinstance(error, TypeError) else InvalidInputError
        if array.ndim == 0:
            raise kind(
                f"{name} must be an array; got {type(given).__name__}, which numpy cannot read as "
                "one. Make it a numpy array first: collect a lazy frame, or use numpy.from_dlpack."
            ) from error
        raise kind(
            f"{name} must be numeric; got an array of objects ({error}). The argument must be "
            "made of numbers: encode categories first, for instance with OneHotEncoder."
        ) from error


def _check_shape(
    flat: np.ndarray | sparse.csr_matrix,
    shape: tuple[int, ...],
    given_shape: tuple[int, ...],
    name: str,
    least: int,
    *,
    explicit: bool,
) -> None:
    n_samples, n_features = flat.shape
    if n_features == 0:
        raise InvalidInputError(
            f"{name} must have at least one feature; got 0 feature(s) (shape={flat.shape}) while "
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


def _check_finite(flat: np.ndarray | sparse.csr_matrix, name: str) -> None:
    values = flat if isinstance(flat, np.ndarray) else np.asarray(flat.data)
    largest = max(values.max(initial=0.0), -values.min(initial=0.0))
    if largest <= LARGEST_VALUE:
        return
    n_nan, n_infinite = int(np.isnan(values).sum()), int(np.isinf(values).sum())
    if not n_nan and not n_infinite:
        raise InvalidInputError(
            f"{name} must be finite numbers of at most {LARGEST_VALUE:g}; got {largest:g}. "
            "Give it in larger units."
        )
    raise InvalidInputError(
        f"{name} must be finite numbers of at most {LARGEST_VALUE:g}; got {n_nan} NaN and "
        f"{n_infinite} infinity values (in float32, which ends at 3e38). Drop those rows, or fill "
        "them with sklearn.impute.SimpleImputer; give huge numbers in larger units."
    )
