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
from embedscope.samples.common._column_names import checked_columns
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
from embedscope.samples.common._standardising import standardise as standardised
from embedscope.samples.identity._identity import Identities
from embedscope.samples.identity._labels import LabelArray, is_background
from embedscope.samples.identity._source import Source, has_background
from embedscope.samples.images._locating import known_objects
from embedscope.samples.tables._columns import numbers_of, numeric_columns
from embedscope.samples.tables._rows import TableRows, read_rows

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]

_UNNAMED = "table"  # the default name of a source


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
    source_column : str or None
        The column of sources; None if all rows are of one source.
    name_column : str or None
        The feature that holds the names of the rows, if the table had them as its index beside a
        column of labels.
    """

    kind: ClassVar[str] = "table"
    columns: tuple[str, ...]
    means: tuple[float, ...] | None = None
    deviations: tuple[float, ...] | None = None
    label_column: str | None = None
    frame_column: str | None = None
    source_column: str | None = None
    name_column: str | None = None


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
            self.recipe,
            means=scaled,
            deviations=scaled,
            label_column=None,
            frame_column=None,
            source_column=None,
            name_column=None,
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
    frame: Any,
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
    frame : pandas.DataFrame or AnnData
        One row for each sample. Of an AnnData object, the columns of X are learned from, and those
        of obs are further features. A table that an explorer exported gives the same samples.
    columns : sequence of str, optional
        The columns to learn from. If None, all columns of varying numbers; the others are listed
        in `left_out`, with the reason, and so are columns that number objects or classes, by the
        names that common programs give them.
    standardise : bool
        Whether to scale each column to mean 0 and standard deviation 1.
    source : str or Source
        The name of this source, part of every sample's identity; or the source of the labelled
        image that the table describes, whose labels the rows then belong to. If the table has
        the columns "source" and "label", as exported tables do, "source" holds the names, unless
        all rows are of one source and a name is given here.
    label_column : str, optional
        The column with the label of each row: whole numbers or text, as the table holds them. If
        None, "label", or else one with a known name whose values all differ, such as CellProfiler's
        "ObjectNumber" or QuPath's "Object ID", or else the table's index. Of an AnnData object,
        `obs_names`, or the instance key of a SpatialData table. If a column holds the labels, an
        index of names becomes a column of `features`.
    frame_column : str, optional
        The column with the frame of each row. If None, "frame", or else one with a known name, such
        as CellProfiler's "ImageNumber", or else all rows are frame 0.

    Returns
    -------
    Samples
        In the order of the table. `features` holds all columns but those of the identities. Rows
        with NaN or infinite values in the columns to learn from are left out, and so is a row of
        label 0, the background.

    Raises
    ------
    InvalidInputError
        If the table is empty or no DataFrame, a column is missing or not numeric, labels are
        neither whole numbers nor text, or not unique within a frame, or no row or column is left.
    """
    rows = read_rows(frame, source, label_column, frame_column)
    columns = rows.columns if columns is None else columns
    if columns is None:
        names, left_out = numeric_columns(rows.features, rows.own)
    else:
        names, left_out = _checked(rows.features, columns), ()
    recipe = TableRecipe(
        names,
        label_column=rows.keys.label,
        frame_column=rows.keys.frame,
        source_column=rows.keys.source,
        name_column=rows.name_column,
    )
    return _follow(recipe, rows, source, rows.notes + left_out, measure=standardise)


def table_same_way(recipe: TableRecipe, frame: Any, *, source: str | Source = "table") -> Samples:
    """Choose and standardise the columns of another table as those of the first one."""
    rows = read_rows(frame, source, recipe.label_column, recipe.frame_column)
    _checked(rows.features, recipe.columns)
    used = replace(
        recipe,
        label_column=rows.keys.label,
        frame_column=rows.keys.frame,
        source_column=rows.keys.source,
        name_column=rows.name_column,
    )
    return _follow(used, rows, source, (), measure=False)


