"""Gates as layers and the map as columns, of objects, patches and points: each its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Points

from embedscope import Explorer
from embedscope._errors import InvalidInputError
from embedscope.napari_dock.data._layer_features import samples_of_features
from embedscope.napari_dock.data._layer_samples import samples_of_patches
from embedscope.napari_dock.layers._written_layers import add_gate_layers, write_feature_columns

HALF = [[-9, -9], [0, -9], [0, 9], [-9, 9]]  # all to the left of 0


def explored(samples) -> tuple[Explorer, np.ndarray]:
    """Samples on a map, with a gate, and which of them it holds."""
    explorer = Explorer(samples)
    positions = np.random.default_rng(0).normal(size=(len(samples), 2))
    explorer.place(positions)
    explorer.add_gate(HALF, "left", "#0072b2")
    return explorer, positions[:, 0] < 0


def points_layer() -> Points:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"a": rng.random(20), "b": rng.random(20), "name": list("xy") * 10})
    table.loc[4, "a"] = np.nan  # which cannot be learned, and is no sample
    return Points(rng.random((20, 3)) * 40, features=table, size=3, scale=(2, 1, 1), name="spots")


def test_gates_of_patches_lie_on_the_patches():
    film = np.random.default_rng(0).random((2, 40, 60), np.float32)
    layer = Image(film, name="stain", scale=(1, 3, 3))
    explorer, inside = explored(samples_of_patches([layer], 20, 20, "t"))
    viewer = ViewerModel()
    add_gate_layers(viewer, explorer, {"stain": layer})
    (made,) = viewer.layers
    assert isinstance(made, Labels)
    np.testing.assert_array_equal(made.data_to_world((1, 7, 8)), layer.data_to_world((1, 7, 8)))
    for row, identity in enumerate(explorer.samples.identities):
        y, x = divmod(identity.label - 1, 3)
        part = made.data[identity.frame, 20 * y : 20 * y + 20, 20 * x : 20 * x + 20]
        assert set(np.unique(part)) == {int(inside[row])}
    with pytest.raises(InvalidInputError, match="layer of the viewer"):
        write_feature_columns(explorer, {"stain": layer})


def test_gates_and_places_of_points_are_those_of_each_point():
    layer = points_layer()
    explorer, inside = explored(samples_of_features(layer, ["a", "b"], "z"))
    numbers = explorer.samples.identities.label - 1
    assert 4 not in numbers
    viewer = ViewerModel()
    add_gate_layers(viewer, explorer, {"spots": layer})
    (made,) = viewer.layers
    np.testing.assert_array_equal(made.data, layer.data[numbers[inside]])
    assert set(made.features["class"]) == {1}
    np.testing.assert_allclose(made.face_color[0] * 255, [0, 0x72, 0xB2, 255])
    np.testing.assert_array_equal(made.data_to_world((1, 2, 3)), layer.data_to_world((1, 2, 3)))
    assert write_feature_columns(explorer, {"spots": layer}) == ["spots"]
    table = layer.features
    np.testing.assert_allclose(
        table.loc[numbers, ["umap_1", "umap_2"]], explorer.embedding.positions, rtol=1e-6
    )
    assert table.loc[4, ["umap_1", "gate:left"]].isna().all()
    assert table["name"].tolist() == list("xy") * 10
    assert table.loc[numbers, "gate:left"].tolist() == inside.tolist()


def test_points_that_are_not_where_they_were_are_refused():
    layer = points_layer()
    explorer, _ = explored(samples_of_features(layer, ["a", "b"], "z"))
    layer.remove([2])
    before = layer.features.copy()
    for write in (
        lambda: write_feature_columns(explorer, {"spots": layer}),
        lambda: add_gate_layers(ViewerModel(), explorer, {"spots": layer}),
    ):
        with pytest.raises(InvalidInputError, match="must be where they were"):
            write()
    pd.testing.assert_frame_equal(layer.features, before)
