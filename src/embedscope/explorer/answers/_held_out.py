"""Which training samples of a map were held out from the fit of its decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from embedscope.training import TrainedMap


def find_held_out(model: TrainedMap) -> npt.NDArray[np.bool_]:
    """Find the samples of a map that were held out from the fit of the decoder.

    The estimator stores them as rows of its fit. A map that has lost samples since, for example
    after a correction of labels, has other rows: then the exact positions identify the samples. If
    samples of both kinds share a position, they count as fitted.

    Parameters
    ----------
    model : TrainedMap

    Returns
    -------
    ndarray of shape (n_samples,), bool
        All False if nothing was held out.
    """
    rows = getattr(model.estimator, "validation_rows_", None)
    if rows is None or not len(rows):
        return np.zeros(len(model.embedding), dtype=bool)
    places = np.asarray(model.estimator.embedding_)
    held_out = np.zeros(len(places), dtype=bool)
    held_out[rows] = True
    if np.array_equal(places, model.embedding):
        return held_out
    keys, mine = _keys(places), _keys(model.embedding)
    return np.isin(mine, keys[held_out]) & ~np.isin(mine, keys[~held_out])


def _keys(places: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Each position as one number, equal only for positions that are equal to the last bit."""
    return np.ascontiguousarray(places, dtype=np.float32).view(np.uint64)[:, 0]
