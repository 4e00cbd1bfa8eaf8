"""Supervision: labels or numeric targets change the edge strengths of the graph.

`y` is categorical and may hold unknown labels, or it is numeric and has its own metric.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from embedscope._errors import InvalidInputError
from embedscope._warning import warn_caller
from embedscope.core.arrays._numbers import as_array, as_float32
from embedscope.core.graph._fuzzy import symmetrise

UNKNOWN = -1
# The texts that numpy makes of -1 and NaN in an array of text.
_UNKNOWN_TEXTS = ("-1", "-1.0", "nan")
_MOST_CLASSES = 20  # of real numbers; more different values look like measurements
# Distances between classes, as in umap-learn.
_UNKNOWN_DISTANCE = 1.0
_CERTAIN_DISTANCE = 1e12


def check_targets(y: Any, n_samples: int, *, categorical: bool) -> np.ndarray:
    """Check the user's `y`.

    Parameters
    ----------
    y : array-like of shape (n_samples,), or (n_samples, n_targets) if not categorical
    n_samples : int
    categorical : bool
        `y` holds labels, which are numbers or text. Otherwise it holds numbers that a metric
        compares.

    Returns
    -------
    ndarray
        Class numbers of shape (n_samples,), int64, -1 for an unknown label; or targets of the shape
        of `y`, float32.

    Raises
    ------
    InvalidInputError
        If `y` is of another length, or holds no labels or numbers.
    """
    targets = _as_array(y) if categorical else as_float32(y, "y")
    if targets.ndim == 0 or len(targets) != n_samples:
        got = "one value" if targets.ndim == 0 else str(len(targets))
        raise InvalidInputError(
            f"y must have one entry for each sample; got {got} for {n_samples} samples. "
            "Give labels, with -1 for unknown."
        )
    if categorical:
        if targets.size != n_samples:
            raise InvalidInputError(
                f"y must be one label for each sample; got shape {targets.shape}. Give one column, "
                "or set target_metric for several numbers a sample."
            )
        masked = np.ma.getmaskarray(y).ravel() if isinstance(y, np.ma.MaskedArray) else False
        return _classes(targets.ravel(), masked)
    if not np.isfinite(targets).all():
        raise InvalidInputError("y must be finite; got NaN or infinity. Drop those samples.")
    return targets


def _as_array(y: Any) -> np.ndarray:
    # As objects, since numpy would silently convert a list of text and numbers to text.
    return np.asarray(y, dtype=object) if isinstance(y, list | tuple) else as_array(y, "y")


def _classes(labels: np.ndarray, masked: np.ndarray | bool) -> np.ndarray:
    """Labels as class numbers, -1 for unknown."""
    unknown = _is_unknown(labels) | masked
    known = labels[~unknown]
    try:
        names, numbers = np.unique(known, return_inverse=True)
        values = np.asarray(names.tolist())
        if values.ndim != 1:
            raise TypeError("some are sequences")
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"y must hold labels of one kind; got a mixture ({error}). Give numbers or text, with "
            "-1 for unknown."
        ) from error
    if values.dtype.kind == "f" and np.isinf(values).any():
        raise InvalidInputError("y must be finite; got infinity. Mark an unknown label by -1.")
    _warn_of_measurements(values, len(known))
    classes = np.full(len(labels), UNKNOWN, dtype=np.int64)
    classes[~unknown] = numbers
    return classes


def _is_unknown(labels: np.ndarray) -> np.ndarray:
    """Which labels are missing, or -1 as a number or as text."""
    import pandas as pd

    missing = np.asarray(pd.isna(labels), dtype=bool)
    if labels.dtype.kind in "if":
        return missing | (labels == UNKNOWN)
    if labels.dtype.kind in "US":
        return missing | np.isin(labels, np.array(_UNKNOWN_TEXTS, dtype=labels.dtype.kind))
    if labels.dtype.kind == "O":
        return missing | np.array([_means_unknown(label) for label in labels], dtype=bool)
    return missing


def _means_unknown(label: Any) -> bool:
    if isinstance(label, str):
        return label in _UNKNOWN_TEXTS
    return isinstance(label, int | float | np.number) and bool(label == UNKNOWN)


def _warn_of_measurements(values: np.ndarray, n_known: int) -> None:
    """Warn if labels look like measured numbers: they would separate all samples."""
    if len(values) <= _MOST_CLASSES:
        return
    has_fractions = values.dtype.kind == "f" and (values % 1.0 != 0.0).any()
    if has_fractions or len(values) > n_known / 2:
        warn_caller(
            f"y should be labels where target_metric is 'categorical'; got {len(values)} different "
            f"values for {n_known} samples, and each value becomes a class of its own. Set "
            "target_metric='euclidean' if they are numbers."
        )


def intersect_labels(
    graph: sparse.csr_matrix, labels: np.ndarray, target_weight: float
) -> sparse.csr_matrix:
    """Weaken edges between samples of different labels.

    Parameters
    ----------
    graph : csr_matrix of shape (n_samples, n_samples)
    labels : ndarray of shape (n_samples,), int
        Class of each sample, -1 for unknown. If all are -1, the graph stays unchanged.
    target_weight : float
        An edge between classes is weakened by ``exp(-2.5 / (1 - target_weight))``: 0 favours the
        data, 1 separates the classes entirely.

    Returns
    -------
    csr_matrix of shape (n_samples, n_samples), float32
    """
    if (labels == UNKNOWN).all():
        return graph
    far = 2.5 / (1.0 - target_weight) if target_weight < 1.0 else _CERTAIN_DISTANCE
    edges = graph.tocoo()
    head, tail = labels[edges.row], labels[edges.col]
    unknown = (head == UNKNOWN) | (tail == UNKNOWN)
    distance = np.where(unknown, _UNKNOWN_DISTANCE, np.where(head != tail, far, 0.0))
    weakened = sparse.csr_matrix(
        (edges.data * np.exp(-distance), (edges.row, edges.col)), shape=graph.shape
    )
    return _restore_local_connectivity(weakened)


def intersect_graphs(
    graph: sparse.csr_matrix, target_graph: sparse.csr_matrix, target_weight: float
) -> sparse.csr_matrix:
    """Combine the data's graph with the graph of a numeric target.

    The strength of each edge of either graph becomes a weighted product of both strengths. Where a
    graph lacks the edge, half of its smallest strength is used.

    Parameters
    ----------
    graph, target_graph : csr_matrix of shape (n_samples, n_samples)
        Neither may be empty.
    target_weight : float
        0 uses only the strengths of the data, 1 only those of the target.

    Returns
    -------
    csr_matrix of shape (n_samples, n_samples), float32
    """
    n_samples = graph.shape[0]
    left, right = _keyed(graph), _keyed(target_graph)
    keys = np.union1d(left[0], right[0])
    left_floor = max(graph.data.min() / 2.0, 1e-8)
    right_floor = min(max(target_graph.data.min() / 2.0, 1e-8), 1e-4)
    left_values = _lookup(keys, *left, left_floor)
    right_values = _lookup(keys, *right, right_floor)
    if target_weight < 0.5:
        mixed = left_values * right_values ** (target_weight / (1.0 - target_weight))
    else:
        mixed = left_values ** ((1.0 - target_weight) / target_weight) * right_values
    combined = sparse.csr_matrix((mixed, np.divmod(keys, n_samples)), shape=graph.shape)
    return _restore_local_connectivity(combined)


def _keyed(graph: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Edges as sorted keys ``row * n + column`` and their strengths."""
    edges = graph.tocoo()
    keys = edges.row.astype(np.int64) * graph.shape[1] + edges.col
    order = np.argsort(keys)
    return keys[order], edges.data[order]


def _lookup(wanted: np.ndarray, keys: np.ndarray, values: np.ndarray, missing: float) -> np.ndarray:
    position = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[position] == wanted, values[position], missing)


def _restore_local_connectivity(graph: sparse.csr_matrix) -> sparse.csr_matrix:
    """Scale every sample's edges so that one has full strength, and make the graph symmetric."""
    graph.eliminate_zeros()
    strongest = graph.max(axis=1).toarray().ravel()
    # Divided, not multiplied: the inverse of very weak strengths would overflow.
    graph.data /= np.repeat(strongest, np.diff(graph.indptr))
    return symmetrise(graph.astype(np.float32))
