"""Distances of samples from others, within and outside of the leading principal components.

Distances in thousands of pixels are mostly noise. In the leading components they show which samples
are similar; the norm of the rest, the residual, shows whether a sample is of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.core.arrays import Rows, as_rows, principal_axes

_N_NEIGHBORS = 5
_BLOCK_VALUES = 2**22  # 16 MiB of float32 at a time
_VALUES_FOR_AXES = 2**24  # enough samples for 50 axes; large samples would take minutes
_SAMPLES_FOR_AXES = (500, 5_000)


class Neighborhood:
    """Reference samples, and the distances of others from them.

    Parameters
    ----------
    mean : ndarray of shape (n_features,), float32
    axes : ndarray of shape (n_features, n_axes), float32
        Orthonormal columns: the leading principal axes.
    references : ndarray of shape (n_references, n_axes), float32
        Components of the reference samples.
    """

    def __init__(
        self,
        mean: npt.NDArray[np.float32],
        axes: npt.NDArray[np.float32],
        references: npt.NDArray[np.float32],
    ) -> None:
        self.mean = mean
        self.axes = axes
        self.references = references

    @classmethod
    def of(cls, rows: Rows, index: npt.NDArray[np.int64], n_axes: int) -> Neighborhood:
        """The neighbourhood of some of the rows, given in random order."""
        least, most = _SAMPLES_FOR_AXES
        chosen = index[: min(max(_VALUES_FOR_AXES // rows.n_features, least), most)]
        samples = _flat(rows, chosen)
        mean = samples.mean(axis=0, dtype=np.float64).astype(np.float32)
        axes = principal_axes(samples - mean, n_axes)
        parts = [(_flat(rows, part) - mean) @ axes for part in _parts(index, rows.n_features)]
        return cls(mean, axes, np.concatenate(parts))

    @property
    def n_features(self) -> int:
        """Values in one sample."""
        return len(self.mean)

    @property
    def spread(self) -> float:
        """Root mean squared distance of the references from their mean, in the units of the data.

        Within the components, which contain most of it.
        """
        centred = self.references - self.references.mean(axis=0, dtype=np.float64)
        return float(np.sqrt((centred**2).sum(axis=1).mean()))

    def measure(
        self, rows: Rows, index: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The distances of samples from the references.

        Parameters
        ----------
        rows : Rows
            Samples of the same features.
        index : ndarray of shape (n,), int64
            Which of them.

        Returns
        -------
        distances : ndarray of shape (n,), float64
            Mean distance to the five nearest references, within the components.
        residuals : ndarray of shape (n,), float64
            Norm of the part outside of the components.
        """
        measured = [
            self._measure_part(_flat(rows, part)) for part in _parts(index, self.n_features)
        ]
        distances, residuals = zip(*measured, strict=True)
        return np.concatenate(distances), np.concatenate(residuals)

    def _measure_part(
        self, samples: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        components, residuals = self._split(samples)
        distances, _ = self._search.kneighbors(components.astype(np.float64))
        return distances.mean(axis=1, dtype=np.float64), residuals

    def _split(
        self, samples: npt.NDArray[np.float32]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        """The components of samples, and the norm of the rest."""
        centred = samples - self.mean
        components = np.asarray(centred @ self.axes, dtype=np.float32)
        # Of the rest itself: a difference of two norms would lose all digits.
        rest = centred - components @ self.axes.T
        squares = np.einsum("ij,ij->i", rest, rest, dtype=np.float64)
        return components, np.asarray(np.sqrt(squares), dtype=np.float64)

    def leading(self, n_axes: int) -> Neighborhood:
        """The same neighbourhood within fewer components, the leading ones."""
        axes, references = self.axes[:, :n_axes], self.references[:, :n_axes]
        return Neighborhood(self.mean, np.ascontiguousarray(axes), np.ascontiguousarray(references))

    def reduce(
        self, rows: Rows, index: npt.NDArray[np.int64]
    ) -> tuple[Rows, npt.NDArray[np.float64]]:
        """Samples by their components alone.

        Parameters
        ----------
        rows : Rows
            Samples of the same features.
        index : ndarray of shape (n,), int64
            Which of them.

        Returns
        -------
        components : Rows
            The n samples, n_axes features each.
        residuals : ndarray of shape (n,), float64
            Norm of what is outside of the components.
        """
        split = [self._split(_flat(rows, part)) for part in _parts(index, self.n_features)]
        components, residuals = zip(*split, strict=True)
        return as_rows(np.concatenate(components)), np.concatenate(residuals)

    @cached_property
    def _search(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        # In float64, since squares of large numbers overflow float32.
        search = NearestNeighbors(n_neighbors=min(_N_NEIGHBORS, len(self.references)))
        return search.fit(self.references.astype(np.float64))


def _flat(rows: Rows, index: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    return rows.take(index).reshape(len(index), rows.n_features)


def _parts(index: npt.NDArray[np.int64], n_features: int) -> Iterator[npt.NDArray[np.int64]]:
    """The index in parts of few enough samples."""
    step = max(1, _BLOCK_VALUES // n_features)
    for start in range(0, len(index), step):
        yield index[start : start + step]
