"""Writes gates into a new layer, and the map into columns of features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.napari_dock.data._layer_features import is_points
from embedscope.napari_dock.data._layer_keys import (
    AUTOMATIC,
    TableKeys,
    found_keys,
    object_table,
    plain_features,
)
from embedscope.napari_dock.data._layer_places import affine_of, finest_of
from embedscope.napari_dock.layers._coded_labels import CodedLabels
from embedscope.napari_dock.layers._label_rows import LabelRows
from embedscope.napari_dock.layers._patch_numbers import PatchNumbers
from embedscope.samples import Samples
from embedscope.samples.images import known_objects

if TYPE_CHECKING:
    import pandas as pd

_MOST_GATES = 255  # classes are uint8, and 0 is no gate


def add_gate_layers(viewer: Any, explorer: Explorer, layers: Mapping[str, Any]) -> list[str]:
    """Add a layer of the gates above each linked layer: class 1 is the first gate.

    For objects and patches, a Labels layer; for points, a Points layer with a feature "class". A
    sample in several gates gets the class of the last one, as on the map.

    Parameters
    ----------
    viewer : napari.Viewer
    explorer : Explorer
    layers : mapping of str to napari.layers.Layer
        By the names of the sources.

    Returns
    -------
    list of str
        Names of the new layers.

    Raises
    ------
    InvalidInputError
        If there is no gate, there are too many, no layer is linked, or points have changed.
    """
    _check_linked(layers)
    names = explorer.gates.names
    if not 0 < len(names) <= _MOST_GATES:
        raise InvalidInputError(
            f"gates must be 1..{_MOST_GATES} to become a layer; got {len(names)}. Draw one with "
            "the gate tool first."
        )
    frame = explorer.to_frame()
    classes = np.zeros(len(frame), np.uint8)
    for number, name in enumerate(names, start=1):
        classes[frame[f"gate:{name}"].to_numpy(bool)] = number
    return [
        _add_classes(viewer, explorer, source, layer, classes, names)
        for source, layer in layers.items()
    ]


def write_feature_columns(
    explorer: Explorer,
    layers: Mapping[str, Any],
    keys_of: Callable[[str], TableKeys] = lambda source: AUTOMATIC,
) -> list[str]:
    """Write the map and the gates into the features of each linked layer that has features.

    Parameters
    ----------
    explorer : Explorer
    layers : mapping of str to napari.layers.Layer
        Labels are joined by label, points by their number; images have no features.
    keys_of : callable
        ``keys_of(source)`` returns which columns of its layer name the object of each row.

    Returns
    -------
    list of str
        Names of the layers.

    Raises
    ------
    InvalidInputError
        If no layer with features is linked, points have changed, or the object of a row cannot be
        determined; then no layer is changed.
    """
    with_features = {name: each for name, each in layers.items() if hasattr(each, "features")}
    _check_linked(with_features)
    table = explorer.to_frame()
    new = ["umap_1", "umap_2", *(f"gate:{name}" for name in explorer.gates.names)]
    made = {}
    for source, layer in with_features.items():
        mine = table.loc[table["source"] == source, ["frame", "label", *new]]
        if is_points(layer):
            _check_points(explorer, source, layer)
            by_point = mine.set_index(mine["label"] - 1)[new].reindex(range(len(layer.data)))
            made[source] = layer.features.reset_index(drop=True).assign(**by_point)
        else:
            made[source] = _joined(explorer, source, layer, mine[["frame", "label", *new]], keys_of)
    for source, layer in with_features.items():
        layer.features = made[source]
    return [layer.name for layer in with_features.values()]


def _joined(
    explorer: Explorer,
    source: str,
    layer: Any,
    mine: pd.DataFrame,
    keys_of: Callable[[str], TableKeys],
) -> pd.DataFrame:
    """The layer's features with the new columns, and a new row for each object without one."""
    import pandas as pd

    table = plain_features(layer)
    if table is None:
        own = mine if mine["frame"].any() else mine.drop(columns="frame")
        return own.assign(index=own["label"]).reset_index(drop=True)
    assert explorer.samples is not None  # the map has samples
    made_from = replace(explorer.samples.sources[source], labels=finest_of(layer))
    keys = keys_of(source)
    known = object_table(layer, keys, known_objects(made_from)).table
    who = [name for name in ("frame", "label") if name in known]
    values = mine.drop_duplicates(who)
    found = known[who].merge(values, on=who, how="left").drop(columns=["frame", "label"])
    joined = table.assign(**{str(name): found[name].array for name in found})
    is_new = values.merge(known[who], on=who, how="left", indicator="is_in")["is_in"] == "left_only"
    added = values[is_new.to_numpy()]
    columns = found_keys(table, keys)
    label = columns.label or "index"  # joined by row number: napari's own column has it too
    if label not in joined:
        joined.insert(0, label, known["label"].to_numpy())
    if "index" not in joined:
        joined["index"] = joined[label]
    rows = added.drop(columns=["frame", "label"]).assign(**{label: added["label"]})
    if label != "index" and table.get("index", joined["index"]).equals(joined[label]):
        rows["index"] = added["label"]
    if columns.frame:
        # Numbered as in the table, which may begin with 1.
        rows[columns.frame] = added["frame"] + (table[columns.frame] - known["frame"]).iloc[0]
    return pd.concat([joined, rows], ignore_index=True) if len(rows) else joined


