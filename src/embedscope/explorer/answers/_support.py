"""How well a place on the map is supported by data, so that no extrapolation is read as data."""

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
    """How far a place is from the training samples, in terms of how far they are from each other.

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
    The isolation of a place is its distance to the fifth nearest training sample; that of a
    training sample is its distance to the fifth nearest other one. All is computed by the first
    question, since many maps are never asked.
    """

    def __init__(self, embedding: npt.NDArray[Any]) -> None:
        self._places = check_points(embedding, "embedding")
        if len(self._places) < 2:
            raise InvalidInputError(
                f"embedding must have at least 2 samples; got {len(self._places)}. Train on more."
            )
        self._n_neighbors = min(_N_NEIGHBORS, len(self._places) - 1)

    def score(self, points: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """The share of the training samples that are at least as isolated as a place.

        Parameters
        ----------
        points : array-like of shape (n_points, 2)
            Places on the map.

        Returns
        -------
        ndarray of shape (n_points,), float32
            In 0..1: 1 amid the crowd, about 0.5 where samples are as far apart as usual, 0 farther
            out than any training sample.

        Raises
        ------
        InvalidInputError
            If the points are not finite pairs of numbers.
        """
        isolation = self._isolation(points)
        # As many digits as float32 has: a place as isolated as a sample is not farther by rounding.
        less = np.searchsorted(self._own_isolation, isolation * (1.0 - 1e-6))
        return (1.0 - less / len(self._places)).astype(np.float32)

    @cached_property
    def _tree(self) -> Any:
        return cKDTree(self._places)

    @cached_property
    def _own_isolation(self) -> npt.NDArray[np.float64]:
        """Of the training samples, rising; the nearest to each is the sample itself."""
        distances, _ = self._tree.query(self._places, k=[self._n_neighbors + 1])
        return np.sort(distances[:, 0])

    def _isolation(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        distances, _ = self._tree.query(check_points(points, "points"), k=[self._n_neighbors])
        return np.asarray(distances[:, 0], dtype=np.float64)
