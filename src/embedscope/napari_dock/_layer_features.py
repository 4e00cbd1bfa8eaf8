"""From the feature table of a Labels or Points layer to samples: one row an object, or a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.napari_dock._layer_places import affine_of, axes_of, finest_of
from embedscope.samples import Samples, Source, samples_from_table
from embedscope.samples._locating import locate_objects

if TYPE_CHECKING:
    import pandas as pd

POINT_COLUMN = "point"  # the place of a point in its layer, from 1: 0 is the background


def samples_of_features(layer: Any, columns: Sequence[str] | None, third_axis: str) -> Samples:
    """Make a sample of every row of a layer's feature table.

    Parameters
    ----------
    layer : napari.layers.Labels or napari.layers.Points
    columns : sequence of str or None
        What to learn from; all that hold numbers if None.
    third_axis : {"t", "z"}

    Returns
    -------
    Samples
        Each known by its label, or by the place of its point in the layer from 1, so that the image
        and the map stay linked.

    Raises
    ------
    InvalidInputError
        If the layer has no features.
    """
    table, source = _table_of(layer, third_axis)
    chosen = None if columns is None else list(columns)
    samples = samples_from_table(
        table,
        columns=chosen,
        source=source,
        label_column=POINT_COLUMN if is_points(layer) else None,
    )
    return _placed(samples, layer)


def features_same_way(samples: Samples, layer: Any, source: str | None = None) -> Samples:
    """Make samples of another layer's features exactly as these were made.

    Parameters
    ----------
    samples : Samples
        Of a table.
    layer : napari.layers.Labels or napari.layers.Points
    source : str, optional
        Name of the source; that of the layer if left out.

    Returns
    -------
    Samples

    Raises
    ------
    InvalidInputError
        If the layer has no features, or not the same columns.
    """
    is_film = any("t" in each.axes for each in samples.sources.values())
    table, made_from = _table_of(layer, "t" if is_film else "z")
    named = replace(made_from, name=source or layer.name)
    return _placed(samples.same_way(table, source=named), layer)


def known_features(layer: Any) -> pd.DataFrame | None:
    """What a layer knows of its objects or points.

    Of labels, a column "label" or "index" says which row is whose; without one, napari's own rule
    holds: row i belongs to label i. Of points, row i belongs to point i, whose
    number is i + 1.

    Parameters
    ----------
    layer : napari.layers.Labels or napari.layers.Points

    Returns
    -------
    DataFrame or None
        With a column "label", without the background; of points with a column "point" instead.
        None if the layer knows nothing.
    """
    features = layer.features
    if features is None or features.shape[0] == 0 or features.shape[1] == 0:
        return None
    if is_points(layer):
        numbers = np.arange(1, len(features) + 1)
        return features.reset_index(drop=True).assign(**{POINT_COLUMN: numbers})
    if "label" in features:
        known = features.drop(columns="index", errors="ignore")
    elif "index" in features:
        known = features.rename(columns={"index": "label"})
    else:
        known = features.assign(label=np.arange(len(features)))
    return known[known["label"] > 0].reset_index(drop=True)


def numeric_features(layer: Any) -> list[str]:
    """Names of the columns that hold numbers and are not there to say whose row it is.

    Parameters
    ----------
    layer : napari.layers.Labels, napari.layers.Points or None

    Returns
    -------
    list of str
    """
    known = None if layer is None else known_features(layer)
    if known is None:
        return []
    ids = ("frame", "index", POINT_COLUMN if is_points(layer) else "label")
    return [str(name) for name in known.select_dtypes("number").columns if name not in ids]


def with_known(samples: Samples, labels: Any) -> Samples:
    """Join what a Labels layer knows, by label and, where the table says it, by frame.

    Parameters
    ----------
    samples : Samples
        Of the layer's objects.
    labels : napari.layers.Labels

    Returns
    -------
    Samples
    """
    known = known_features(labels)
    if known is None:
        return samples
    keys = ["frame", "label"] if "frame" in known else ["label"]
    if known.duplicated(keys).any():
        return samples  # which row is whose cannot be told, and a guess may be wrong
    new = [name for name in known if name not in {*keys, "frame", "source", *samples.features}]
    joined = samples.identities.to_frame().merge(known[keys + new], on=keys, how="left")
    return samples.with_features(**{str(name): joined[name].array for name in new})


def is_points(layer: Any) -> bool:
    """Whether it is a Points layer."""
    return type(layer).__name__ == "Points"


def _table_of(layer: Any, third_axis: str) -> tuple[pd.DataFrame, Source]:
    """The table, with whose row each is, and the source that its rows lie in."""
    known = known_features(layer)
    if known is None:
        raise InvalidInputError(
            f"the layer must have features; got none in {layer.name!r}. Measure the objects first, "
            "or embed their pixels."
        )
    # By the frames of labels it is plain what their first axis is.
    is_film = "frame" in known and not is_points(layer)
    axes = axes_of(layer, "t" if is_film else third_axis)
    affine = affine_of(layer)
    if not is_points(layer):
        return known, Source(
            layer.name, "labels", labels=finest_of(layer), axes=axes, affine=affine
        )
    if "t" in axes:
        frames = np.round(np.asarray(layer.data)[:, axes.index("t")])
        known = known.assign(frame=frames.astype(np.int64))
    return known, Source(layer.name, "table", axes=axes, affine=affine)


def _placed(samples: Samples, layer: Any) -> Samples:
    """With the middle and the extent of each object or point."""
    if not is_points(layer):
        return locate_objects(samples)
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
