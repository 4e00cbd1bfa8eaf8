"""Samples from the feature table of a Labels or Points layer: one row per object or point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.napari_dock.data._layer_keys import (
    AUTOMATIC,
    BY_ROW,
    TableKeys,
    found_keys,
    named_table,
    object_table,
    plain_features,
)
from embedscope.napari_dock.data._layer_places import affine_of, axes_of, declared_axis, finest_of
from embedscope.napari_dock.data._proxies import layer_class
from embedscope.samples import (
    LeftOut,
    Recipe,
    Samples,
    Source,
    TableRecipe,
    samples_from_table,
)
from embedscope.samples.images import known_objects, locate_objects, objects_of

if TYPE_CHECKING:
    import pandas as pd

POINT_COLUMN = "point"  # number of a point in its layer, from 1: 0 is the background


def samples_of_features(
    layer: Any, columns: Sequence[str] | None, third_axis: str = "", keys: TableKeys = AUTOMATIC
) -> Samples:
    """Make a sample from every row of a layer's feature table.

    Parameters
    ----------
    layer : napari.layers.Labels or napari.layers.Points
    columns : sequence of str or None
        Columns to train on; all numeric ones if None.
    third_axis : {"t", "z", ""}
        As `axes_of` takes it.
    keys : TableKeys
        Which columns of a Labels layer name the object of each row.

    Returns
    -------
    Samples
        Each identified by its label, or by the number of its point in the layer from 1, so that the
        image and the map stay linked.

    Raises
    ------
    InvalidInputError
        If the layer has no features, or the object of a row cannot be determined.
    """
    chosen = None if columns is None else list(columns)

    def make(table: pd.DataFrame, source: Source) -> Samples:
        label_column = POINT_COLUMN if is_points(layer) else "label"
        return samples_from_table(table, columns=chosen, source=source, label_column=label_column)

    return _made(layer, third_axis, keys, layer.name, make)


def features_same_way(
    samples: Samples, layer: Any, source: str | None = None, keys: TableKeys = AUTOMATIC
) -> Samples:
    """Make samples from another layer's features in the same way as these.

    Parameters
    ----------
    samples : Samples
        Made from a table.
    layer : napari.layers.Labels or napari.layers.Points
    source : str, optional
        Name of the source; the layer's name if left out.
    keys : TableKeys
        Which columns of a Labels layer name the object of each row.

    Returns
    -------
    Samples

    Raises
    ------
    InvalidInputError
        If the layer has no features or not the same columns, or the object of a row cannot be
        determined.
    """
    is_film = any("t" in each.axes for each in samples.sources.values())
    # Whatever the columns of the first table were called: `_made` uses these names.
    label_column = POINT_COLUMN if is_points(layer) else "label"
    recipe = cast(TableRecipe, samples.recipe)
    known = replace(samples, recipe=replace(recipe, label_column=label_column, frame_column=None))

    def make(table: pd.DataFrame, made_from: Source) -> Samples:
        return known.same_way(table, source=made_from)

    return _made(layer, "t" if is_film else "z", keys, source or layer.name, make)


def numeric_features(layer: Any, keys: TableKeys = AUTOMATIC) -> list[str]:
    """Names of the numeric columns that are not keys.

    Parameters
    ----------
    layer : napari.layers.Labels, napari.layers.Points or None
    keys : TableKeys
        Which columns of a Labels layer name the object of each row.

    Returns
    -------
    list of str
    """
    table = None if layer is None else plain_features(layer)
    if table is None:
        return []
    if is_points(layer):
        own = table.drop(columns=["frame", "index"], errors="ignore")
    else:
        own = named_table(table, found_keys(table, keys))
    return [str(name) for name in own.select_dtypes("number").columns]


def with_known(samples: Samples, labels: Any, keys: TableKeys = AUTOMATIC) -> Samples:
    """Join the features of a Labels layer, by label and, if the table has frames, by frame.

    Parameters
    ----------
    samples : Samples
        The layer's objects.
    labels : napari.layers.Labels
    keys : TableKeys
        Which columns name the object of each row.

    Returns
    -------
    Samples
        If the object of a row cannot be determined, nothing is joined, and `left_out` says why.

    Raises
    ------
    InvalidInputError
        If the user chose the columns, and they do not fit.
    """
    if plain_features(labels) is None:
        return samples
    (source,) = samples.sources.values()
    try:
        known = object_table(labels, keys, known_objects(source))
    except InvalidInputError as error:
        if keys != AUTOMATIC:
            raise
        return _noted(samples, LeftOut(f"features of {labels.name}", str(error)))
    table = known.table
    who = [name for name in ("frame", "label") if name in table]
    taken = [name for name in table if name in samples.features]
    new = [name for name in table if name not in {*who, *taken}]
    joined = samples.identities.to_frame().merge(table[who + new], on=who, how="left")
    measured = (LeftOut(f"column {name!r} of {labels.name}", "is measured anew") for name in taken)
    return _noted(
        samples.with_features(**{str(name): joined[name].array for name in new}),
        *known.notes,
        *measured,
    )


def is_points(layer: Any) -> bool:
    """Whether it is a Points layer."""
    return layer_class(layer) == "Points"


def _made(
    layer: Any,
    third_axis: str,
    keys: TableKeys,
    name: str,
    make: Callable[[pd.DataFrame, Source], Samples],
) -> Samples:
    """Make samples from a layer's table, with the identity and the position of each."""
    features = plain_features(layer)
    if features is None:
        raise InvalidInputError(
            f"the layer must have features; got none in {layer.name!r}. Measure the objects first, "
            "or embed their pixels."
        )
    if is_points(layer):
        return _placed(make(*_table_of_points(layer, third_axis, name)), layer)
    axes = axes_of(layer, third_axis or inferred_axis(layer, keys))
    source = Source(name, "labels", labels=finest_of(layer), axes=axes, affine=affine_of(layer))
    if "t" in axes and keys.frame == BY_ROW:
        raise InvalidInputError(
            f"the features of {layer.name!r}, a time series, must have a row for each object of "
            "each frame to be embedded; got rows that hold in all frames. Choose the column of the "
            'frames under "Frames by", or embed the objects themselves.'
        )
    found = objects_of(source)
    known = object_table(layer, keys, known_objects(source, found))
    # Without labels: `object_table` has checked the rows, with errors that name the columns.
    made = make(known.table, replace(source, labels=None))
    used = found_keys(features, keys)
    recipe = replace(
        cast(TableRecipe, made.recipe),
        label_column=used.label or None,
        frame_column=used.frame or None,
    )
    located = locate_objects(replace(made, sources={name: source}, recipe=recipe), found)
    return _noted(located, *known.notes)


