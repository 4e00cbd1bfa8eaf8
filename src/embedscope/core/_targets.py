"""Supervision: let labels or numeric targets reshape the graph of the data.

`y` is categorical, with -1 for unknown, or numeric with a metric of its own.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from embedscope.core._fuzzy import symmetrise

UNKNOWN = -1
_UNKNOWN_DISTANCE = 1.0
_CERTAIN_DISTANCE = 1e12


def intersect_labels(
    graph: sparse.csr_matrix, labels: np.ndarray, target_weight: float
) -> sparse.csr_matrix:
    """Weaken edges between samples of different labels.

    Parameters
    ----------
    graph : csr_matrix of shape (n_samples, n_samples)
    labels : ndarray of shape (n_samples,), int
        Class of each sample; -1 where it is not known. All -1 leaves the graph as it is.
    target_weight : float
        0 ignores the labels, 1 separates the classes entirely.

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
        (edges.data * np.exp(-distance).astype(np.float32), (edges.row, edges.col)),
        shape=graph.shape,
    )
    return _restore_local_connectivity(weakened)


def intersect_graphs(
    graph: sparse.csr_matrix, target_graph: sparse.csr_matrix, target_weight: float
) -> sparse.csr_matrix:
    """Combine the data's graph with the graph of a numeric target.

    Each edge of either becomes a weighted product of both strengths; an edge that one of them
    lacks counts there with half of its smallest strength.
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
    combined = sparse.csr_matrix(
        (mixed.astype(np.float32), np.divmod(keys, n_samples)), shape=graph.shape
    )
    return _restore_local_connectivity(combined)


def _keyed(graph: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Edges as sorted keys ``row * n + column`` and their strengths."""
    edges = graph.tocoo()
    keys = edges.row.astype(np.int64) * graph.shape[1] + edges.col
    order = np.argsort(keys)
    return keys[order], edges.data[order]


def _lookup(
    wanted: np.ndarray, keys: np.ndarray, values: np.ndarray, missing: float
) -> np.ndarray:
    position = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[position] == wanted, values[position], missing)


def _restore_local_connectivity(graph: sparse.csr_matrix) -> sparse.csr_matrix:
    """Give every sample one full-strength edge again, and make both directions agree."""
    strongest = graph.max(axis=1).toarray().ravel()
    scale = np.divide(1.0, strongest, out=np.zeros_like(strongest), where=strongest > 0)
    return symmetrise(sparse.csr_matrix(sparse.diags(scale) @ graph, dtype=np.float32))
