"""Saved pictures look as napari shows the layers of their channels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from embedscope import Explorer
from embedscope._errors import InvalidInputError
from embedscope.napari_dock.data._data_choice import choice_of
from embedscope.napari_dock.data._layer_samples import (
    CropOptions,
    samples_of_objects,
    samples_of_patches,
    samples_same_way,
)
from embedscope.napari_dock.data._opened_layers import add_source_layers, read_session
from embedscope.napari_dock.data._previewing import preview_objects
from embedscope.napari_dock.layers._layer_display import display_of


@pytest.fixture
def viewer():
    return ViewerModel()


def squares():
    labels = np.zeros((20, 40), np.int32)
    labels[6:14, 6:14], labels[6:14, 26:34] = 3, 8
    return labels


def two_channels(viewer):
    labels = squares()
    layers = [
        viewer.add_image(
            np.where(labels == 3, 100, np.where(labels == 8, 200, 0)).astype(np.uint16),
            name="DNA",
            colormap="magenta",
            contrast_limits=(0, 400),
        ),
        viewer.add_image(
            (labels > 0) * np.uint16(1000),
            name="actin",
            colormap="green",
            contrast_limits=(0, 2000),
        ),
    ]
    return samples_of_objects(viewer.add_labels(labels, name="cells"), layers, CropOptions(10))


def colours(viewer, n_channels=3, dtype=np.uint8, name="stain"):
    labels = squares()
    image = np.empty((20, 40, 4))
    image[:] = (0.9, 0.7, 0.8, 0.5)
    image[labels == 3, :3], image[labels == 8, :3] = (0.5, 0.2, 0.4), (0.2, 0.3, 0.6)
    full = 255 if dtype == np.uint8 else 1
    layer = viewer.add_image((image[..., :n_channels] * full).astype(dtype), name=name, rgb=True)
    cells = viewer.add_labels(labels, name=f"cells of {name}")
    return cells, layer


def middles(samples, display):
    return [samples.thumbnail(row, display=display)[5, 5].tolist() for row in range(len(samples))]


def test_limits_colours_gamma_and_visibility_are_those_of_the_layers(viewer):
    samples = two_channels(viewer)
    dna, actin = viewer.layers["DNA"], viewer.layers["actin"]
    shown = middles(samples, display_of(viewer.layers, samples))
    np.testing.assert_allclose(shown, [[64, 128, 64], [128, 128, 128]], atol=1)
    dna.gamma, dna.opacity, actin.visible = 2.0, 0.5, False
    shown = middles(samples, display_of(viewer.layers, samples))
    np.testing.assert_allclose(shown, [[8, 0, 8], [32, 0, 32]], atol=1)


def test_a_channel_without_a_layer_is_scaled_as_for_the_network(viewer):
    samples = two_channels(viewer)
    viewer.layers.remove("actin")
    shown = middles(samples, display_of(viewer.layers, samples))
    np.testing.assert_allclose(shown, [[64, 255, 64], [128, 255, 128]], atol=1)
    viewer.layers.clear()
    assert display_of(viewer.layers, samples) is None


@pytest.mark.parametrize("n_channels", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_layer_with_colours_is_one_picture(viewer, n_channels, dtype):
    cells, layer = colours(viewer, n_channels, dtype)
    samples = samples_of_objects(cells, [layer], CropOptions(10))
    assert samples.recipe.rgb
    assert samples.sample_shape == (10, 10, 3)
    assert any("alpha" in each.name for each in samples.left_out) == (n_channels == 4)
    assert len(set(samples.scale.high.tolist())) == 1
    display = display_of(viewer.layers, samples)
    np.testing.assert_allclose(middles(samples, display), [[127, 51, 102], [51, 76, 153]], atol=1)
    preview = preview_objects(cells, [layer], CropOptions(10), (10, 20), lambda: True)
    np.testing.assert_allclose(preview.pictures[0][28, 28], [127, 51, 102], atol=1)
    patches = samples_of_patches([layer], 20, 20, "")
    assert patches.recipe.rgb
    again_cells, again_layer = colours(viewer, 3, dtype, "later")
    later = samples_same_way(samples, again_cells, [again_layer])
    np.testing.assert_array_equal(later.X, samples.X)
    grey = viewer.add_image(np.zeros((20, 40), dtype), name="grey")
    with pytest.raises(InvalidInputError, match="channels of the samples"):
        samples_same_way(samples, again_cells, [grey])


def test_a_session_adds_colours_as_one_layer(viewer, tmp_path):
    cells, layer = colours(viewer, 4)
    samples = samples_of_objects(cells, [layer], CropOptions(10))
    arrays = layer.data, cells.data
    viewer.layers.clear()
    path = str(tmp_path / "session")
    Explorer(samples).save(path)
    opened = read_session(path, ())
    opened = replace(opened, state=opened.state.attach_images("cells of stain", *arrays))
    shown = add_source_layers(viewer, opened)
    name = "cells of stain"
    assert viewer.layers[f"{name} image"].rgb
    choice = choice_of(samples, name, shown[name].layer, viewer.layers)
    assert [each.name for each in choice.images] == [f"{name} image"]
    np.testing.assert_array_equal(choice.make_again(samples, name).X, samples.X)


def test_large_objects_are_previewed_whole(viewer):
    rows, columns = np.mgrid[:300, :300]
    disc = ((rows - 150) ** 2 + (columns - 150) ** 2 <= 65**2).astype(np.int32)
    image = viewer.add_image(disc * np.uint8(200), name="stain")
    cells = viewer.add_labels(disc, name="cells")
    preview = preview_objects(cells, [image], CropOptions(), (150, 150), lambda: True)
    assert preview.text == (
        "Crops of 136 px, drawn at 64 px, which hold nearly all of the objects in view"
    )
    (picture,) = preview.pictures
    assert picture[28, 28].max() == 255
    assert picture[0].max() < 255
