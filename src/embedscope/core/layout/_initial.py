"""Initial positions of the layout."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

_HALF_WIDTH = 10.0  # map units, as in umap-learn
_JITTER = 1e-4  # standard deviation in map units, as in umap-learn
_FILTER_DEGREES = (10, 10, 20, 30, 30)  # rising: the first filters work from a rough start
_FIRST_CUT = 0.9  # smallest cut of the filter, also at its start
_LAST_CUT = 0.9999  # largest cut of the filter
_N_GUARDS = 2  # extra random vectors, so that the last wanted vectors converge faster


def initial_positions(
    method: str | np.ndarray,
    graph: sparse.csr_matrix,
    components: np.ndarray,
    n_components: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Start coordinates of every sample.

    Parameters
    ----------
    method : {"spectral", "pca", "random"} or ndarray of shape (n_samples, n_components)
        A graph of several components has no useful spectral coordinates; "pca" is used instead.
    graph : csr_matrix of shape (n_samples, n_samples)
    components : ndarray of shape (n_samples, any)
        Leading principal components of the data, for "pca" and as a start for "spectral".
    n_components : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_samples, n_components), float32
        Within -10..10, with a jitter of 1e-4; a given array keeps its scale.
    """
    n_samples = graph.shape[0]
    if isinstance(method, np.ndarray):
        positions = method.astype(np.float32)
        return positions + rng.normal(0, _JITTER, positions.shape).astype(np.float32)
    if method == "random":
        uniform = rng.uniform(-_HALF_WIDTH, _HALF_WIDTH, (n_samples, n_components))
        return uniform.astype(np.float32)
    start = _pad(components, n_components, rng)
    if method == "spectral" and n_samples > 10 * n_components + 10 and _is_connected(graph):
        start = _spectral(graph, start, rng)
    return _scale(start) + rng.normal(0, _JITTER, start.shape).astype(np.float32)


def _pad(components: np.ndarray, n_components: int, rng: np.random.Generator) -> np.ndarray:
    """Exactly `n_components` columns; missing ones are filled with small noise."""
    columns = components[:, :n_components].astype(np.float32)
    n_missing = n_components - columns.shape[1]
    if n_missing:
        spread = float(columns.std(dtype=np.float64)) or 1.0
        noise = rng.normal(0, 0.1 * spread, (len(columns), n_missing)).astype(np.float32)
        columns = np.hstack([columns, noise])
    return columns


def _is_connected(graph: sparse.csr_matrix) -> bool:
    return bool(connected_components(graph, directed=False, return_labels=False) == 1)


def _spectral(graph: sparse.csr_matrix, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Leading eigenvectors of the random walk on the graph, by filtered subspace iteration.

    A Chebyshev polynomial of the walk's matrix damps all eigenvalues below the cut and amplifies
    those above it; the cut follows the smallest eigenvalue that the block has found. An initial
    position needs only a few digits. Unlike ARPACK and LOBPCG, this takes a fixed time and gives no
    convergence warnings.

    References
    ----------
    Zhou, Saad, Tiago and Chelikowsky, "Self-consistent-field calculations using
    Chebyshev-filtered subspace iteration", J. Comput. Phys. 219 (2006),
    doi:10.1016/j.jcp.2006.03.017.
    """
    root = np.sqrt(np.asarray(graph.sum(axis=1), dtype=np.float64).ravel())
    scaling = sparse.diags(1.0 / root)
    walk = sparse.csr_matrix(scaling @ graph @ scaling, dtype=np.float64)
    trivial = (root / np.linalg.norm(root))[:, None]
    guards = rng.normal(size=(len(root), _N_GUARDS))
    basis = _orthonormal(np.hstack([start * root[:, None], guards]), trivial)
    cut = _FIRST_CUT
    for degree in _FILTER_DEGREES:
        basis = _orthonormal(_chebyshev(walk, basis, cut, degree), trivial)
        values, rotation = np.linalg.eigh(basis.T @ (walk @ basis))
        basis = basis @ rotation[:, ::-1]
        cut = float(np.clip(values[0], cut, _LAST_CUT))
    return (basis[:, : start.shape[1]] / root[:, None]).astype(np.float32)


def _chebyshev(walk: sparse.csr_matrix, block: np.ndarray, cut: float, degree: int) -> np.ndarray:
    """Apply the Chebyshev polynomial that stays within -1..1 for eigenvalues in -1..`cut`."""
    centre, half_width = (cut - 1.0) / 2.0, (cut + 1.0) / 2.0
    before, now = block, (walk @ block - centre * block) / half_width
    for _ in range(degree - 1):
        before, now = now, 2.0 * (walk @ now - centre * now) / half_width - before
    return now


def _orthonormal(block: np.ndarray, trivial: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span `block`, orthogonal to the constant eigenvector."""
    without = block - trivial @ (trivial.T @ block)
    return np.asarray(np.linalg.qr(without)[0])


def _scale(positions: np.ndarray) -> np.ndarray:
    """Centre the positions and scale the widest direction to -10..10."""
    centred = positions - positions.mean(axis=0)
    reach = float(np.abs(centred).max())
    return np.asarray(centred * (_HALF_WIDTH / reach if reach > 0 else 1.0), dtype=np.float32)
