"""Annotated matrices (AnnData, tables of SpatialData) as plain tables.

Nothing here imports anndata: such an object is recognised by its attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples.tables._exported import PLACE_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

MAP_KEY = "X_umap"
OWN_KEY = "embedscope"
INSTANCES = "spatialdata_attrs"
"""Where tables of SpatialData say which column names the object of a row."""
_MOST_VALUES = 2**28
"""Values of a matrix that are learned from as they are: 1 GiB in single precision."""


def is_annotated(data: Any) -> bool:
    """Whether an object is an annotated matrix."""
    return all(hasattr(data, name) for name in ("to_df", "obs", "var_names", "obsm", "uns"))


def frame_of(data: Any) -> tuple[pd.DataFrame, list[str] | None]:
    """An annotated matrix as a table, and the columns to learn from; None for the usual choice.

    Parameters
    ----------
    data : AnnData
        One that `Explorer.to_anndata` made gives the table that it was made from.

    Returns
    -------
    frame : DataFrame
        Columns of X, then of obs.
    columns : list of str or None

    Raises
    ------
    InvalidInputError
        If there are no rows or too many values, or names repeat.
    """
    if data.n_vars * data.n_obs > _MOST_VALUES:
        raise InvalidInputError(
            f"X must hold at most {_MOST_VALUES:,} values; got {data.n_obs:,} rows of "
            f"{data.n_vars:,}. Pass principal components instead, for example "
            "samples_from_array(adata.obsm['X_pca'])."
        )
    for name, index in (("obs_names", data.obs_names), ("var_names", data.var_names)):
        if not index.is_unique:
            repeated = index[index.duplicated()][0]
            raise InvalidInputError(
                f"{name} must be different; got {repeated!r} more than once, as after a "
                f"concatenation. Run adata.{name}_make_unique() first."
            )
    values = values_of(data, data.X)
    own = data.uns.get(OWN_KEY)
    if own is not None and "order" in own:
        return _exported(data, values, own), None
    return with_identities(values, data), [str(n) for n in data.var_names] if data.n_vars else None


def values_of(data: Any, matrix: Any) -> pd.DataFrame:
    """A matrix of an annotated one, X or a layer, read into memory, with the names of both axes."""
    import pandas as pd

    if matrix is None and data.n_vars:
        raise InvalidInputError(
            "data must have an X to learn from; got None. Name a layer or obsm with "
            "samples_from_anndata."
        )
    if matrix is None:
        return pd.DataFrame(index=data.obs_names)
    held = matrix.to_memory() if hasattr(matrix, "to_memory") else matrix  # of a backed file
    array = held.toarray() if hasattr(held, "toarray") else np.asarray(held)
    return pd.DataFrame(array, index=data.obs_names, columns=data.var_names)


def with_identities(values: pd.DataFrame, data: Any) -> pd.DataFrame:
    """Columns of numbers of an annotated matrix with those of obs.

    The columns by which SpatialData links rows to the objects of an image are named as ours.
    """
    others = data.obs.loc[:, [name not in values.columns for name in data.obs.columns]]
    keys = data.uns.get(INSTANCES, {})
    names = {keys.get("instance_key"): "label", keys.get("region_key"): "source"}
    new = {old: name for old, name in names.items() if old in others and name not in others}
    return values.join(others.rename(columns=new))


def map_of(data: Any) -> np.ndarray | None:
    """The positions of an annotated matrix on its own map, if it has one."""
    places = data.obsm.get(MAP_KEY)
    return None if places is None or np.shape(places)[1:] != (2,) else np.asarray(places)


def _exported(data: Any, values: pd.DataFrame, own: Any) -> pd.DataFrame:
    """The table that was exported, with its columns in their order."""
    names = {str(column): str(name) for column, name in own["columns"].items()}
    kept = [column for column in data.obs.columns if column in names]
    frame = values.join(data.obs[kept].rename(columns=names))
    places = map_of(data)
    if places is not None:
        frame = frame.assign(**dict(zip(PLACE_COLUMNS, places.T, strict=True)))
    order = [str(name) for name in own["order"] if str(name) in frame.columns]
    return frame[order]
