"""Points divided into small cells by k-means, for a search among the nearest cells only."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

_CELL_ROWS = 250  # on average
_MOST_CELL_ROWS = 512  # more, such as many equal rows, are divided in any way
_TRAINING_ROWS = 32  # for each cell, in k-means
_STEPS = 5  # of k-means
_BLOCK_SCORES = 2**22


class Cells:
    """Points in the order of their cells.

    The cells depend on nothing random: k-means starts from points at even spacing.

    Parameters
    ----------
    points : ndarray of shape (n_samples, n_components), float32

    Attributes
    ----------
    order : ndarray of shape (n_samples,), int32
        Row numbers, cell by cell. All other row numbers here are places in this order.
    bounds : list of tuple of int
        First row of each cell, and the first behind it.
    centres : ndarray of shape (n_cells, n_components), float32
        Means of the cells.
    """

    def __init__(self, points: np.ndarray) -> None:
        n_samples = len(points)
        seeds = _k_means(points, max(1, n_samples // _CELL_ROWS))
        owners = _nearest_centre(points, seeds)
        self.order = np.argsort(owners, kind="stable").astype(np.int32)
        edges = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(seeds)))])
        self.bounds: list[tuple[int, int]] = []
        for first, last in pairwise(edges):
            n_parts = -(-int(last - first) // _MOST_CELL_ROWS)
            marks = np.linspace(first, last, n_parts + 1).astype(int).tolist()
            self.bounds += list(pairwise(marks))
        self.centres = np.stack(
            [points[self.order[start:stop]].mean(axis=0) for start, stop in self.bounds]
        )
        self._squares = np.einsum("ij,ij->i", self.centres, self.centres)

    def nearest(self, number: int, n_rows: int) -> np.ndarray:
        """Rows of a cell and then of the cells nearest to it, at least `n_rows` or all; int32."""
        scores = self._squares - 2.0 * (self.centres @ self.centres[number])
        scores[number] = -np.inf
        chosen, n_chosen = [], 0
        for other in np.argsort(scores, kind="stable"):
            start, stop = self.bounds[other]
            chosen.append(np.arange(start, stop, dtype=np.int32))
            n_chosen += stop - start
            if n_chosen >= n_rows:
                break
        return np.concatenate(chosen)


def _k_means(points: np.ndarray, n_centres: int) -> np.ndarray:
    """Centres of clusters of an evenly spaced sample of the points."""
    sample = points[_evenly(len(points), _TRAINING_ROWS * n_centres)]
    centres = sample[_evenly(len(sample), n_centres)]
    for _ in range(_STEPS):
        owners = _nearest_centre(sample, centres)
        order = np.argsort(owners, kind="stable")
        counts = np.bincount(owners, minlength=n_centres)
        used = counts > 0  # centres of equal points may get none
        starts = (np.cumsum(counts) - counts)[used]
        centres[used] = np.add.reduceat(sample[order], starts, axis=0) / counts[used, None]
    return centres


def _evenly(n: int, wanted: int) -> np.ndarray:
    """At most `wanted` different numbers below `n`, at even spacing."""
    return np.arange(min(n, wanted)) * n // min(n, wanted)


def _nearest_centre(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Number of the centre nearest to each point, int32."""
    half_squares = np.einsum("ij,ij->i", centres, centres) / 2.0
    owners = np.empty(len(points), dtype=np.int32)
    step = max(1, _BLOCK_SCORES // len(centres))
    for start in range(0, len(points), step):
        scores = points[start : start + step] @ centres.T
        scores -= half_squares
        owners[start : start + step] = scores.argmax(axis=1)
    return owners
