"""The variance of unseen samples around the typical sample, for every position on the map.

The variance of each value is computed around up to 32 centres on the map and blended between them.
It is computed from training samples, which lie nearer to the typical ones than unseen samples do,
and then multiplied by one factor, so that it is right on average for the held-out samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from embedscope.core.networks._tensorflow import keras

_MOST_CENTRES, _SAMPLES_EACH = 32, 25  # centres on the map, and samples needed for each
_BLEND = 0.7  # width of the Gaussians, in distances between neighbouring centres
_BLOCK = 256  # samples whose squares are in memory at a time
_ENOUGH_FOR_CENTRES = 5_000

Squares = Callable[[slice], np.ndarray]


def fit_spread(
    seen: np.ndarray,
    seen_squares: Squares,
    held_out: np.ndarray,
    held_out_squares: Squares,
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> Any:
    """A network from positions to the variance of each value.

    Parameters
    ----------
    seen, held_out : ndarray of shape (n_samples, n_components), float32
        Positions of training samples and of held-out samples.
    seen_squares, held_out_squares : callable
        ``squares(block)`` gives squared differences of samples and the typical samples of their
        positions, shape (n, n_values).
    shape : tuple of int
        Shape of one sample.
    rng : numpy.random.Generator

    Returns
    -------
    keras.Sequential
        Gives variances, never negative, in the unit of the given squares.
    """
    centres = _centres(seen, rng)
    precision = 1.0 / _blend(centres, seen) ** 2
    layers = keras.layers
    nearness = layers.Dense(
        len(centres), activation="softmax", dtype="float32", trainable=False, name="nearness"
    )
    variances = layers.Dense(
        int(np.prod(shape)), use_bias=False, dtype="float32", trainable=False, name="variances"
    )
    network = keras.Sequential(
        [
            keras.Input((seen.shape[1],)),
            nearness,
            variances,
            layers.Reshape(shape, dtype="float32"),
        ],
        name="spread",
    )
    # This softmax of a linear function of the position gives normalised Gaussians of the distance
    # to each centre.
    nearness.set_weights([precision * centres.T, -0.5 * precision * np.square(centres).sum(axis=1)])
    shares = np.asarray(nearness(seen))
    around = sum(shares[block].T @ seen_squares(block) for block in _blocks(len(seen)))
    around = around / np.maximum(shares.sum(axis=0), 1e-12)[:, None]
    predicted = float((np.asarray(nearness(held_out)) @ around.sum(axis=1)).sum())
    found = sum(float(held_out_squares(block).sum()) for block in _blocks(len(held_out)))
    factor = found / predicted if predicted > 0 else 1.0
    variances.set_weights([(around * factor).astype(np.float32)])
    return network


def _centres(positions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions of samples that are spread over the map, at least two."""
    from sklearn.cluster import kmeans_plusplus

    chosen = positions[rng.permutation(len(positions))[:_ENOUGH_FOR_CENTRES]]
    n_centres = min(_MOST_CENTRES, max(2, len(chosen) // _SAMPLES_EACH))
    centres, _ = kmeans_plusplus(chosen, n_centres, random_state=int(rng.integers(2**31 - 1)))
    return np.asarray(centres, dtype=np.float32)


def _blend(centres: np.ndarray, positions: np.ndarray) -> float:
    """Standard deviation of the Gaussians, in map units."""
    from scipy.spatial import cKDTree

    width = float(np.ptp(positions, axis=0).max()) or 1.0
    distances, _ = cKDTree(centres).query(centres, k=[2])
    return max(_BLEND * float(np.median(distances)), 1e-3 * width)


def _blocks(n_samples: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, n_samples, _BLOCK))
