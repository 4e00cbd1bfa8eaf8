"""The map as a table: identity, position, features and gates of each sample.

The column names are fixed, so that a table on disk shows which of its columns are gates, and
is read back as it was; see `embedscope.samples.tables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples import Identities, Samples
from embedscope.samples.tables import GATE_PREFIX, PLACE_COLUMNS, SCORE_PREFIX, exported_name

if TYPE_CHECKING:
    import pandas as pd


def to_frame(
    identities: Identities,
    positions: npt.NDArray[Any],
    features: pd.DataFrame | None = None,
    memberships: Mapping[str, npt.NDArray[np.bool_]] | None = None,
    scores: Mapping[str, npt.NDArray[Any]] | None = None,
) -> pd.DataFrame:
    """Put all data of the samples into one table.

    Parameters
    ----------
    identities : Identities
        Of the n samples.
    positions : ndarray of shape (n, 2), float
        Map coordinates; NaN for samples without a position.
    features : DataFrame of n rows, optional
        Measurements and categories.
    memberships : mapping of str to ndarray of shape (n,), bool, optional
        Which samples each gate holds, from `GateSet.memberships`.
    scores : mapping of str to ndarray of shape (n,), optional
        One number or boolean for each sample, by the name of the score.

    Returns
    -------
    DataFrame
        n rows in the samples' order, with the index 0..n-1; columns as the module says.

    Raises
    ------
    InvalidInputError
        If a part has another number of rows, or positions are not pairs.
    """
    import pandas as pd

    parts = {
        "positions": positions,
        **({} if features is None else {"features": features}),
        **{f"gate {name!r}": mask for name, mask in (memberships or {}).items()},
        **{f"score {name!r}": values for name, values in (scores or {}).items()},
    }
    _check_rows(parts, len(identities))
    places = np.asarray(positions)
    if places.ndim != 2 or places.shape[1] != len(PLACE_COLUMNS):
        raise InvalidInputError(
            f"positions must have shape (n_samples, 2); got {places.shape}. Export a map of two "
            "components."
        )
    columns = [
        identities.to_frame(),
        pd.DataFrame(dict(zip(PLACE_COLUMNS, places.T, strict=True))),
        _renamed(features),
        pd.DataFrame({GATE_PREFIX + name: mask for name, mask in (memberships or {}).items()}),
        pd.DataFrame({SCORE_PREFIX + name: values for name, values in (scores or {}).items()}),
    ]
    return pd.concat([part for part in columns if part is not None], axis=1)


def all_features(samples: Samples) -> pd.DataFrame:
    """The features of samples, and the columns learned from that are not among them.

    Parameters
    ----------
    samples : Samples
        n samples; those of an array have their values in `Samples.table` only.

    Returns
    -------
    DataFrame of n rows
    """
    import pandas as pd

    named = enumerate(samples.feature_names)
    new = {name: place for place, name in named if name not in samples.features.columns}
    if samples.table is None or not new:
        return samples.features
    values = pd.DataFrame(samples.table[:, list(new.values())], columns=list(new))
    return pd.concat([samples.features, values], axis=1)


def _renamed(features: pd.DataFrame | None) -> pd.DataFrame | None:
    """Features with their column names in the table."""
    if features is None:
        return None
    names = [exported_name(str(name)) for name in features.columns]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidInputError(
            f"features must have different names; got {repeated} more than once. Rename them."
        )
    return features.reset_index(drop=True).set_axis(names, axis=1)


def _check_rows(parts: Mapping[str, Any], n_rows: int) -> None:
    wrong = {name: len(part) for name, part in parts.items() if len(part) != n_rows}
    if wrong:
        raise InvalidInputError(
            f"every part must have {n_rows} rows, one for each identity; got {wrong}. Take them "
            "from the same samples."
        )
