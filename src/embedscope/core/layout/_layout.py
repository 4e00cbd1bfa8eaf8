"""The layout: stochastic gradient descent of UMAP's cross entropy on a free table of positions.

Each sample moves along its own edges and away from its own negative samples, and reads the other
samples' positions of the previous epoch. So threads never write to the same memory, a run is the
same to the last bit for any number of threads, and the kernel runs outside the interpreter lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
from scipy import sparse

from embedscope.core.graph._kernels import one_at_a_time

_CLIP = 4.0  # of one gradient step, as in umap-learn
_SOFTENING = 1e-3  # of the repulsion between coincident points, as in umap-learn
_DROPPED_BITS = 23 - 6  # of a float's mantissa: leaves 64 buckets an octave
_SMALLEST_EXPONENT, _LARGEST_EXPONENT = -24, 24  # squared distances from 6e-8 to 2e7 map units
_FIRST_BUCKET = (_SMALLEST_EXPONENT + 127) << 6
_N_BUCKETS = (_LARGEST_EXPONENT - _SMALLEST_EXPONENT) << 6


@dataclass(frozen=True)
class Objective:
    """The constants of UMAP's cross entropy.

    Attributes
    ----------
    a, b : float
        Similarity curve ``1 / (1 + a d^2b)``.
    negative_sample_rate : int
        Negative samples for each sampled edge.
    repulsion_strength : float
        Weight of the negative samples.
    """

    a: float
    b: float
    negative_sample_rate: int = 5
    repulsion_strength: float = 1.0


@numba.njit(inline="always")
def _next_random(state: np.uint64) -> np.uint64:
    """One step of Marsaglia's xorshift64."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    return state


@numba.njit(inline="always")
def _bucket(squared: np.float32) -> np.int64:
    """Index of a squared distance in the force tables: the leading bits of the float."""
    bits = np.int64(np.float32(squared).view(np.int32))
    bucket = (bits >> np.int64(_DROPPED_BITS)) - np.int64(_FIRST_BUCKET)
    return min(max(bucket, np.int64(0)), np.int64(_N_BUCKETS - 1))


@numba.njit(inline="always")
def _clipped(force: np.float32) -> np.float32:
    return min(max(force, np.float32(-_CLIP)), np.float32(_CLIP))


@lru_cache
def _mover(n_dims: int) -> Callable[..., None]:
    """The kernel of one epoch for maps of `n_dims` dimensions: it writes the next positions.

    The number of dimensions is a constant in the kernel, so its inner loops run in registers. All
    negative samples of an edge push from the same position, so that the processor computes their
    forces at the same time. Together this is twice as fast as one loop for any number.
    """

    @one_at_a_time
    @numba.njit(parallel=True, nogil=True, fastmath=True, cache=True)
    def move_all(
        indptr: np.ndarray,
        tails: np.ndarray,
        thresholds: np.ndarray,
        density_pull: np.ndarray,
        positions: np.ndarray,
        moved: np.ndarray,
        attraction: np.ndarray,
        repulsion: np.ndarray,
        n_negative: int,
        step: np.float32,
        seed: np.uint64,
    ) -> None:
        n_samples = len(positions)
        for head in numba.prange(n_samples):
            here = np.empty(n_dims, dtype=np.float32)
            force = np.empty(n_dims, dtype=np.float32)
            for d in range(n_dims):
                here[d] = positions[head, d]
            # A separate random sequence for each sample and epoch (golden-ratio increments, mixed).
            state = (seed + np.uint64(head + 1) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)
            for _ in range(3):
                state = _next_random(state)
            for edge in range(indptr[head], indptr[head + 1]):
                state = _next_random(state)
                if np.uint32(state >> np.uint64(32)) > thresholds[edge]:
                    continue
                tail = tails[edge]
                squared = np.float32(0.0)
                for d in range(n_dims):
                    squared += (here[d] - positions[tail, d]) ** 2
                pull = attraction[_bucket(squared)]
                if len(density_pull):
                    pull += density_pull[edge]
                for d in range(n_dims):
                    here[d] += step * _clipped(pull * (here[d] - positions[tail, d]))
                    force[d] = np.float32(0.0)
                for _ in range(n_negative):
                    state = _next_random(state)
                    other = np.int64(
                        ((state >> np.uint64(32)) * np.uint64(n_samples)) >> np.uint64(32)
                    )
                    squared = np.float32(0.0)
                    for d in range(n_dims):
                        squared += (here[d] - positions[other, d]) ** 2
                    push = repulsion[_bucket(squared)] if other != head else np.float32(0.0)
                    for d in range(n_dims):
                        force[d] += _clipped(push * (here[d] - positions[other, d]))
                for d in range(n_dims):
                    here[d] += step * force[d]
            for d in range(n_dims):
                moved[head, d] = here[d]

    return move_all


