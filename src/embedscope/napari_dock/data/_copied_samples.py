"""Detects layers that are copies of others: their samples would be on the map twice."""

from __future__ import annotations

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples import Samples


def check_is_no_copy(there: Samples, new: Samples) -> None:
    """Raise if most of the new samples are on the map already, under the name of another source.

    Parameters
    ----------
    there : Samples
        On the map.
    new : Samples
        Of one source, cut in the same way.

    Raises
    ------
    InvalidInputError
        If more than half of the new samples that are not uniform have the label, frame, position
        and values of a sample on the map. A copy with a few repainted objects is still a copy.
    """
    values = _values(new)
    flat = values.reshape(len(values), -1)
    # Uniform samples are equal in any two images.
    varied = np.flatnonzero((flat != flat[:, :1]).any(axis=1) | (flat.shape[1] == 1))
    for source in there.sources:
        if source in there.absent:
            continue
        identities = new.identities
        rows = there.identities.rows(source, identities.label[varied], identities.frame[varied])
        matched = varied[rows >= 0]
        same = _same_rows(_values(there)[rows[rows >= 0]], values[matched])
        if there.centroids is not None and new.centroids is not None:
            same &= _same_rows(there.centroids[rows[rows >= 0]], new.centroids[matched])
        if 2 * int(same.sum()) > len(varied):
            (name,) = new.sources
            raise InvalidInputError(
                f"the layer must be another one; got {name!r}, whose samples are those of "
                f"{source!r}, which are on the map already. Choose the layers of another image; to "
                f"correct objects of {source!r}, paint in that layer and press Cut again."
            )


def _values(samples: Samples) -> np.ndarray:
    return samples.images if samples.images is not None else np.asarray(samples.table)


def _same_rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    equal = (a == b) | ((a != a) & (b != b))  # NaN is not equal to itself
    return np.asarray(equal.all(axis=tuple(range(1, equal.ndim))))