def place_of_rows(samples: Samples, frame: Any) -> npt.NDArray[np.float64] | None:
    """The positions that a table states for samples that were made from it.

    Parameters
    ----------
    samples : Samples
        Made of `frame` by `samples_from_table`, with its defaults.
    frame : DataFrame or AnnData

    Returns
    -------
    ndarray of shape (n_samples, 2) or None
        None if the table is of no map.
    """
    rows = read_rows(frame, "table", None, None)
    if rows.places is None:
        return None
    kept = _kept_rows(numbers_of(rows.features, samples.feature_names), rows, "table")
    return rows.places[kept]


def _follow(
    recipe: TableRecipe,
    rows: TableRows,
    source: str | Source,
    left_out: tuple[LeftOut, ...],
    *,
    measure: bool,
) -> Samples:
    """Make samples by the recipe; `measure` says whether its standardisation is measured first."""
    ids = rows.ids
    numbers = numbers_of(rows.features, recipe.columns)
    kept = _kept_rows(numbers, rows, source)
    names, sources = _sources(rows, source)
    frames, notes = _joined(ids, kept, names[kept], sources)
    if measure or recipe.means is not None:
        table, means, deviations = standardised(numbers[kept], recipe.means, recipe.deviations)
        recipe = replace(recipe, means=means, deviations=deviations)
    else:
        table = numbers[kept].astype(np.float32)
    return Samples(
        identities=Identities(tuple(sources), names[kept], frames, ids.labels[kept]),
        sources=sources,
        recipe=recipe,
        table=table,
        feature_names=recipe.columns,
        features=rows.without_own(recipe.columns)[kept].reset_index(drop=True),
        left_out=left_out + _rows_left_out(kept, finite_rows(numbers), ids.labels) + notes,
    )


def _sources(
    rows: TableRows, source: str | Source
) -> tuple[npt.NDArray[np.intp], dict[str, Source]]:
    """The index of each row's source, and the sources."""
    if isinstance(source, Source):
        return np.zeros(len(rows.features), np.intp), {source.name: source}
    names = [source]
    index = np.zeros(len(rows.features), np.intp)
    if rows.sources is not None:
        found = list(dict.fromkeys(rows.sources))
        if len(found) > 1 or source == _UNNAMED:
            number = {name: place for place, name in enumerate(found)}
            names, index = found, np.array([number[name] for name in rows.sources], np.intp)
    return index, {name: Source(name=name, kind="table") for name in names}


def _joined(
    ids: RowIds,
    kept: npt.NDArray[np.bool_],
    names: npt.NDArray[np.intp],
    sources: dict[str, Source],
) -> tuple[npt.NDArray[np.int64], tuple[LeftOut, ...]]:
    """The frames of the kept rows, checked against the labels if the source has them."""
    source = next(iter(sources.values()))
    if source.kind != "labels" or source.labels is None:
        own = rows_of(ids, kept)
        frames = np.zeros(len(own.labels), np.int64) if own.frames is None else own.frames
        check_different(own, frames, names)
        return frames, ()
    objects = known_objects(source)
    asked = kept | is_background(ids.labels)  # a background row says that labels count from 0
    frames, notes = matched_frames(rows_of(ids, asked), objects)
    frames = frames[kept[asked]]
    return frames, notes + unmatched(rows_of(ids, kept), frames, objects)


def _kept_rows(values: FloatArray, rows: TableRows, source: str | Source) -> npt.NDArray[np.bool_]:
    kept = finite_rows(values)
    is_linked = isinstance(source, Source) and has_background(source)
    if is_linked or not rows.zero_is_object:
        is_object = ~is_background(rows.ids.labels)
        kept &= is_object
        if not is_object.any():
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
    kept: npt.NDArray[np.bool_], is_finite: npt.NDArray[np.bool_], labels: LabelArray
) -> tuple[LeftOut, ...]:
    lost = labels[~kept]
    if len(lost) == 0:
        return ()
    shown = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
    reasons = [] if is_finite.all() else ["missing or infinite values"]
    if (is_finite & ~kept).any():
        reasons.append("the background")
    reason = f"{', or '.join(reasons)} (labels {shown})"
    return (LeftOut(counted(len(lost), "row"), reason),)


def _checked(features: pd.DataFrame, columns: str | Sequence[str]) -> tuple[str, ...]:
    return checked_columns(features, columns, parameter="columns", of="columns of the table")
