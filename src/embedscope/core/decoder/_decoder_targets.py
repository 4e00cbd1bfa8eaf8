"""The targets of a decoder: principal components of the samples, or the samples themselves.

A squared error in principal components is the squared error of the samples, less a constant part
outside the components. So a decoder whose last layer holds the principal axes trains on about a
hundred numbers for each sample, for any number of pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from embedscope.core.arrays._principal_axes import principal_axes
from embedscope.core.arrays._rows import Rows
from embedscope.core.networks._reconstruction import Reconstruction

_AXIS_ROWS = 5_000  # samples that the axes are fitted to
_BLOCK_VALUES = 2**24  # standardised at a time: 64 MiB


@dataclass(frozen=True)
class Targets:
    """Values to learn for each sample, and the conversion of their errors to errors of samples.

    Attributes
    ----------
    rows : Rows
        The samples, or their components.
    offset, scale : ndarray of the shape of one row, float32
        The target is ``(row - offset) / scale``.
    unit : float
        Squared errors of the targets, times this, are those of the standardised samples.
    rest : ndarray of shape (n_samples,), float64
        Squared error of each standardised sample that remains even for exact targets.
    energy : ndarray of shape (n_samples,), float64
        Squared error of each standardised sample if the mean sample is decoded.
    """

    rows: Rows
    offset: np.ndarray
    scale: np.ndarray
    unit: float
    rest: np.ndarray
    energy: np.ndarray

    def take(self, index: np.ndarray | slice) -> np.ndarray:
        """The targets of some samples, shape ``index.shape + rows.shape``, float32."""
        return np.asarray((self.rows.take(index) - self.offset) / self.scale, dtype=np.float32)

    def errors(self, index: np.ndarray, decoded: np.ndarray) -> np.ndarray:
        """Squared error of standardised samples for decoded targets, shape (n,), float64."""
        difference = (self.take(index) - decoded).reshape(len(index), -1)
        return self.unit * np.square(difference, dtype=np.float64).sum(axis=1) + self.rest[index]


def whole_targets(rows: Rows, reconstruction: Reconstruction) -> Targets:
    """The standardised samples themselves."""
    energy = np.concatenate([_energy(part) for part in _blocks(rows, reconstruction)])
    offset, scale = reconstruction.offset, reconstruction.scale
    return Targets(rows, offset, scale, 1.0, np.zeros(len(rows)), energy)


def component_targets(
    rows: Rows, reconstruction: Reconstruction, training: np.ndarray, n_axes: int, seed: int
) -> tuple[Targets, np.ndarray]:
    """Leading principal components of the standardised samples.

    Parameters
    ----------
    rows : Rows
    reconstruction : Reconstruction
        How the samples are standardised.
    training : ndarray of int
        The samples that the axes are fitted to; at most 5,000 of them are used.
    n_axes : int
        At most the number of features and of training samples.
    seed : int

    Returns
    -------
    targets : Targets
    axes : ndarray of shape (n_axes, n_features), float32
        ``targets.take(index) @ axes`` are the standardised samples, projected to the axes.
    """
    rng = np.random.default_rng([seed, 11])
    chosen = np.sort(rng.permutation(training)[:_AXIS_ROWS])
    fitted = reconstruction.standardised(rows.flat[chosen])
    axes = principal_axes(fitted - fitted.mean(axis=0), n_axes)
    components, energy = [], []
    for part in _blocks(rows, reconstruction):
        components.append(part @ axes)
        energy.append(_energy(part))
    values, total = np.concatenate(components), np.concatenate(energy)
    # One unit for all components, so that the leading ones stay the largest.
    unit = float(np.square(values[chosen], dtype=np.float64).mean()) or 1.0
    values /= np.float32(np.sqrt(unit))
    shape = (axes.shape[1],)
    rest = np.maximum(total - unit * _energy(values), 0.0)
    zero, one = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    targets = Targets(Rows(values, shape, shape), zero, one, unit, rest, total)
    return targets, np.ascontiguousarray(axes.T * np.float32(np.sqrt(unit)))


def _blocks(rows: Rows, reconstruction: Reconstruction) -> Iterator[np.ndarray]:
    """Standardised samples as flat rows, in blocks that fit in memory."""
    step = max(1, _BLOCK_VALUES // rows.n_features)
    for start in range(0, len(rows), step):
        yield reconstruction.standardised(rows.flat[start : start + step])


def _energy(flat: np.ndarray) -> np.ndarray:
    return np.square(flat, dtype=np.float64).sum(axis=1)
