"""Which samples of a trained map its decoder was not fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from embedscope.training import TrainedMap


def find_held_out(model: TrainedMap) -> npt.NDArray[np.bool_]:
    """Mark the samples of a map that were kept out of the decoder's fit.

    The estimator knows them by the rows it was fitted on. A map that has lost samples since, as
    after a correction of labels, has other rows: then they are found by their exact places. A place
    where samples of both kinds stand counts as fitted.

    Parameters
    ----------
    model : TrainedMap

    Returns
    -------
    ndarray of shape (n_samples,), bool
        False for all on a map that held nothing out.
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
    """Each place as one number, alike only for places alike to the last bit."""
    return np.ascontiguousarray(places, dtype=np.float32).view(np.uint64)[:, 0]
