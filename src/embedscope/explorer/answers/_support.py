"""How well data support a point of the map, so that users can recognise extrapolations."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._regions import check_points

_N_NEIGHBORS = 5


class MapSupport:
    """The distance of a point from the training samples, relative to their own distances.

    Parameters
    ----------
    embedding : ndarray of shape (n_samples, 2), float
        The map of the training samples, finite, at least two of them.

    Raises
    ------
    InvalidInputError
        If there are fewer than two samples, or they are not finite pairs of numbers.

    Notes
    -----
    The isolation of a point is its distance to the fifth nearest training sample; that of a
    training sample is its distance to the fifth nearest other one. All is computed at the first
    use, since many maps are never used.
    """

    def __init__(self, embedding: npt.NDArray[Any]) -> None:
        self._places = check_points(embedding, "embedding")
        if len(self._places) < 2:
            raise InvalidInputError(
                f"embedding must have at least 2 samples; got {len(self._places)}. Train on more."
            )
        self._n_neighbors = min(_N_NEIGHBORS, len(self._places) - 1)

    def score(self, points: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The share of the training samples that are at least as isolated as a point.

        Parameters
        ----------
        points : array-like of shape (n_points, 2)
            Map coordinates.

        Returns
        -------
        ndarray of shape (n_points,), float32
            In 0..1: 1 in the densest part, about 0.5 where samples are as far apart as usual, 0 if
            farther out than any training sample.

        Raises
        ------
        InvalidInputError
            If the points are not finite pairs of numbers.
        """
        isolation = self._isolation(points)
        # The precision of float32: rounding must not make a point more isolated than a sample.
        less = np.searchsorted(self._own_isolation, isolation * (1.0 - 1e-6))
        return (1.0 - less / len(self._places)).astype(np.float32)

    @cached_property
    def _tree(self) -> Any:
        return cKDTree(self._places)

    @cached_property
    def _own_isolation(self) -> npt.NDArray[np.float64]:
        """Of the training samples, sorted; the nearest to each is the sample itself."""
        distances, _ = self._tree.query(self._places, k=[self._n_neighbors + 1])
        return np.sort(distances[:, 0])

    def _isolation(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        distances, _ = self._tree.query(check_points(points, "points"), k=[self._n_neighbors])
        return np.asarray(distances[:, 0], dtype=np.float64)
