"""The map as an annotated matrix: AnnData, and SpatialData tables that annotate label images.

Both have a matrix of numbers (``X``) with a table about its rows (``obs``). The column names of the
table may consist of letters, digits, ``_``, ``-`` and ``.`` only, so a gate "T cells / CD4+"
becomes the column ``gate_T_cells_CD4``; ``uns["embedscope"]`` has the original names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.export._exports import require_export
from embedscope.explorer.export._gate_groups import colors_of, gate_of_each
from embedscope.explorer.export._gates_in_tables import as_json
from embedscope.explorer.marks._gates import GateSet
from embedscope.samples.tables import (
    GATE_PREFIX,
    IDENTITY_COLUMNS,
    MAP_KEY,
    PLACE_COLUMNS,
    SCORE_PREFIX,
    plain_frame,
)

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

REGION_KEY = "region"
INSTANCE_KEY = "instance_id"

_GATE_COLUMN, _SPATIAL_KEY = "gate", "spatial"

# "region" and "instance_id" are columns of SpatialData, whatever the features.
_RESERVED_COLUMNS = (REGION_KEY, INSTANCE_KEY, "_index")
_LARGEST_EXACT = 2**24  # up to here single precision holds every integer

Regions = Mapping[str | tuple[str, int], str]


def to_anndata(
    frame: pd.DataFrame,
    parameters: Mapping[str, Any] | None = None,
    *,
    gates: GateSet | None = None,
    name_column: str | None = None,
    centroids: npt.NDArray[Any] | None = None,
) -> AnnData:
    """Turn the table of the map into an AnnData object.

    Parameters
    ----------
    frame : DataFrame of n rows
        From `to_frame`.
    parameters : mapping, optional
        Numbers, text, booleans and lists of them, as in `TrainingParameters.to_dict`.
    gates : GateSet, optional
        The gates, whose outlines are stored too.
    name_column : str, optional
        The column whose values become ``obs_names``, unless one is missing or repeats.
    centroids : ndarray of shape (n, 2 or 3), optional
        The middle of each object in pixels: (y, x) or (z, y, x).

    Returns
    -------
    AnnData
        ``X`` (n, n_numeric_features) float32; ``var_names`` the names of the features;
        ``obsm["X_umap"]`` (n, 2) float32, ``obsm["spatial"]`` the centroids as (x, y) or (x, y, z),
        where squidpy looks for them; ``obs`` source, frame, label, other features, integers beyond
        2**24, which float32 would round, gates (bool) and scores, and "gate", the last gate that
        holds each sample, as categories, which scanpy and squidpy group by, with their colours in
        ``uns["gate_colors"]``; ``obs_names`` the names of the rows, or their labels where these
        differ and are of one source, or else "source/frame/label"; ``uns["embedscope"]``
        parameters, the original name of every gate (``"gates"``) and column (``"columns"``), the
        columns in order (``"order"``), those turned into text (``"as_text"``) and the gates'
        outlines as JSON (``"outlines"``).

    Raises
    ------
    MissingDependencyError
        If anndata is missing.
    """
    require_export("anndata", "to_anndata")
    import anndata
    import pandas as pd

    obs_names = _obs_names(frame, name_column)
    order = [str(name) for name in frame.columns]
    frame, as_text = plain_frame(frame)
    numeric = [name for name in frame.columns if _is_measurement(frame, name)]
    others = [name for name in frame.columns if name not in (*numeric, *PLACE_COLUMNS)]
    columns = dict(zip(others, safe_names(others), strict=True))
    obs = frame[others].apply(_with_text_as_categories).rename(columns=columns)
    grouped = gate_of_each(frame)
    colors: dict[str, Any] = {}
    if grouped is not None:
        *_, name = safe_names([*columns.values(), _GATE_COLUMN])
        obs[name] = grouped
        colors = colors_of(name, grouped, gates)
    obs.index = pd.Index(obs_names, dtype=object)
    places = {MAP_KEY: frame[list(PLACE_COLUMNS)].to_numpy(dtype=np.float32)}
    if centroids is not None:
        places[_SPATIAL_KEY] = np.ascontiguousarray(centroids[:, ::-1], dtype=np.float64)
    return anndata.AnnData(
        X=_matrix(frame, numeric),
        obs=obs,
        var=pd.DataFrame(index=pd.Index(numeric, dtype=object)),
        obsm=places,
        uns={
            **colors,
            "embedscope": {
                "parameters": dict(parameters or {}),
                "columns": {column: name for name, column in columns.items()},
                "gates": {
                    column: name.removeprefix(GATE_PREFIX)
                    for name, column in columns.items()
                    if name.startswith(GATE_PREFIX)
                },
                "order": np.array(order, dtype=object),
                "as_text": np.array(as_text, dtype=object),
                "outlines": as_json(GateSet() if gates is None else gates),
            },
        },
    )


def to_spatialdata_table(
    frame: pd.DataFrame,
    regions: Regions | None = None,
    parameters: Mapping[str, Any] | None = None,
    *,
    gates: GateSet | None = None,
    name_column: str | None = None,
    centroids: npt.NDArray[Any] | None = None,
) -> AnnData:
    """Turn the table of the map into a table that annotates the labels of a SpatialData object.

    Parameters
    ----------
    frame : DataFrame of n rows
        From `to_frame`.
    regions : mapping of str or (str, int) to str, optional
        Name of the labels element of each source, or of each (source, frame), since label images of
        SpatialData have no time axis. By default, an element has the name of its source.
    parameters, gates, name_column, centroids
        As in `to_anndata`.

    Returns
    -------
    AnnData
        As from `to_anndata`, with the name of the element in ``obs["region"]`` and the label in
        ``obs["instance_id"]``. Add it with ``sdata.tables["map"] = table``.

    Raises
    ------
    MissingDependencyError
        If spatialdata is missing, or cannot be imported.
    InvalidInputError
        If SpatialData does not allow the name of a region, or two samples annotate the same label.
    """
    require_export("spatialdata", "to_spatialdata_table", "spatialdata")
    from spatialdata.models import TableModel

    table = to_anndata(frame, parameters, gates=gates, name_column=name_column, centroids=centroids)
    names = _region_names(frame, regions or {})
    _check_instances(frame, names)
    table.obs[REGION_KEY] = _with_text_as_categories(names).array
    table.obs[INSTANCE_KEY] = frame["label"].to_numpy()
    parsed: AnnData = TableModel.parse(
        table,
        region=sorted(set(names)),
        region_key=REGION_KEY,
        instance_key=INSTANCE_KEY,
    )
    return parsed


def safe_names(names: list[str], reserved: tuple[str, ...] = _RESERVED_COLUMNS) -> list[str]:
    """Make unique names that an annotated matrix allows for its columns.

    Parameters
    ----------
    names : list of str
    reserved : tuple of str
        Names that are not given.

    Returns
    -------
    list of str
        One for each name, of letters, digits, ``_``, ``-`` and ``.``; equal ones get a number at
        the end. A name that is allowed stays.
    """
    taken = {name.casefold() for name in reserved}
    safe = []
    for name in names:
        words = name if is_allowed(name) else _allowed(name)
        unique, number = words, 1
        while unique.casefold() in taken:
            number += 1
            unique = f"{words}_{number}"
        taken.add(unique.casefold())
        safe.append(unique)
    return safe


def is_allowed(name: str) -> bool:
    """Whether SpatialData allows the name of an element, and AnnData that of a column."""
    plain = all(c.isalnum() or c in "_-." for c in name)
    return plain and bool(name) and not name.startswith("__") and name not in (".", "..")


def _allowed(name: str) -> str:
    plain = "".join(c if c.isalnum() or c in "_-." else "_" for c in name)
    words = "_".join(word for word in plain.split("_") if word)
    return words if words.strip(".") else "column"


def _obs_names(frame: pd.DataFrame, name_column: str | None) -> list[str]:
    """The names that the rows had: in a column, or as text labels; or else their identities.

    Of an identity the label is enough where all are of one source and differ.
    """
    named = [name for name in (name_column, "label") if name is not None and name in frame]
    for name in named:
        names = frame[name].astype(object)
        if names.is_unique and all(isinstance(each, str) for each in names):
            return list(names)
    if frame["label"].is_unique and frame["source"].nunique() == 1:
        return [str(label) for label in frame["label"]]
    ids = frame[list(IDENTITY_COLUMNS)].itertuples(index=False)
    return [f"{source}/{time}/{label}" for source, time, label in ids]


def _is_measurement(frame: pd.DataFrame, name: str) -> bool:
    """Whether a column is a numeric feature, which belongs into the matrix."""
    is_known = name in (*IDENTITY_COLUMNS, *PLACE_COLUMNS)
    is_marked = name.startswith((GATE_PREFIX, SCORE_PREFIX))
    column = frame[name]
    if is_known or is_marked or column.dtype.kind not in "iuf":
        return False
    is_exact = column.dtype.kind == "f" or column.isna().all()
    return bool(is_exact or column.between(-_LARGEST_EXACT, _LARGEST_EXACT).fillna(True).all())


def _matrix(frame: pd.DataFrame, names: list[str]) -> npt.NDArray[np.float32]:
    columns = [frame[name].to_numpy(dtype=np.float32, na_value=np.nan) for name in names]
    return np.column_stack(columns) if columns else np.empty((len(frame), 0), np.float32)


def _with_text_as_categories(column: pd.Series[Any]) -> pd.Series[Any]:
    """Text as categories, since anndata writes no text with missing values.

    The categories are objects: some releases of anndata cannot write the text of pandas 3.
    """
    import pandas as pd

    if column.dtype != object:
        return column
    values = sorted({each for each in column if each is not None})
    kind = pd.CategoricalDtype(pd.Index(values, dtype=object))
    return column.astype(kind)


def _region_names(frame: pd.DataFrame, regions: Regions) -> pd.Series[str]:
    """The labels element that each row annotates."""
    import pandas as pd

    pairs = list(zip(frame["source"].astype(str), frame["frame"].tolist(), strict=True))
    names = pd.Series(
        [regions.get(pair, regions.get(pair[0], pair[0])) for pair in pairs], dtype=object
    )
    for name in sorted(set(names)):
        if not is_allowed(name):
            raise InvalidInputError(
                f"regions must be names of letters, digits, _, - and ., without __ at the "
                f"beginning; got {name!r}. Give the name of the labels element of this source in "
                "regions."
            )
    return names


def _check_instances(frame: pd.DataFrame, names: pd.Series[str]) -> None:
    import pandas as pd

    pairs = pd.DataFrame({"region": names.to_numpy(), "label": frame["label"].to_numpy()})
    repeated = pairs[pairs.duplicated()]
    if len(repeated):
        region, label = repeated.iloc[0]
        raise InvalidInputError(
            f"regions must differ for samples of the same label; got label {label} more than once "
            f"in {region!r}. Give each (source, frame) a region of its own."
        )
