"""Samples from a table: each row is a sample, numeric columns are what a network learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope._wording import counted
from embedscope.samples.common._checks import finite_rows
from embedscope.samples.common._kind import Kind
from embedscope.samples.common._matching import (
    RowIds,
    check_different,
    matched_frames,
    rows_of,
    unmatched,
)
from embedscope.samples.common._recipe import Recipe
from embedscope.samples.common._samples import LeftOut, Samples
from embedscope.samples.identity._identity import Identities
from embedscope.samples.identity._source import Source, has_background
from embedscope.samples.images._locating import known_objects
from embedscope.samples.tables._columns import (
    checked_columns,
    checked_frame,
    identity_column,
    numbered_rows,
    numbers_of,
    numeric_columns,
    row_ids,
)
from embedscope.samples.tables._standardising import standardise as standardised

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TableRecipe(Recipe):
    """Columns of a table.

    Attributes
    ----------
    columns : tuple of str
        The columns to learn from, in order.
    means, deviations : tuple of float or None
        Mean and standard deviation of each column that become 0 and 1; None if columns stay
        unchanged.
    label_column, frame_column : str or None
        The columns of labels and frames; None for the table's index, and for frame 0.
    """

    kind: ClassVar[str] = "table"
    columns: tuple[str, ...]
    means: tuple[float, ...] | None = None
    deviations: tuple[float, ...] | None = None
    label_column: str | None = None
    frame_column: str | None = None


class TableKind(Kind[TableRecipe], recipe=TableRecipe):
    """Rows of a table, as `samples_from_table` makes them."""

    def repeat(self, samples: Samples, data: Any, labels: Any, **options: Any) -> Samples:
        """Take the same columns of another table."""
        self.refuse_labels(labels)
        return table_same_way(self.recipe, data, **options)

    def comparable(self) -> TableRecipe:
        """The columns of identities may differ, and the means and deviations, if there are any."""
        scaled = None if self.recipe.means is None else ()
        return replace(
            self.recipe, means=scaled, deviations=scaled, label_column=None, frame_column=None
        )

    def scale_values(self, samples: Samples) -> tuple[Any, ...]:
        """Means and deviations of the columns."""
        return (self.recipe.means, self.recipe.deviations)

    def measure_scale_again(self, joined: Samples) -> Samples:
        """Standardise the columns over all rows."""
        if self.recipe.means is None:
            return joined
        numbers = numbers_of(joined.features, self.recipe.columns)
        table, means, deviations = standardised(numbers)
        recipe = replace(self.recipe, means=means, deviations=deviations)
        return replace(joined, table=table, recipe=recipe)


def samples_from_table(
    frame: pd.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    standardise: bool = True,
    source: str | Source = "table",
    label_column: str | None = None,
    frame_column: str | None = None,
) -> Samples:
    """Make a sample of every row of a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row for each sample.
    columns : sequence of str, optional
        The columns to learn from. If None, all columns of varying numbers; the others are listed
        in `left_out`, with the reason.
    standardise : bool
        Whether to scale each column to mean 0 and standard deviation 1.
    source : str or Source
        The name of this source, part of every sample's identity; or the source of the labelled
        image that the table describes, whose labels the rows then belong to.
    label_column : str, optional
        The column with the label of each row. If None, "label", or else the table's index. If that
        is of names, as in AnnData, rows are numbered from 0, and the names become a column of
        `features`.
    frame_column : str, optional
        The column with the frame of each row. If None, "frame", or else all rows are frame 0.

    Returns
    -------
    Samples
        In the order of the table. `features` holds all columns. Rows with NaN or infinite values in
        the columns to learn from are left out, and so is a row of label 0, the background.

    Raises
    ------
    InvalidInputError
        If the table is empty or no DataFrame, a column is missing or not numeric, labels are not
        unique integers within a frame, or no row or column is left.
    """
    frame = checked_frame(frame)
    label_column = identity_column(frame, label_column, "label_column", "label")
    frame = numbered_rows(frame, label_column, source)
    frame_column = identity_column(frame, frame_column, "frame_column", "frame")
    if columns is None:
        names, left_out = numeric_columns(frame, (label_column, frame_column))
    else:
        names, left_out = checked_columns(frame, columns), ()
    recipe = TableRecipe(names, label_column=label_column, frame_column=frame_column)
    return _follow(recipe, frame, source, left_out, measure=standardise)


def table_same_way(
    recipe: TableRecipe, frame: pd.DataFrame, *, source: str | Source = "table"
) -> Samples:
    """Choose and standardise the columns of another table as those of the first one."""
    frame = checked_frame(frame)
    checked_columns(frame, recipe.columns)
    label_column = identity_column(frame, recipe.label_column, "label_column", "label")
    frame = numbered_rows(frame, label_column, source)
    used = replace(
        recipe,
        label_column=label_column,
        frame_column=identity_column(frame, recipe.frame_column, "frame_column", "frame"),
    )
    return _follow(used, frame, source, (), measure=False)


def _follow(
    recipe: TableRecipe,
    frame: pd.DataFrame,
    source: str | Source,
    left_out: tuple[LeftOut, ...],
    *,
    measure: bool,
) -> Samples:
    """Make samples by the recipe; `measure` says whether its standardisation is measured first."""
    _check_linked(frame, recipe, source)
    made_from = source if isinstance(source, Source) else Source(name=source, kind="table")
    ids = row_ids(frame, recipe.label_column, recipe.frame_column)
    numbers = numbers_of(frame, recipe.columns)
    shows_objects = has_background(made_from) or recipe.label_column is not None
    kept = _kept_rows(numbers, ids.labels, zero_is_background=shows_objects)
    frames, notes = _joined(ids, kept, made_from)
    if measure or recipe.means is not None:
        table, means, deviations = standardised(numbers[kept], recipe.means, recipe.deviations)
        recipe = replace(recipe, means=means, deviations=deviations)
    else:
        table = numbers[kept].astype(np.float32)
    return Samples(
        identities=Identities.of(made_from.name, ids.labels[kept], frames),
        sources={made_from.name: made_from},
        recipe=recipe,
        table=table,
        feature_names=recipe.columns,
        features=frame[kept].reset_index(drop=True),
        left_out=left_out + _rows_left_out(kept, ids.labels) + notes,
    )


def _joined(
    ids: RowIds, kept: npt.NDArray[np.bool_], source: Source
) -> tuple[npt.NDArray[np.int64], tuple[LeftOut, ...]]:
    """The frames of the kept rows, checked against the labels if the source has them."""
    if source.kind != "labels" or source.labels is None:
        own = rows_of(ids, kept)
        frames = np.zeros(len(own.labels), np.int64) if own.frames is None else own.frames
        check_different(own, frames)
        return frames, ()
    objects = known_objects(source)
    asked = kept | (ids.labels == 0)  # a background row says that labels count from 0
    frames, notes = matched_frames(rows_of(ids, asked), objects)
    frames = frames[kept[asked]]
    return frames, notes + unmatched(rows_of(ids, kept), frames, objects)


def _check_linked(frame: pd.DataFrame, recipe: TableRecipe, source: str | Source) -> None:
    """Raise if the table does not say which object of an image a row describes."""
    import pandas as pd

    if not isinstance(source, Source):
        return
    numbered = isinstance(frame.index, pd.RangeIndex) and frame.index.start == 0
    if recipe.label_column is None and numbered:
        raise InvalidInputError(
            f"label_column must be given for a table of the objects in {source.name!r}; got None, "
            "and the table's index only counts rows. Name the column that holds the labels."
        )
    if recipe.frame_column is None and "t" in source.axes:
        raise InvalidInputError(
            f"frame_column must be given for a table of the time series {source.name!r}; got None. "
            "Name the column that holds the frames."
        )


def _kept_rows(
    values: FloatArray, labels: npt.NDArray[np.int64], *, zero_is_background: bool
) -> npt.NDArray[np.bool_]:
    kept = finite_rows(values)
    if zero_is_background:
        kept &= labels != 0
        if not labels.any():
            raise InvalidInputError(
                "frame must have a row of an object; got label 0, the background, in every row. "
                "Name the column that holds the labels with label_column."
            )
    if not kept.any():
        raise InvalidInputError(
            "frame must have a row without missing values; got NaN or infinite values in every "
            "row. Leave out the columns that hold them with columns=[...]."
        )
    return kept


def _rows_left_out(
    kept: npt.NDArray[np.bool_], labels: npt.NDArray[np.int64]
) -> tuple[LeftOut, ...]:
    lost = labels[~kept]
    if len(lost) == 0:
        return ()
    shown = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
    reason = f"missing or infinite values, or the background (labels {shown})"
    return (LeftOut(counted(len(lost), "row"), reason),)
