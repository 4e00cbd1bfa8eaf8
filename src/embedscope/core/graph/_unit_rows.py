"""Rows scaled to length one, whose Euclidean distances rank like their angles."""

from __future__ import annotations

from typing import Any

import numpy as np


class UnitRows:
    """Rows scaled to length one when they are read, so that no copy of all is needed.

    One more column is 1 for rows of zeros and 0 for others, which puts the former at a right angle
    to the latter: their distance is 1 to other rows and 0 to each other, as in pynndescent.

    Parameters
    ----------
    X : array of shape (n_samples, n_features), float32
        Any object with a shape that gives rows when it is indexed.
    centred : bool
        Whether the mean of each row is taken away first: angles between such rows are correlations.
    """

    def __init__(self, X: Any, *, centred: bool) -> None:
        self.shape = (X.shape[0], X.shape[1] + 1)
        self._X = X
        self._centred = centred

    def __getitem__(self, index: slice | np.ndarray) -> np.ndarray:
        X = self._X[index]
        if self._centred:
            X = X - X.mean(axis=1, dtype=np.float64, keepdims=True).astype(np.float32)
        lengths = np.sqrt(np.einsum("ij,ij->i", X, X, dtype=np.float64))
        nowhere = lengths == 0
        units = (X / np.where(nowhere, 1.0, lengths)[:, None]).astype(np.float32)
        return np.column_stack([units, nowhere.astype(np.float32)])
