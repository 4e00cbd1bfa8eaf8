"""How unlike the training samples a new sample is, by its data and not by its position.

An encoder gives every sample a position, also samples of a new kind: a dead cell, a speck of dust,
an image of another stain. The position does not show this; the data of the sample do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core.arrays import Rows, as_rows
from embedscope.explorer.answers._neighborhood import Neighborhood

NOVEL = 0.99  # from this score on, a sample is unlike those trained on
LEAST_SAMPLES = 20  # to fit on

_MOST_REFERENCES = 20_000  # with 50 axes they take 4 MB in a session
_MOST_AXES = 50
_SAMPLES_PER_AXIS = 5
_N_FOLDS = 10  # of the cross-conformal scores, see Vovk (2015)
_ENOUGH_HELD_OUT = 2_000
# Principal axes of wide data take most of the time. Those of the folds are found among the leading
# axes of all samples instead, 2.5 times as many: 4 times faster for 1,280 crops of 40 x 40 x 3.
_MANY_FEATURES = 1_024  # from there on the axes are not of a covariance matrix
_LEADING_AXES = 125
_SMALLEST_CHANGE = 0.01  # of a residual, as a share: a smaller change is never unusual
_ARRAYS = ("mean", "axes", "references", "units", "calibration")


class Novelty:
    """Out-of-distribution scores of samples; `fit` learns from the training samples.

    Parameters
    ----------
    neighborhood : Neighborhood
        Of the training samples.
    units : ndarray of shape (4,), float64
        The distance that 1 % of held-out training samples exceed; the median of their residuals;
        the logarithmic change from it that 1 % exceed; and the residual below which all is
        rounding.
    calibration : ndarray of shape (n_held_out,), float64
        How unusual held-out training samples are, sorted.

    Notes
    -----
    Two things make a sample unusual: its mean distance to the five nearest training samples,
    within the 50 leading principal components, and how much larger or smaller than usual its
    residual outside of these components is. Both are in units of the value that 1 % of training
    samples exceed, and the larger one counts. The score is its rank among held-out training
    samples, each measured by the other ones in ten folds. For samples like the training samples the
    score is uniform, so about 1 % of them reach 0.99, for any data. With fewer than 100 training
    samples, 1 % cannot be resolved: then a few per cent do.

    References
    ----------
    Bates, Candès, Lei, Romano and Sesia, "Testing for outliers with conformal p-values", Annals of
    Statistics 51 (2023), doi:10.1214/22-AOS2244.
    Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 74 (2015),
    doi:10.1007/s10472-013-9368-4.
    """

    def __init__(
        self,
        neighborhood: Neighborhood,
        units: npt.NDArray[np.float64],
        calibration: npt.NDArray[np.float64],
    ) -> None:
        self._neighborhood = neighborhood
        self._units = units
        self._calibration = calibration

    @classmethod
    def fit(cls, X: Any, seed: int = 0) -> Novelty:
        """Learn from the training samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training samples, finite, at least 20. Of more than 20,000, 20,000 random ones are used.
        seed : int
            Of the random choice and of the folds.

        Returns
        -------
        Novelty

        Raises
        ------
        InvalidInputError
            If there are too few samples, or they are not finite numbers.
        """
        rows = as_rows(X)
        if len(rows) < LEAST_SAMPLES:
            raise InvalidInputError(
                f"X must have at least {LEAST_SAMPLES} samples; got {len(rows)}. What is usual "
                "cannot be learned from fewer: add more samples."
            )
        chosen = np.random.default_rng(seed).permutation(len(rows))[:_MOST_REFERENCES]
        # The same number of axes for all samples and for nine folds: residuals must be comparable.
        n_axes = min(_MOST_AXES, rows.n_features, len(chosen) // _SAMPLES_PER_AXIS)
        if rows.n_features > _MANY_FEATURES and len(chosen) > _LEADING_AXES:
            wide = Neighborhood.of(rows, chosen, _LEADING_AXES)
            neighborhood = wide.leading(n_axes)
            reduced, outside = wide.reduce(rows, chosen)
            distances, residuals = _hold_out(reduced, np.arange(len(chosen)), n_axes, outside)
        else:
            neighborhood = Neighborhood.of(rows, chosen, n_axes)
            distances, residuals = _hold_out(rows, chosen, n_axes, np.zeros(len(chosen)))
        units = _usual(distances, residuals, neighborhood.spread)
        return cls(neighborhood, units, np.sort(_unusual(distances, residuals, units)))

    def score(self, X: Any) -> npt.NDArray[np.float32]:
        """How unlike the training samples other samples are.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Finite, with the features of the training samples, flattened or not.

        Returns
        -------
        ndarray of shape (n_samples,), float32
            In 0..1: the share of held-out training samples that are less unusual. From 0.99 on,
            a sample is unlike those trained on.

        Raises
        ------
        InvalidInputError
            If the number of features differs, or the samples are not finite numbers.
        """
        rows = as_rows(X)
        if rows.n_features != self._neighborhood.n_features:
            raise InvalidInputError(
                f"X must have {self._neighborhood.n_features} values a sample, as in training; "
                f"got {rows.n_features}. Cut and scale the samples the same way."
            )
        unusual = _unusual(*self._neighborhood.measure(rows, np.arange(len(rows))), self._units)
        less = np.searchsorted(self._calibration, unusual)
        return (less / len(self._calibration)).astype(np.float32)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The fitted state as plain arrays, to be stored.

        Returns
        -------
        dict of str to ndarray
            For `from_arrays`; at most 4 MB besides the axes.
        """
        neighborhood = self._neighborhood
        return {
            "mean": neighborhood.mean,
            "axes": neighborhood.axes,
            "references": neighborhood.references,
            "units": self._units,
            "calibration": self._calibration,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Novelty:
        """The fitted state from `to_arrays`, with the same scores to the last bit.

        Parameters
        ----------
        arrays : mapping of str to ndarray

        Returns
        -------
        Novelty

        Raises
        ------
        InvalidModelError
            If an array is missing, or the arrays do not fit together.
        """
        missing = [name for name in _ARRAYS if name not in arrays]
        if missing or not _fit_together(arrays):
            wrong = f"no {', '.join(missing)}" if missing else "arrays that do not fit together"
            raise InvalidModelError(
                f"arrays must be what Novelty.to_arrays gave; got {wrong}. Save the session again."
            )
        neighborhood = Neighborhood(arrays["mean"], arrays["axes"], arrays["references"])
        return cls(neighborhood, arrays["units"], arrays["calibration"])


def _hold_out(
    rows: Rows,
    index: npt.NDArray[np.int64],
    n_axes: int,
    outside: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Distances and residuals of samples, each measured by the samples of other folds.

    `outside` is the part of the residual of each sample that `rows` do not hold.
    """
    folds = np.array_split(np.arange(len(index)), _N_FOLDS)
    measured: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = []
    n_held_out = 0
    for number, fold in enumerate(folds):
        others = np.concatenate(folds[:number] + folds[number + 1 :])
        neighborhood = Neighborhood.of(rows, index[others], n_axes)
        distances, residuals = neighborhood.measure(rows, index[fold])
        measured.append((distances, np.hypot(residuals, outside[fold])))
        n_held_out += len(fold)
        if n_held_out >= _ENOUGH_HELD_OUT:
            break
    all_distances, all_residuals = zip(*measured, strict=True)
    return np.concatenate(all_distances), np.concatenate(all_residuals)


def _usual(
    distances: npt.NDArray[np.float64], residuals: npt.NDArray[np.float64], spread: float
) -> npt.NDArray[np.float64]:
    """The units of `Novelty`, with floors for data that repeat or lie exactly in a plane."""
    # A thousandth of the size of the data is rounding, not a sample of another kind.
    grain = max(1e-3 * spread, 1e-30)
    distance = max(float(np.quantile(distances, NOVEL)), grain)
    residual = float(np.median(residuals))
    changes = np.abs(np.log((residuals + grain) / (residual + grain)))
    return np.array([distance, residual, max(np.quantile(changes, NOVEL), _SMALLEST_CHANGE), grain])


def _unusual(
    distances: npt.NDArray[np.float64],
    residuals: npt.NDArray[np.float64],
    units: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    distance, residual, change, grain = units
    changes = np.abs(np.log((residuals + grain) / (residual + grain)))
    # Below these floors is only rounding, which must not matter where samples repeat.
    distances = np.where(distances > grain, distances, 0.0)
    changes = np.where(changes > _SMALLEST_CHANGE, changes, 0.0)
    return np.asarray(np.maximum(distances / distance, changes / change))


def _fit_together(arrays: Mapping[str, npt.NDArray[Any]]) -> bool:
    mean, axes, references, units, calibration = (arrays[name] for name in _ARRAYS)
    return (
        all(arrays[name].dtype.kind == "f" for name in _ARRAYS)
        and all(np.isfinite(arrays[name]).all() for name in _ARRAYS)
        and axes.ndim == references.ndim == 2
        and mean.shape == axes.shape[:1]
        and references.shape[1] == axes.shape[1]
        and len(references) > 0
        and units.shape == (4,)
        and bool((units[[0, 2, 3]] > 0).all())
        and calibration.ndim == 1
        and len(calibration) > 0
    )
