"""Read a table of any kind: what identifies its rows, and what their features are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._matching import RowIds
from embedscope.samples.common._samples import LeftOut, NotLearned
from embedscope.samples.identity._labels import is_text
from embedscope.samples.identity._source import Source, has_background
from embedscope.samples.tables._annotated import INSTANCES, frame_of, is_annotated, map_of
from embedscope.samples.tables._columns import checked_frame, row_ids, with_names
from embedscope.samples.tables._exported import (
    IDENTITY_COLUMNS,
    PLACE_COLUMNS,
    exported_features,
    is_exported,
)
from embedscope.samples.tables._known_columns import (
    Keys,
    counts_from_zero,
    find_keys,
    with_written_index,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class TableRows:
    """The rows of a table, before columns are chosen.

    Attributes
    ----------
    features : DataFrame of n rows
        Columns under their own names; also `own`.
    own : tuple of str
        Those of `features` that hold identities.
    columns : list of str or None
        The columns to learn from, if the table states them.
    keys : Keys
        The columns that identify the rows.
    ids : RowIds
    sources : list of str or None
        The source of each row, if the table states it.
    name_column : str or None
        The feature that holds the names of the rows.
    zero_is_object : bool
        Whether label 0 is an object like any other.
    places : ndarray of shape (n, 2) or None
        Positions on a map, if the table states them.
    notes : tuple of LeftOut
        Columns that are no features, with the reason.
    """

    features: pd.DataFrame
    own: tuple[str, ...]
    columns: list[str] | None
    keys: Keys
    ids: RowIds
    sources: list[str] | None
    name_column: str | None
    zero_is_object: bool
    places: npt.NDArray[np.float64] | None
    notes: tuple[LeftOut, ...]

    def without_own(self, used: tuple[str, ...]) -> pd.DataFrame:
        """The features without columns of identities, unless they are learned from."""
        kept = [name not in self.own or name in used for name in self.features.columns]
        return self.features.loc[:, kept]


def read_rows(
    data: Any, source: str | Source, label_column: str | None, frame_column: str | None
) -> TableRows:
    """Read a table.

    Parameters
    ----------
    data : DataFrame or AnnData
    source, label_column, frame_column
        As in `samples_from_table`.

    Raises
    ------
    InvalidInputError
        If the data are no table, or its rows cannot be identified.
    """
    frame, columns = frame_of(data) if is_annotated(data) else (data, None)
    frame = checked_frame(frame)
    frame, written = with_written_index(frame)
    usual = label_column in (None, "label") and frame_column in (None, "frame")
    if is_exported(frame) and usual:
        return _exported_rows(frame, source)
    if label_column is None and _is_named(data, frame, source):
        keys = Keys(None, frame_column, None)
    else:
        keys = find_keys(frame, label_column, frame_column, source)
    frame, name_column = with_names(frame, keys.label)
    _check_linked(frame, keys, source)
    is_linked = isinstance(source, Source) and has_background(source)
    ids = row_ids(frame, keys.label, keys.frame, must_be_whole=is_linked)
    note = NotLearned(written, "the index of the table that was written, and the index again")
    return TableRows(
        features=frame,
        own=tuple(name for name in keys if name is not None),
        columns=columns,
        keys=keys,
        ids=ids,
        sources=None if keys.source is None else [str(each) for each in frame[keys.source]],
        name_column=name_column,
        zero_is_object=is_text(ids.labels) or counts_from_zero(keys.label),
        places=map_of(data) if is_annotated(data) else None,
        notes=(note,) if written else (),
    )


def _is_named(data: Any, frame: pd.DataFrame, source: str | Source) -> bool:
    """Whether the names of the rows of an annotated matrix identify them, not a column of obs."""
    if not is_annotated(data) or isinstance(source, Source) or INSTANCES in data.uns:
        return False
    return not all(name in frame.columns for name in IDENTITY_COLUMNS)


def _exported_rows(frame: pd.DataFrame, source: str | Source) -> TableRows:
    """The rows of a table that an explorer exported."""
    label, time, name = (IDENTITY_COLUMNS[place] for place in (2, 1, 0))
    is_linked = isinstance(source, Source)
    is_of_image = isinstance(source, Source) and has_background(source)
    features, left_out = exported_features(frame)
    return TableRows(
        features=features.reset_index(drop=True),
        own=(),
        columns=None,
        keys=Keys(label, time, None if is_linked else name),
        ids=row_ids(frame, label, time, must_be_whole=is_of_image),
        sources=None if is_linked else [str(each) for each in frame[name]],
        name_column=None,
        zero_is_object=True,
        places=frame[list(PLACE_COLUMNS)].to_numpy(np.float64),
        notes=left_out,
    )


def _check_linked(frame: pd.DataFrame, keys: Keys, source: str | Source) -> None:
    """Raise if the table does not say which object of an image a row describes."""
    import pandas as pd

    if not isinstance(source, Source):
        return
    numbered = isinstance(frame.index, pd.RangeIndex) and frame.index.start == 0
    if keys.label is None and numbered:
        raise InvalidInputError(
            f"label_column must be given for a table of the objects in {source.name!r}; got None, "
            "and the table's index only counts rows. Name the column that holds the labels."
        )
    if keys.frame is None and "t" in source.axes:
        raise InvalidInputError(
            f"frame_column must be given for a table of the time series {source.name!r}; got None. "
            "Name the column that holds the frames."
        )
