"""Landmarks: samples that keep their positions while a trained map learns new data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.core.arrays._numbers import as_array, as_float32
from embedscope.core.arrays._rows import Rows


@dataclass(frozen=True)
class Landmarks:
    """Samples and the positions that they should keep.

    Attributes
    ----------
    rows : Rows
    positions : ndarray of shape (n_landmarks, n_components), float32
    """

    rows: Rows
    positions: np.ndarray

    def append_to(self, rows: Rows, wanted: np.ndarray | None) -> tuple[Rows, np.ndarray]:
        """`rows` followed by the landmarks, and the wanted position of each (NaN for free)."""
        if wanted is None:
            wanted = np.full((len(rows), self.positions.shape[1]), np.nan, dtype=np.float32)
        return rows.joined(self.rows), np.concatenate([wanted, self.positions])

    def thinned(self, most: int, rng: np.random.Generator) -> Landmarks:
        """A copy of at most `most` landmarks, chosen at random.

        Always a copy, since the samples may be the user's own array, which may change later.
        """
        kept = np.arange(len(self.rows))
        if len(kept) > most:
            kept = np.sort(rng.choice(kept, most, replace=False))
        return Landmarks(self.rows.subset(kept), self.positions[kept])


def choose_rows(
    n_samples: int,
    sample_pct: float,
    sample_mode: str,
    idx: Sequence[int] | np.ndarray | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Row numbers of the samples that become landmarks.

    Parameters
    ----------
    n_samples : int
    sample_pct : float
        Share of the samples, above 0 and at most 1, for mode "uniform".
    sample_mode : {"uniform", "predefined", "predetermined"}
        The last two are the same mode: umap-learn's documentation and its code use different names.
    idx : sequence of int, optional
        Row numbers, for mode "predefined".
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int
    """
    if sample_mode == "uniform":
        if not isinstance(sample_pct, Real) or not 0 < sample_pct <= 1:
            raise InvalidInputError(
                f"sample_pct must be a share in (0, 1]; got {sample_pct!r}. 0.01 takes one in 100."
            )
        n_chosen = max(1, int(n_samples * sample_pct))
        return np.sort(rng.choice(n_samples, n_chosen, replace=False))
    if sample_mode not in ("predefined", "predetermined"):
        raise InvalidInputError(
            f"sample_mode must be 'uniform' or 'predefined'; got {sample_mode!r}. "
            "Use 'uniform' to choose landmarks at random."
        )
    chosen = as_array([] if idx is None else idx, "idx")
    if chosen.ndim != 1 or not len(chosen) or chosen.dtype.kind not in "iu":
        raise InvalidInputError(
            f"idx must be a sequence of row numbers for sample_mode={sample_mode!r}; got "
            f"{type(idx).__name__}. Give the rows of X to hold."
        )
    if chosen.min() < 0 or chosen.max() >= n_samples:
        raise InvalidInputError(
            f"idx must be row numbers in [0, {n_samples}); got values from {chosen.min()} to "
            f"{chosen.max()}. Number the rows of this X."
        )
    return chosen


def check_positions(given: Any, n_samples: int, n_components: int) -> np.ndarray:
    """The user's `landmark_positions` as float32; each row is a position or all NaN."""
    positions = as_float32(given, "landmark_positions")
    if positions.shape != (n_samples, n_components):
        raise InvalidInputError(
            f"landmark_positions must be of shape ({n_samples}, {n_components}); got "
            f"{positions.shape}. Give a row of NaN for each sample that may move."
        )
    if np.isinf(positions).any():
        raise InvalidInputError(
            "landmark_positions must be finite or NaN; got infinity. Use NaN for free samples."
        )
    gaps = np.isnan(positions)
    if (gaps.any(axis=1) != gaps.all(axis=1)).any():
        raise InvalidInputError(
            "landmark_positions must be a whole position or NaN in each row; got rows with both. "
            "A sample that may move has NaN in every column."
        )
    return positions