def chosen_keys(recipe: Recipe, layer: Any) -> TableKeys:
    """The columns by which samples of a table were joined, if a layer has them."""
    table = None if is_points(layer) else plain_features(layer)
    if table is None or not isinstance(recipe, TableRecipe):
        return AUTOMATIC
    label, frame = (
        name if name in table else None for name in (recipe.label_column, recipe.frame_column)
    )
    return TableKeys(label, frame)


def key_columns(layer: Any, keys: TableKeys) -> tuple[str, ...]:
    """The columns of a layer's features that name the object of each row, if any."""
    table = None if is_points(layer) else plain_features(layer)
    if table is None:
        return ()
    found = found_keys(table, keys)
    return tuple(name for name in (found.label, found.frame) if name)


def inferred_axis(layer: Any, keys: TableKeys = AUTOMATIC) -> str:
    """Whether the first of a layer's three axes is time or depth.

    Parameters
    ----------
    layer : napari.layers.Layer
    keys : TableKeys
        Which columns of a Labels layer's features name the object of each row.

    Returns
    -------
    {"t", "z", ""}
        By the layer's own axis, or because its features have several frames.
    """
    declared = declared_axis(layer)
    if declared or layer_class(layer) != "Labels":
        return declared
    table = plain_features(layer)
    frame = "" if table is None else found_keys(table, keys).frame
    return "t" if table is not None and frame and table[frame].nunique() > 1 else ""


def _table_of_points(layer: Any, third_axis: str, name: str) -> tuple[pd.DataFrame, Source]:
    """The table of the points, where row i belongs to point i, whose number is i + 1."""
    features = plain_features(layer)
    assert features is not None  # checked by the caller
    named = named_table(features, TableKeys(BY_ROW, BY_ROW))
    table = named.assign(**{POINT_COLUMN: np.arange(1, len(features) + 1)})
    axes = axes_of(layer, third_axis)
    if "t" in axes:
        frames = np.round(np.asarray(layer.data)[:, axes.index("t")])
        table = table.assign(frame=frames.astype(np.int64))
    return table, Source(name, "table", axes=axes, affine=affine_of(layer))


def _noted(samples: Samples, *notes: LeftOut) -> Samples:
    return replace(samples, left_out=(*samples.left_out, *notes))


def _placed(samples: Samples, layer: Any) -> Samples:
    """The samples with the centre and the bounding box of each point."""
    (source,) = samples.sources.values()
    spatial = [place for place, axis in enumerate(source.axes) if axis != "t"]
    points = samples.identities.label - 1
    middles = np.asarray(layer.data, np.float64)[points][:, spatial]
    half = np.asarray(layer.size, np.float64)[points, np.newaxis] / 2
    low = np.floor(middles - half + 0.5)
    high = np.maximum(np.ceil(middles + half + 0.5), low + 1)
    return replace(
        samples, centroids=middles, bounding_boxes=np.hstack([low, high]).astype(np.int64)
    )