def _add_classes(
    viewer: Any,
    explorer: Explorer,
    source: str,
    layer: Any,
    classes: np.ndarray,
    names: tuple[str, ...],
) -> str:
    samples = explorer.samples
    assert samples is not None  # there are gates
    identities = samples.identities
    rows = np.flatnonzero(identities.source == identities.sources.index(source))
    colors = {number: explorer.gates[name].color for number, name in enumerate(names, start=1)}
    about = {
        "name": f"{layer.name} gates",
        "affine": affine_of(layer),
        "units": layer.units,
        "metadata": {"classes": dict(enumerate(names, start=1))},
    }
    if is_points(layer):
        _check_points(explorer, source, layer)
        in_gate = rows[classes[rows] > 0]
        made = _class_points(layer, identities.label[in_gate] - 1, classes[in_gate], colors, about)
    else:
        made = _class_labels(samples, source, layer, classes[rows], colors, about)
    viewer.add_layer(made)
    return str(made.name)


def _class_labels(
    samples: Samples,
    source: str,
    layer: Any,
    classes: np.ndarray,
    colors: Mapping[int, str],
    about: Mapping[str, Any],
) -> Any:
    from napari.layers import Labels

    identities, made_from = samples.identities, samples.sources[source]
    rows = np.flatnonzero(identities.source == identities.sources.index(source))
    known = LabelRows(identities.label[rows], identities.frame[rows])
    finest, grid = finest_of(layer), made_from.patch_grid
    labels = finest if grid is None else PatchNumbers(grid, finest.shape[: layer.ndim])
    frame_axis = made_from.axes.index("t") if "t" in made_from.axes else None
    coded = CodedLabels(labels, known, frame_axis)
    coded.set_codes(classes)
    clear: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    return Labels(np.asarray(coded), colormap=clear | dict(colors), **about)


def _class_points(
    layer: Any,
    points: np.ndarray,
    classes: np.ndarray,
    colors: Mapping[int, str],
    about: Mapping[str, Any],
) -> Any:
    from napari.layers import Points

    return Points(
        np.asarray(layer.data)[points],
        size=np.asarray(layer.size)[points],
        face_color=[colors[number] for number in classes.tolist()],
        features={"class": classes},
        ndim=layer.ndim,
        **about,
    )


def _check_points(explorer: Explorer, source: str, layer: Any) -> None:
    """Raise if points have moved: they cannot be matched to their samples."""
    samples = explorer.samples
    assert samples is not None  # the map has samples
    assert samples.centroids is not None  # points have them
    axes, identities = samples.sources[source].axes, samples.identities
    rows = np.flatnonzero(identities.source == identities.sources.index(source))
    points = identities.label[rows] - 1
    spatial = [place for place, axis in enumerate(axes) if axis != "t"]
    data = np.asarray(layer.data)
    is_there = layer.ndim == len(axes) and len(data) > points.max(initial=-1)
    if not is_there or not np.allclose(data[points][:, spatial], samples.centroids[rows]):
        raise InvalidInputError(
            f"the points of {source!r} must be where they were when they became samples; got "
            "other positions. Cut them again first."
        )


def _check_linked(layers: Mapping[str, Any]) -> None:
    if not layers:
        raise InvalidInputError(
            "samples must lie in a layer of the viewer that can hold this; got none. Open the "
            "layer that they came from."
        )
