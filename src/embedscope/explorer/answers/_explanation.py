"""What drives the positions of samples on the map, by the derivative of the encoder.

The derivative by a value is how far a sample moves on the map if the value changes by one unit.
Times the standard deviation of the value, it is how far the sample moves for a change of usual
size. So features in different units, and pixels that never change, can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from embedscope.samples import Samples

_MOST_SAMPLES = 2_000  # of a selection: a root mean square is then right to about 2 %
_BLOCK_SAMPLES = 256
_SPREAD_VALUES = 2**23  # 32 MiB of float32: all of most tables, 2,700 crops of 32 x 32 x 3
_LEAST_FOR_SPREAD = 1_000  # samples: a standard deviation is then right to about 2 %


@dataclass(frozen=True, eq=False)
class Explanation:
    """What drives the positions of some samples on the map.

    Attributes
    ----------
    rows : ndarray of shape (k,), int64, read-only
        The samples that are explained.
    kind : {"features", "saliency"}
        For tables and other values that are learned from, or for pictures.
    ranking : DataFrame
        Strongest first, with the columns "feature" or, for pictures, "channel"; "effect", in map
        units per standard deviation; and "share", the squared effect over the sum of all, 0..1.
        For tables also "along_x" and "along_y": the signed effect along each map axis, averaged,
        in which opposite directions cancel.
    saliency : ndarray of shape (h, w) or (z, h, w), float32, or None
        The effect of each pixel over all channels, in map units per standard deviation.

    Notes
    -----
    The effect of value j is ``sd_j * sqrt(mean_i sum_c (d z[i, c] / d x[i, j])^2)`` over samples i
    and map axes c; pixels and channels add up their squares. For a linear encoder of independent
    features, the shares are those of the map's variance.
    """

    rows: npt.NDArray[np.int64]
    kind: str
    ranking: pd.DataFrame
    saliency: npt.NDArray[np.float32] | None


def explain(
    estimator: Any,
    samples: Samples,
    rows: npt.ArrayLike,
    spread: npt.NDArray[np.float32] | None = None,
) -> Explanation:
    """Compute what drives the positions of some samples on the map.

    Parameters
    ----------
    estimator : ParametricUMAP
        Fitted on such samples.
    samples : Samples
    rows : array-like of int
        Which of them, at least one. Of more than 2,000, 2,000 are used, evenly along the rows.
    spread : ndarray, float32, optional
        Result of `measure_spread`, if already known.

    Returns
    -------
    Explanation

    Raises
    ------
    InvalidInputError
        If no row is given, a row does not exist, or the map has no encoder.
    """
    chosen = _check_rows(rows, len(samples))
    if spread is None:
        spread = measure_spread(samples)
    squares, directions = _effects(estimator, samples, _thin(chosen, _MOST_SAMPLES), spread)
    if samples.learned is not None or not samples.is_image:
        learned = samples.learned
        names = samples.feature_names if learned is None else learned.names
        ranking = _rank("feature", names, squares)
        for name, direction in zip(("along_x", "along_y"), directions, strict=True):
            ranking[name] = direction
        return Explanation(chosen, "features", _strongest_first(ranking), None)
    of_channels = squares.sum(axis=tuple(range(squares.ndim - 1)))
    ranking = _strongest_first(_rank("channel", samples.channel_names, of_channels))
    saliency = np.sqrt(squares.sum(axis=-1)).astype(np.float32)
    return Explanation(chosen, "saliency", ranking, saliency)


def measure_spread(samples: Samples) -> npt.NDArray[np.float32]:
    """Standard deviation, over the samples, of each value that the encoder reads.

    Of large pictures only some are read, at least 1,000, evenly along the rows: this is right to
    about 2 %, and takes a second instead of half a minute.

    Parameters
    ----------
    samples : Samples

    Returns
    -------
    ndarray, float32
        Of the shape and in the units of a row of ``samples.encoder_inputs()``.
    """
    n_values = samples.encoder_inputs([0]).size
    enough = max(_SPREAD_VALUES // n_values, _LEAST_FOR_SPREAD)
    rows = _thin(np.arange(len(samples)), enough)
    deviations = samples.encoder_inputs(rows).std(axis=0, dtype=np.float64)
    return np.asarray(deviations, dtype=np.float32)


def _check_rows(rows: npt.ArrayLike, n_samples: int) -> npt.NDArray[np.int64]:
    given = np.asarray(rows)
    if given.size == 0:
        raise InvalidInputError(
            "rows must be at least one sample; got none. Select samples on the map first."
        )
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise InvalidInputError(
            f"rows must be a list of row numbers; got shape {given.shape} of {given.dtype}. Use "
            "numpy.flatnonzero for a mask."
        )
    if given.min() < 0 or given.max() >= n_samples:
        raise InvalidInputError(
            f"rows must be in 0..{n_samples - 1}; got {given.min()}..{given.max()}. Look rows up "
            "by identity."
        )
    checked = given.astype(np.int64)
    checked.setflags(write=False)
    return checked


def _thin(rows: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    n_kept = min(len(rows), most)
    return rows[np.linspace(0, len(rows) - 1, n_kept).astype(np.int64)]


def _effects(
    estimator: Any, samples: Samples, rows: npt.NDArray[np.int64], spread: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean squared effect, and the mean effect along each map axis, of each value of a sample."""
    squares = np.zeros(spread.shape)
    directions = np.zeros((2, *spread.shape))
    for start in range(0, len(rows), _BLOCK_SAMPLES):
        block = samples.encoder_inputs(rows[start : start + _BLOCK_SAMPLES])
        effects = estimator.encoder_jacobian(block) * spread
        squares += np.einsum("ic...,ic...->...", effects, effects, dtype=np.float64)
        directions += effects.sum(axis=0, dtype=np.float64)
    return squares / len(rows), directions / len(rows)


def _rank(kind: str, names: tuple[str, ...], squares: npt.NDArray[np.float64]) -> pd.DataFrame:
    import pandas as pd

    total = squares.sum()
    # If nothing has an effect, all shares are 0.
    shares = squares / total if total > 0 else np.zeros_like(squares)
    return pd.DataFrame({kind: list(names), "effect": np.sqrt(squares), "share": shares})


def _strongest_first(ranking: pd.DataFrame) -> pd.DataFrame:
    return ranking.sort_values("effect", ascending=False, kind="stable", ignore_index=True)
