"""The feature that guides the map, as classes or numbers for the estimator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from embedscope._errors import InvalidInputError

if TYPE_CHECKING:
    from embedscope.samples import Samples

_MOST_CLASSES = 20  # whole numbers with more different values are measurements


def read_target(samples: Samples, name: str) -> tuple[np.ndarray, str]:
    """A feature of the samples as a target.

    Parameters
    ----------
    samples : Samples
    name : str
        Name of a feature, or "frame", "source" or "label".

    Returns
    -------
    y : ndarray of shape (n_samples,)
        int64 classes, -1 for a missing one; or finite float64 numbers.
    metric : {"categorical", "euclidean"}
        Classes are text, truth values and whole numbers of at most 20 different values.

    Raises
    ------
    InvalidInputError
        If numbers are missing.
    """
    column = pd.Series(samples.column(name))
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    is_whole = is_number and not pd.api.types.is_float_dtype(column)
    if not is_number or (is_whole and column.nunique() <= _MOST_CLASSES):
        codes, _ = pd.factorize(column)  # missing ones become -1, unknown to the estimator too
        return codes.astype(np.int64), "categorical"
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    n_missing = int((~np.isfinite(numbers)).sum())
    if n_missing:
        raise InvalidInputError(
            f"target must be a feature with a finite number for every sample; got {name!r}, which "
            f"has none for {n_missing} of {len(numbers)}. Choose another feature, or leave those "
            "samples out."
        )
    return numbers, "euclidean"
