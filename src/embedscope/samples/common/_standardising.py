"""Standardise the columns of a table to mean 0 and standard deviation 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = tuple[float, ...]


def standardise(
    values: npt.NDArray[np.float64],
    means: Numbers | None = None,
    deviations: Numbers | None = None,
) -> tuple[npt.NDArray[np.float32], Numbers, Numbers]:
    """Standardise columns; means and deviations are measured if they are not given.

    Parameters
    ----------
    values : ndarray of shape (n, n_columns), float64
        Finite numbers.
    means, deviations : tuple of float, optional
        For later tables, those of the table that a model was trained on.

    Returns
    -------
    table : ndarray of shape (n, n_columns), float32
        (values - mean) / deviation; a constant column becomes 0.
    means, deviations : tuple of float
        Those used.
    """
    mean = values.mean(axis=0) if means is None else np.array(means)
    deviation = _deviations(values, mean) if deviations is None else np.array(deviations)
    table = ((values - mean) / np.where(deviation > 0, deviation, 1.0)).astype(np.float32)
    table[:, deviation == 0] = 0
    return table, tuple(mean.tolist()), tuple(deviation.tolist())


def _deviations(values: npt.NDArray[np.float64], mean: Any) -> npt.NDArray[np.float64]:
    """Standard deviations, exactly 0 for a constant column, despite rounding errors."""
    constant = (values == values[0]).all(axis=0)
    deviation: npt.NDArray[np.float64] = np.where(constant, 0.0, (values - mean).std(axis=0))
    return deviation
