"""Who is nearest to a place on the map."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._regions import check_point


class PlaceIndex:
    """The samples' places, searched by nearness.

    Parameters
    ----------
    positions : ndarray of shape (n_samples, 2), float
        Places on the map. Rows that are not finite are samples without a place: never found.

    Notes
    -----
    The tree is built by the first question, not here: while a network learns, a map is replaced
    several times a second, and most are never asked.
    """

    def __init__(self, positions: npt.NDArray[Any]) -> None:
        self._positions = positions
        self._rows: npt.NDArray[np.int64] | None = None
        self._tree: Any = None

    def nearest(
        self, point: npt.ArrayLike, k: int = 1
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The samples nearest to a place.

        Parameters
        ----------
        point : array-like of shape (2,)
            A place on the map.
        k : int
            How many samples, at least 1.

        Returns
        -------
        rows : ndarray of shape (k,), int64
            Nearest first; fewer than k where fewer samples have a place. Of samples at the same
            distance, any may come first.
        distances : ndarray of shape (k,), float64
            In the map's units.

        Raises
        ------
        InvalidInputError
            If the point is not a finite pair of numbers, or k is below 1.
        """
        place = check_point(point, "point")
        if k < 1:
            raise InvalidInputError(f"k must be at least 1; got {k}. Ask for one neighbour.")
        rows, tree = self._built()
        found = min(k, len(rows))
        if not found:
            return np.empty(0, dtype=np.int64), np.empty(0)
        distances, order = tree.query(place, k=np.arange(1, found + 1))
        return rows[order], distances

    def _built(self) -> tuple[npt.NDArray[np.int64], Any]:
        if self._rows is None:
            rows = np.flatnonzero(np.isfinite(self._positions).all(axis=1))
            # Half the time of a balanced tree, which would answer no faster: asked once a hover,
            # a million samples are ready after a quarter of a second.
            self._tree = cKDTree(self._positions[rows], balanced_tree=False, compact_nodes=False)
            self._rows = rows  # last: another thread that sees the rows finds the tree as well
        return self._rows, self._tree
