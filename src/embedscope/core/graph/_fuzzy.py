"""The fuzzy simplicial set: the weighted graph of nearest neighbours that UMAP lays out.

Leaves the search for neighbours to `_neighbors` and labels to `_targets`. Uses only numpy and
scipy, which release the interpreter lock and compile nothing on a first run.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

# The constants of umap-learn's `smooth_knn_dist`.
_MAX_BISECTIONS = 64
_TOLERANCE = 1e-5
_SMALLEST_SCALE = 1e-3  # of the mean distance: keeps the bandwidth of duplicate rows above zero


def fuzzy_simplicial_set(
    indices: np.ndarray,
    distances: np.ndarray,
    *,
    n_neighbors: float,
    local_connectivity: float = 1.0,
    set_op_mix_ratio: float = 1.0,
) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """Build the symmetric graph of membership strengths.

    Parameters
    ----------
    indices : ndarray of shape (n_samples, k), int
        Each row's nearest neighbours, itself first; -1 where a neighbour is missing.
    distances : ndarray of shape (n_samples, k), float
        Their distances, ascending.
    n_neighbors : float
        Effective number of neighbours that the bandwidth is chosen for.
    local_connectivity : float
        How many neighbours are connected with full strength; may be fractional.
    set_op_mix_ratio : float
        1 for the fuzzy union of both directions, 0 for their intersection.

    Returns
    -------
    graph : csr_matrix of shape (n_samples, n_samples), float32
        Membership strengths in 0..1, symmetric, without a diagonal.
    sigmas, rhos : ndarray of shape (n_samples,), float32
        Bandwidth of each sample and the distance to its nearest neighbour.
    """
    distances = np.asarray(distances, dtype=np.float32)
    sigmas, rhos = smooth_distances(distances, n_neighbors, local_connectivity)
    directed = _directed_strengths(indices, distances, sigmas, rhos)
    return symmetrise(directed, set_op_mix_ratio), sigmas, rhos


def smooth_distances(
    distances: np.ndarray, n_neighbors: float, local_connectivity: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find the bandwidth at which each sample's strengths add up to ``log2(n_neighbors)``.

    Returns
    -------
    sigmas, rhos : ndarray of shape (n_samples,), float32
    """
    rhos = _nearest_distances(distances, local_connectivity)
    excess = np.maximum(distances[:, 1:] - rhos[:, None], 0.0)
    sigmas = _bisect_bandwidths(excess, np.log2(n_neighbors))
    finite = np.where(np.isfinite(distances), distances, np.nan)
    floor = np.where(rhos > 0, np.nanmean(finite, axis=1), np.nanmean(finite))
    return np.maximum(sigmas, _SMALLEST_SCALE * floor).astype(np.float32), rhos


def _nearest_distances(distances: np.ndarray, local_connectivity: float) -> np.ndarray:
    """Distance to the `local_connectivity`-th neighbour that is not a duplicate, interpolated.

    For a sample with fewer such neighbours, the distance to the farthest.
    """
    n_samples, k = distances.shape
    distances = np.where(np.isfinite(distances), distances, 0.0)  # missing ones do not count
    whole = int(np.floor(local_connectivity))
    fraction = np.float32(local_connectivity - whole)
    is_apart = distances > 0
    first = np.argmax(is_apart, axis=1)
    n_apart = is_apart.sum(axis=1)
    rows = np.arange(n_samples)

    def apart(rank: int) -> np.ndarray:
        return distances[rows, np.minimum(first + rank, k - 1)]

    if whole == 0:
        rhos = fraction * apart(0)
    else:
        rhos = apart(whole - 1)
        if fraction > _TOLERANCE:
            rhos = rhos + fraction * (apart(whole) - rhos)
    enough = n_apart >= max(local_connectivity, 1)
    return np.where(enough, rhos, distances.max(axis=1)).astype(np.float32)


def _bisect_bandwidths(excess: np.ndarray, target: float) -> np.ndarray:
    """Solve ``sum_j exp(-excess_j / sigma) = target`` for each row by bisection."""
    n_samples = len(excess)
    low = np.zeros(n_samples, dtype=np.float32)
    high = np.full(n_samples, np.inf, dtype=np.float32)
    sigmas = np.ones(n_samples, dtype=np.float32)
    active = np.arange(n_samples)
    for _ in range(_MAX_BISECTIONS):
        with np.errstate(over="ignore"):  # exp(-inf) gives the right strength, 0
            total = np.exp(-excess[active] / sigmas[active, None]).sum(axis=1)
        unsolved = np.abs(total - target) >= _TOLERANCE
        active, total = active[unsolved], total[unsolved]
        if not len(active):
            break
        too_wide = total > target
        high[active[too_wide]] = sigmas[active[too_wide]]
        low[active[~too_wide]] = sigmas[active[~too_wide]]
        bounded = np.isfinite(high[active])
        halfway = (low[active] + high[active]) / 2
        sigmas[active] = np.where(bounded, halfway, sigmas[active] * 2)
    return sigmas


def _directed_strengths(
    indices: np.ndarray, distances: np.ndarray, sigmas: np.ndarray, rhos: np.ndarray
) -> sparse.csr_matrix:
    """Directed membership strengths, from each sample to its neighbours."""
    n_samples = len(indices)
    strengths = np.maximum(distances - rhos[:, None], 0.0)
    np.divide(strengths, -sigmas[:, None], out=strengths)
    np.exp(strengths, out=strengths)  # 0 at an infinite distance
    own = np.arange(n_samples, dtype=indices.dtype)[:, None]
    keep = (indices >= 0) & (indices != own) & (strengths > 0)
    # The rows are in order, so the matrix is made without a list of row numbers.
    indptr = np.concatenate([[0], np.cumsum(keep.sum(axis=1))])
    parts = (strengths[keep], indices[keep].astype(np.int32), indptr)
    graph = sparse.csr_matrix(parts, shape=(n_samples, n_samples))
    graph.sort_indices()
    return graph


def symmetrise(directed: sparse.csr_matrix, mix_ratio: float = 1.0) -> sparse.csr_matrix:
    """Combine both directions of each edge: probabilistic union, intersection or a mix.

    ``mix * (A + A' - A * A') + (1 - mix) * A * A'``, products taken entry by entry.
    """
    transposed = directed.T.tocsr()
    both = directed.multiply(transposed)
    union = directed + transposed - both
    graph = union if mix_ratio == 1.0 else mix_ratio * union + (1.0 - mix_ratio) * both
    graph = sparse.csr_matrix(graph, dtype=np.float32)
    graph.eliminate_zeros()
    graph.sort_indices()
    return graph
