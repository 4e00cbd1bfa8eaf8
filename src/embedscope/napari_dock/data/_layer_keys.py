"""The object of each row of a Labels layer's feature table, found by columns and checked.

napari joins by the column "index", or else takes row i for label i. Other programs use other names
for the labels, or have no row for the background: then every object would get its neighbour's row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.samples import LeftOut
from embedscope.samples.common import (
    KnownObjects,
    RowIds,
    check_different,
    matched_frames,
    unmatched,
)

if TYPE_CHECKING:
    import pandas as pd

# In lower case, without blanks and punctuation: "Object Number" is "objectnumber". The first name
# that a table has is used: those of napari, scikit-image and ImageJ, ilastik, CellProfiler.
_LABEL_NAMES = (
    "index",
    "label",
    "labels",
    "labelid",
    "labelimageoid",
    "labelimageid",
    "objectnumber",
    "objectid",
    "objectlabel",
    "cellid",
    "cellnumber",
    "celllabel",
    "nucleusid",
    "nucleiid",
    "instanceid",
    "segmentid",
    "maskid",
    "roiid",
    "object",
    "cell",
    "id",
)
_FRAME_NAMES = (
    "frame",
    "frames",
    "frameid",
    "frameindex",
    "framenumber",
    "t",
    "time",
    "timepoint",
    "timestep",
    "timeindex",
    "imagenumber",
)
_OWN_NAMES = ("label", "frame", "source")  # columns of the samples' identities
_SIGNS = re.compile(r"[\W_]+")
_INDEX = _LABEL_NAMES[0]
BY_ROW = ""
"""Instead of a column: labels are row numbers; all frames share the rows."""


@dataclass(frozen=True)
class TableKeys:
    """The columns that name the object of each row.

    Attributes
    ----------
    label, frame : str or None
        Names of columns; None chooses one by the usual names. `BY_ROW` for the label is napari's
        rule that row i is label i; for the frame, that a row belongs to its object in all frames.
    only_named : bool
        Leave out objects of the image that have no row.
    """

    label: str | None = None
    frame: str | None = None
    only_named: bool = False


AUTOMATIC = TableKeys()


@dataclass(frozen=True, eq=False)
class ObjectTable:
    """The features of a layer's objects, row by row.

    Attributes
    ----------
    table : DataFrame
        All rows and columns of the layer, with the object of each row in "label" and, unless all
        frames share the rows, in "frame", numbered as in the image.
    notes : tuple of LeftOut
        What was corrected, and what has no counterpart.
    """

    table: pd.DataFrame
    notes: tuple[LeftOut, ...]


def plain_features(layer: Any) -> pd.DataFrame | None:
    """The feature table with unique strings as column names; None if it is empty."""
    features = layer.features
    if features is None or features.shape[0] == 0 or features.shape[1] == 0:
        return None
    named = features.set_axis([str(name) for name in features.columns], axis=1)
    return named.loc[:, ~named.columns.duplicated()].reset_index(drop=True)


def id_columns(table: pd.DataFrame) -> list[str]:
    """Columns that could name the object of each row: they hold whole numbers of 0 or more."""
    return [str(name) for name in table if not _problem(table[name])]


def found_keys(table: pd.DataFrame, keys: TableKeys = AUTOMATIC) -> TableKeys:
    """The keys with each None replaced by a column or `BY_ROW`.

    Parameters
    ----------
    table : DataFrame
        As `plain_features` returns it.
    keys : TableKeys

    Returns
    -------
    TableKeys
    """
    frame, label = keys.frame, keys.label
    if frame is None:
        offered = _named(table, _FRAME_NAMES)
        frame = next((name for name in offered if name != label and not _problem(table[name])), "")
    if label is None:
        offered = _named(table, _LABEL_NAMES)
        label = next((name for name in offered if not _reason_against(table, name, frame)), "")
    return TableKeys(label, frame)


def named_table(table: pd.DataFrame, keys: TableKeys) -> pd.DataFrame:
    """The table without its keys; columns named like a part of an identity are renamed.

    Parameters
    ----------
    table : DataFrame
    keys : TableKeys
        As `found_keys` returns them.

    Returns
    -------
    DataFrame
    """
    others = table.drop(columns=[name for name in (keys.label, keys.frame) if name in table])
    return others.rename(columns={name: f"{name} (feature)" for name in _OWN_NAMES})


def object_table(layer: Any, keys: TableKeys, objects: KnownObjects) -> ObjectTable:
    """Find the object of each row, and check it against the objects of the image.

    Parameters
    ----------
    layer : napari.layers.Labels
        With features.
    keys : TableKeys
        As chosen.
    objects : KnownObjects
        The objects of the layer.

    Returns
    -------
    ObjectTable

    Raises
    ------
    InvalidInputError
        If the object of a row cannot be determined.
    """
    table = plain_features(layer)
    if table is None:
        raise InvalidInputError(
            f"the layer must have features; got none in {layer.name!r}. Measure the objects first, "
            "or embed their pixels."
        )
    found = found_keys(table, keys)
    if keys.label is None:
        _check_index(table, found, layer.name)
    ids = _row_ids(table, found, layer.name)
    named = named_table(table, found)
    if keys.frame == BY_ROW:  # the user chose that the rows hold in all frames
        zeros = np.zeros(len(ids.labels), np.int64)
        check_different(ids, zeros)
        labels = np.unique(objects.label)
        once = KnownObjects(objects.name, np.zeros(len(labels), np.int64), labels, 1)
        matched_frames(ids, once)
        made = ObjectTable(named.assign(label=ids.labels), unmatched(ids, zeros, once))
    else:
        frames, notes = matched_frames(ids, objects)
        notes += unmatched(ids, frames, objects)
        made = ObjectTable(named.assign(frame=frames, label=ids.labels), notes)
    if keys.label is None:
        _check_sole(table, ids, objects)
    return made


def _row_ids(table: pd.DataFrame, keys: TableKeys, layer_name: str) -> RowIds:
    assert keys.label is not None  # set by found_keys
    assert keys.frame is not None
    frames = _whole(table, keys.frame) if keys.frame else None
    frames_from = f"column {keys.frame!r}" if keys.frame else ""
    if keys.label:
        return RowIds(_whole(table, keys.label), frames, f"column {keys.label!r}", frames_from)
    if frames is not None and len(np.unique(frames)) > 1:
        raise InvalidInputError(
            f"the features of {layer_name!r} must have a column of labels beside the frames in "
            f"{keys.frame!r}; got none{_rejected(table, keys.frame)}. Choose it under Objects by."
        )
    numbers = np.arange(len(table), dtype=np.int64)
    found = f"the number of the row{_rejected(table, keys.frame)}"
    return RowIds(numbers, frames, found, frames_from)


def _check_index(table: pd.DataFrame, found: TableKeys, layer_name: str) -> None:
    """Refuse another column instead of an index of whole numbers: napari joins by the index.

    It is unknown which of the two holds the labels: a row of an object may be duplicated, and the
    other column may be a second numbering.
    """
    if _INDEX in (found.label, found.frame) or _INDEX not in table or _problem(table[_INDEX]):
        return
    assert found.frame is not None  # set by found_keys
    if reason := _reason_against(table, _INDEX, found.frame):
        raise InvalidInputError(
            f"{_INDEX!r} in the features of {layer_name!r}, by which napari joins them, must name "
            f"each object once; got a table where {reason}. Choose the column of the labels under "
            f"Objects by, or correct or drop {_INDEX!r}."
        )


def _check_sole(table: pd.DataFrame, ids: RowIds, objects: KnownObjects) -> None:
    """Refuse labels that only count the rows if another column may hold the labels."""
    import pandas as pd

    if not np.array_equal(ids.labels, np.arange(len(table))):
        return
    labels, usual = np.unique(objects.label), _named(table, _LABEL_NAMES)
    for name in table:
        # Text and missing values become NaN: only positive numbers could be labels.
        values = pd.to_numeric(table[name].astype(object), errors="coerce").to_numpy()
        is_text = values.dtype.kind not in "uif" or not (values > 0).any()
        if is_text or np.array_equal(values, ids.labels):
            continue
        own, n_each = np.unique(values[values > 0], return_counts=True)
        n_found = int(np.isin(own, labels).sum())
        is_class = 3 * len(own) <= n_each.sum()
        fits = 2 * n_found >= len(own) or n_found == len(labels)
        fits = fits and 2 * len(own) >= n_each.sum()
        # napari joins by an index, whatever it holds.
        if name == _INDEX or (not is_class if name in usual else fits):
            raise InvalidInputError(
                f"a table for {objects.name!r} must have one column of labels; got "
                f"{ids.labels_from}, which only counts the rows, and {name!r}, which holds "
                f"{n_found} of {counted(len(labels), 'label')}. Choose one under Objects by; "
                f"correct {name!r} first if it is not offered there."
            )


def _rejected(table: pd.DataFrame, frame: str) -> str:
    """Why columns with a usual name were not used, in brackets."""
    reasons = (_reason_against(table, name, frame) for name in _named(table, _LABEL_NAMES))
    said = "; ".join(filter(None, reasons))
    return f" ({said})" if said else ""


def _named(table: pd.DataFrame, known: Sequence[str]) -> list[str]:
    """Columns of the table with a known name, in the order of the known names."""
    plain = {str(name): _SIGNS.sub("", str(name).lower()) for name in table}
    return [name for each in known for name, bare in plain.items() if bare == each]


def _reason_against(table: pd.DataFrame, name: str, frame: str) -> str:
    """Why a column cannot hold the labels, as a sentence; "" if it can."""
    problem = _problem(table[name])
    if problem or name == frame:
        return f"{name!r} holds {problem or 'the frames'}"
    own = table[table[name] > 0]
    is_repeated = own.duplicated([name, frame] if frame else [name]).any()
    return f"{name!r} repeats labels{' within frames' if frame else ''}" if is_repeated else ""


def _problem(column: pd.Series[Any]) -> str:
    """What a column holds besides whole numbers of 0 or more; "" if nothing."""
    from pandas.api import types

    if (
        not types.is_numeric_dtype(column)
        or types.is_bool_dtype(column)
        or types.is_complex_dtype(column)
    ):
        is_text = types.is_object_dtype(column) or types.is_string_dtype(column)
        return "text" if is_text else str(column.dtype)
    if column.isna().any():
        return "missing values"
    numbers = column.to_numpy()
    if numbers.min() < 0:
        return "negative numbers"
    if numbers.dtype.kind != "f":
        return "numbers beyond 2**63 - 1" if int(numbers.max()) > np.iinfo(np.int64).max else ""
    if (numbers != np.floor(numbers)).any():
        return "fractions"
    return "numbers that a float cannot hold exactly" if numbers.max() > 2**53 else ""


def _whole(table: pd.DataFrame, name: str) -> npt.NDArray[np.int64]:
    problem = _problem(table[name]) if name in table else "nothing: there is no such column"
    if problem:
        raise InvalidInputError(
            f"column {name!r} must hold whole numbers of 0 or more to name the object of each row; "
            f"got {problem}. Choose another column."
        )
    return table[name].to_numpy().astype(np.int64)