def _force_tables(objective: Objective) -> tuple[np.ndarray, np.ndarray]:
    """Attraction and repulsion per unit of distance, for each bucket of squared distances.

    A bucket is 1/64 of an octave wide, so a force has an error of at most one percent. Without the
    tables, computing powers would take most of an epoch's time.
    """
    edges = (np.arange(_N_BUCKETS + 1, dtype=np.int32) + _FIRST_BUCKET) << _DROPPED_BITS
    bounds = edges.view(np.float32).astype(np.float64)
    squared = np.sqrt(bounds[:-1] * bounds[1:])
    a, b = objective.a, objective.b
    farness = 1.0 + a * squared**b
    attraction = -2.0 * a * b * squared ** (b - 1.0) / farness
    repulsion = 2.0 * objective.repulsion_strength * b / ((_SOFTENING + squared) * farness)
    return attraction.astype(np.float32), repulsion.astype(np.float32)


class Layout:
    """The free table of positions, and its epochs of gradient descent.

    Parameters
    ----------
    graph : csr_matrix of shape (n_samples, n_samples), float32
    objective : Objective
    seed : int
    fixed : ndarray of shape (n_samples,), bool, optional
        Samples that do not move.
    """

    def __init__(
        self,
        graph: sparse.csr_matrix,
        objective: Objective,
        seed: int,
        fixed: np.ndarray | None = None,
    ) -> None:
        self._graph = graph
        self._objective = objective
        self._forces = _force_tables(objective)
        self._seed = seed
        self._fixed = np.flatnonzero(fixed) if fixed is not None else np.empty(0, np.int64)
        # An edge acts in an epoch if a random 32-bit integer is at most its threshold.
        share = graph.data / np.float64(graph.data.max())
        self._thresholds = (share * (2**32 - 1)).astype(np.uint32)
        self._no_pull = np.empty(0, dtype=np.float32)
        self._n_epochs = 0

    def epoch(
        self, positions: np.ndarray, step: float, density_pull: np.ndarray | None = None
    ) -> np.ndarray:
        """Positions after one pass over the graph, in which each full-strength edge acts once.

        Parameters
        ----------
        positions : ndarray of shape (n_samples, n_components), float32
        step : float
            Learning rate.
        density_pull : ndarray of shape (n_edges,), float32, optional
            Extra force of each edge, as `DensityTerm.pull` gives it.

        Returns
        -------
        ndarray of shape (n_samples, n_components), float32
        """
        moved = np.empty_like(positions)
        self._n_epochs += 1
        seed = np.random.SeedSequence([self._seed, self._n_epochs]).generate_state(1, np.uint64)[0]
        _mover(positions.shape[1])(
            self._graph.indptr,
            self._graph.indices,
            self._thresholds,
            self._no_pull if density_pull is None else density_pull,
            positions,
            moved,
            *self._forces,
            self._objective.negative_sample_rate,
            np.float32(step),
            seed,
        )
        moved[self._fixed] = positions[self._fixed]
        return moved
