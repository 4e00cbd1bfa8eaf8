"""Principal axes of the data, for the search for neighbours and the default encoder."""

from __future__ import annotations

import math

import numpy as np

_MOST_FEATURES = 1024  # a wider covariance matrix costs more than a randomised decomposition
_ENOUGH_ROWS, _ENOUGH_WIDE_ROWS = 20_000, 5_000
_POWER_ITERATIONS = 4  # scikit-learn's choice for many axes; for a few axes it takes 7
_LARGEST_EXPONENT = 30  # sums of squares of 2^30 are far from float32's limits


def principal_axes(centred: np.ndarray, n_axes: int) -> np.ndarray:
    """Directions of largest variance, the largest first.

    Parameters
    ----------
    centred : ndarray of shape (n_samples, n_features), float32
        Data with zero mean. More than 20,000 rows, or 5,000 of more than 1,024 features, are
        thinned evenly.
    n_axes : int
        At most min(n_samples, n_features).

    Returns
    -------
    ndarray of shape (n_features, n_axes), float32
        Orthonormal columns; the sign makes the largest entry of each positive.
    """
    n_features = centred.shape[1]
    rows, _ = in_safe_units(centred[:: axes_step(*centred.shape)])
    n_axes = min(n_axes, n_features, len(centred))
    if n_features <= _MOST_FEATURES:
        covariance = (rows.T @ rows).astype(np.float64)
        # All axes: numpy is faster at this than scipy at a few axes, and releases the interpreter
        # lock.
        _, vectors = np.linalg.eigh(covariance)
        axes = vectors[:, ::-1][:, :n_axes]
    else:
        from sklearn.utils.extmath import randomized_svd

        _, _, right = randomized_svd(
            rows, min(n_axes, *rows.shape), n_iter=_POWER_ITERATIONS, random_state=0
        )
        axes = right.T
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    return np.ascontiguousarray(axes * np.where(largest < 0, -1.0, 1.0), dtype=np.float32)


def axes_step(n_samples: int, n_features: int) -> int:
    """Every how many rows one is used for the axes."""
    enough = _ENOUGH_ROWS if n_features <= _MOST_FEATURES else _ENOUGH_WIDE_ROWS
    return max(1, n_samples // enough)


def in_safe_units(X: np.ndarray) -> tuple[np.ndarray, int]:
    """Data in a unit in which squares neither overflow nor vanish, and the unit's exponent.

    The unit is a power of two, so that no digit changes. Data of usual magnitudes are returned
    without a copy, with exponent 0.
    """
    exponent = safe_exponent(max(float(X.max()), -float(X.min())))
    return (np.ldexp(X, -exponent), exponent) if exponent else (X, 0)


def safe_exponent(largest: float) -> int:
    """Exponent of the unit, a power of two, in which squares neither overflow nor vanish."""
    exponent = math.frexp(largest)[1]
    return exponent if abs(exponent) > _LARGEST_EXPONENT else 0
