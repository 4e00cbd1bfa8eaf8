"""The loss in the history: UMAP's cross entropy of the network's output on a fixed set of edges.

All solvers report this loss, so that their curves can be compared.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

from embedscope.core.layout._layout import Objective
from embedscope.core.networks import _losses
from embedscope.core.networks._tensorflow import tf

_MOST_EDGES = 2_500


class LossProbe:
    """Edges drawn by membership strength, once, with their negative samples.

    Parameters
    ----------
    graph : csr_matrix of shape (n_samples, n_samples)
    objective : Objective
    rng : numpy.random.Generator

    Attributes
    ----------
    samples : ndarray of int
        The samples at the ends of the edges.
    """

    def __init__(
        self, graph: sparse.csr_matrix, objective: Objective, rng: np.random.Generator
    ) -> None:
        edges = graph.tocoo()
        drawn = draw_edges(edges.data, min(_MOST_EDGES, len(edges.data)), rng)
        heads, tails = edges.row[drawn], edges.col[drawn]
        self._objective = objective
        self.samples, row = np.unique(np.concatenate([heads, tails]), return_inverse=True)
        self._heads, self._tails = row[: len(heads)], row[len(heads) :]
        rate = objective.negative_sample_rate
        self._negatives = rng.integers(len(self.samples), size=(rate, len(heads)))

    def loss(self, encode: Callable[[np.ndarray], np.ndarray]) -> float:
        """Cross entropy of the positions that `encode` gives for `samples`."""
        z = encode(self.samples)
        return float(
            _losses.cross_entropy(
                tf.constant(z[self._heads]),
                tf.constant(z[self._tails]),
                tf.constant(z[self._negatives]),
                self._objective,
            )
        )


def draw_edges(strengths: np.ndarray, n_edges: int, rng: np.random.Generator) -> np.ndarray:
    """Draw edges in proportion to their strength, by inverting the cumulative distribution."""
    cumulative = np.cumsum(strengths, dtype=np.float64)
    drawn = np.searchsorted(cumulative, rng.random(n_edges) * cumulative[-1], side="right")
    return np.minimum(drawn, len(strengths) - 1)
