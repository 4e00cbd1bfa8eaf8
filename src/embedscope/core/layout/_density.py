"""densMAP: keep dense regions of the data dense in the map.

The term is the correlation of log local radii in the data and in the map. It is computed as one
number per edge: how much its squared length should grow. Both solvers use this number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from embedscope.core.layout._layout import Objective

_LARGEST_PULL = 1e30  # far below the largest float32, 3.4e38
_EPSILON = 1e-8  # added before a logarithm, as in umap-learn
_ROUNDING = 1e-6  # of the mean distance; shorter edges count as length zero


@dataclass(frozen=True)
class DensityTerm:
    """Density preservation of one graph.

    Attributes
    ----------
    radii : ndarray of shape (n_samples,), float64
        Standardised log local radii in the data.
    weight : float
        `dens_lambda`.
    fraction : float
        `dens_frac`: share of the epochs, the last ones, in which the term acts.
    variance_shift : float
        `dens_var_shift`: keeps the correlation stable where all radii are alike.
    together : ndarray of shape (n_edges,), bool, optional
        Edges between samples with equal data. The term never pushes them apart: otherwise it would
        enlarge the radius of duplicates that have distant other neighbours.
    """

    radii: np.ndarray
    weight: float = 2.0
    fraction: float = 0.3
    variance_shift: float = 0.1
    together: np.ndarray | None = None

    def acts_at(self, progress: float) -> bool:
        """Whether the term acts when `progress` (0..1) of the layout is done."""
        return progress >= 1.0 - self.fraction

    def pull(
        self, graph: sparse.csr_matrix, positions: np.ndarray, objective: Objective
    ) -> np.ndarray:
        """Gradient of the weighted correlation by each edge's squared length, times two.

        Parameters
        ----------
        graph : csr_matrix of shape (n_samples, n_samples)
        positions : ndarray of shape (n_samples, n_components)
        objective : Objective

        Returns
        -------
        ndarray of shape (n_edges,), float32
            In the order of ``graph.data``; per sampled edge, so divided by its strength.

        References
        ----------
        Narayan, Berger and Cho, "Assessing single-cell transcriptomic variability through
        density-preserving data visualization", Nat Biotechnol 39 (2021),
        doi:10.1038/s41587-020-00801-7.
        """
        n_samples = graph.shape[0]
        heads = np.repeat(np.arange(n_samples), np.diff(graph.indptr))
        tails = graph.indices
        squared = squared_lengths(positions, heads, tails)
        power = squared**objective.b
        closeness = 1.0 / (1.0 + objective.a * power)
        slope = -objective.a * objective.b * power / squared * closeness**2
        total = np.bincount(heads, closeness, n_samples)
        mean_square = np.bincount(heads, closeness * squared, n_samples) / np.maximum(total, 1e-12)
        radii = _same_for_all_alone(np.log(_EPSILON + mean_square), total)
        spread = np.sqrt(radii.var() + self.variance_shift)
        deviation = radii - radii.mean()
        covariance = (self.radii * deviation).mean()
        by_radius = (self.radii - covariance * deviation / spread**2) / (n_samples * spread)

        def by_length(sample: np.ndarray) -> np.ndarray:
            gain = (closeness + slope * (squared - mean_square[sample])) / total[sample]
            return np.asarray(by_radius[sample] * gain / (_EPSILON + mean_square[sample]))

        scale = 2.0 * self.weight * graph.data.sum() / 2.0
        pull = scale * (by_length(heads) + by_length(tails)) / graph.data
        if self.together is not None:
            pull[self.together] = np.minimum(pull[self.together], 0.0)
        # An edge of almost no strength is almost never sampled; its pull only has to stay finite.
        return np.clip(pull, -_LARGEST_PULL, _LARGEST_PULL).astype(np.float32)


def log_radii(graph: sparse.csr_matrix, squared_lengths: np.ndarray) -> np.ndarray:
    """Log of each sample's mean squared distance to its neighbours, weighted by strength.

    Parameters
    ----------
    graph : csr_matrix of shape (n_samples, n_samples)
    squared_lengths : ndarray of shape (n_edges,)
        In the order of ``graph.data``; NaN for unknown.

    Returns
    -------
    ndarray of shape (n_samples,), float64
        A sample without edges of known length gets the mean of the others.
    """
    n_samples = graph.shape[0]
    known = np.isfinite(squared_lengths)
    heads = np.repeat(np.arange(n_samples), np.diff(graph.indptr))[known]
    strengths, squared = graph.data[known], squared_lengths[known]
    total = np.bincount(heads, strengths, n_samples)
    weighted = np.bincount(heads, strengths * squared, n_samples)
    # Relative to all distances, so that the unit of the data does not matter.
    smallest = _EPSILON * weighted.sum() / max(total.sum(), 1e-12)
    mean_square = weighted / np.maximum(total, 1e-12)
    return _same_for_all_alone(np.log(np.maximum(mean_square + smallest, 1e-300)), total)


def _same_for_all_alone(radii: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Give samples without edges, which have no radius, the mean of the others."""
    alone = total == 0
    if not alone.any():
        return radii
    return np.where(alone, radii[~alone].mean() if not alone.all() else 0.0, radii)


def edge_lengths(
    graph: sparse.csr_matrix, indices: np.ndarray, distances: np.ndarray
) -> np.ndarray:
    """Distance in the data of each edge of the graph, from the neighbour lists it came from.

    Parameters
    ----------
    graph : csr_matrix of shape (n_samples, n_samples)
    indices, distances : ndarray of shape (n_samples, n_neighbors)

    Returns
    -------
    ndarray of shape (n_edges,), float64
        In the order of ``graph.data``; NaN for an edge in no list, such as one added by a numeric
        target.
    """
    n_samples = graph.shape[0]
    rows = np.repeat(np.arange(n_samples), indices.shape[1])
    known = (indices.ravel() >= 0) & np.isfinite(distances.ravel())
    given = distances.ravel()[known].astype(np.float64)
    unit = float(given.max(initial=0.0)) or 1.0
    # Shifted by one, to tell a stored zero from an absent entry.
    lengths = sparse.csr_matrix(
        (given / unit + 1.0, (rows[known], indices.ravel()[known])), shape=graph.shape
    )
    symmetric = lengths.maximum(lengths.T).tocsr()
    heads = np.repeat(np.arange(n_samples), np.diff(graph.indptr))
    found = np.asarray(symmetric[heads, graph.indices], dtype=np.float64).ravel()
    return np.where(found > 0, (found - 1.0) * unit, np.nan)


def without_distance(lengths: np.ndarray) -> np.ndarray:
    """Which edges have length zero, up to rounding; ndarray of bool."""
    known = lengths[np.isfinite(lengths)]
    return np.asarray(lengths <= _ROUNDING * (known.mean() if len(known) else 0.0))


def standardised(values: np.ndarray) -> np.ndarray:
    """Values with zero mean and unit variance; zeros if all values are equal."""
    return np.asarray((values - values.mean()) / max(values.std(), 1e-12))


def squared_lengths(positions: np.ndarray, heads: np.ndarray, tails: np.ndarray) -> np.ndarray:
    """Squared lengths of edges in a map, never exactly zero, float64."""
    difference = positions[heads].astype(np.float64) - positions[tails]
    return np.asarray(np.einsum("ij,ij->i", difference, difference) + 1e-12)
