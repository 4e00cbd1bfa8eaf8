"""Decoded pictures as layers: the same pixels, in the images' units, beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel

from embedscope.explorer import MapGrid, Reconstruction, ViewIntents
from embedscope.napari_dock.data._layer_samples import CropOptions, samples_of_objects
from embedscope.napari_dock.layers._decoded_layers import add_film_strip, add_grid, is_decoded
from embedscope.napari_dock.panels._sample_panel import SamplePanel

SIDE = 5
SCREEN = (400, 600)


@pytest.fixture
def viewer():
    made = ViewerModel()
    made.canvas.size = SCREEN
    return made


def labelled(viewer, channels, **options):
    """Samples of two objects of a field, in these channels."""
    labels = np.zeros((20, 30), np.int32)
    labels[5:10, 5:10], labels[5:10, 20:25] = 4, 9
    layers = [
        viewer.add_image(data, name=name, scale=(2, 3), rgb=data.ndim == 3)
        for name, data in channels.items()
    ]
    cells = viewer.add_labels(labels, name="cells", scale=(2, 3))
    return samples_of_objects(cells, layers, CropOptions(size_px=SIDE, **options))


def step(samples, value, place):
    sample = np.full(samples.sample_shape, value, np.float32)
    none = np.zeros(0, np.int64)
    point = np.array([place, 0.0])
    return Reconstruction(point, sample, None, none, np.zeros(0), 0.5, True)


def field(seed, top):
    return np.random.default_rng(seed).integers(0, top, (20, 30)).astype(np.uint16)


def test_a_path_is_a_stack_in_the_units_and_looks_of_each_channel(viewer):
    samples = labelled(viewer, {"DNA": field(0, 4000), "actin": field(1, 900)})
    viewer.layers["actin"].colormap = "cyan"
    viewer.layers["actin"].contrast_limits = (10, 700)
    viewer.layers["actin"].blending = "additive"
    right = viewer.layers.extent.world[1, 1]
    path = [step(samples, value, k) for k, value in enumerate((0.0, 0.5, 1.0))]
    dna, actin = add_film_strip(viewer, path, samples)
    assert (dna.name, actin.name) == ("path on the map: DNA", "path on the map: actin")
    assert dna.data.shape == actin.data.shape == (3, SIDE, SIDE)
    for layer, low, high in zip((dna, actin), samples.scale.low, samples.scale.high, strict=True):
        np.testing.assert_allclose(layer.data[:, 0, 0], [low, (low + high) / 2, high], rtol=1e-5)
    assert actin.colormap.name == "cyan"
    assert tuple(actin.contrast_limits) == (10, 700)
    assert actin.blending == "additive"
    assert dna.axis_labels == ("path", "y", "x")
    np.testing.assert_array_equal(dna.scale, [1, 2, 3])
    assert dna.extent.world[0, 2] > right  # beside the image, not on it
    np.testing.assert_array_equal(dna.metadata["map_points"][:, 0], [0, 1, 2])
    assert is_decoded(dna)
    assert not is_decoded(viewer.layers["DNA"])


def test_a_new_layer_is_brought_into_view(viewer):
    samples = labelled(viewer, {"DNA": field(0, 4000)})
    (layer,) = add_film_strip(viewer, [step(samples, 0.5, 0), step(samples, 1, 1)], samples)
    low, high = layer.extent.world[:, -2:]
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], (low + high) / 2)
    on_screen = (high - low) * viewer.scene.camera.zoom
    assert (on_screen <= SCREEN).all()
    assert (on_screen / SCREEN).max() > 0.3
    assert layer.name == "path on the map"


def test_a_grid_lies_as_the_map_lies(viewer):
    samples = labelled(viewer, {"DNA": field(0, 4000)})
    values = np.arange(4, dtype=np.float32) / 4  # from the lower left, row by row
    pictures = np.broadcast_to(values[:, None, None, None], (4, SIDE, SIDE, 1))
    box = np.array([-1.0, -2.0]), np.array([3.0, 4.0])
    (layer,) = add_grid(viewer, MapGrid(*box, 2, pictures, values.astype(float), True), samples)
    low, high = samples.scale.low[0], samples.scale.high[0]
    shown = (layer.data - low) / (high - low)
    corners = shown[[0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_allclose(corners, [0.5, 0.75, 0.0, 0.25], atol=1e-6)
    np.testing.assert_array_equal(layer.metadata["support"], [[0.5, 0.75], [0.0, 0.25]])
    np.testing.assert_array_equal(layer.metadata["map_box"], box)
    assert layer.data.shape == (2 * SIDE, 2 * SIDE)
    assert layer.axis_labels == ("y", "x")


def test_colours_stay_one_layer(viewer):
    colors = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    samples = labelled(viewer, {"stain": colors})
    (layer,) = add_film_strip(viewer, [step(samples, 1.0, 0), step(samples, 0.0, 1)], samples)
    assert layer.rgb
    np.testing.assert_allclose(layer.data[0, 0, 0], samples.scale.high, atol=1)
    assert layer.data.dtype == np.uint8


def test_crops_that_are_drawn_small_keep_their_size_in_the_world(viewer):
    rows, columns = np.mgrid[:300, :300]
    disc = ((rows - 150) ** 2 + (columns - 150) ** 2 <= 65**2).astype(np.int32)
    image = viewer.add_image(disc * np.uint8(200), name="stain", scale=(2, 3))
    cells = viewer.add_labels(disc, name="cells", scale=(2, 3))
    samples = samples_of_objects(cells, [image], CropOptions())
    assert samples.sample_shape == (64, 64, 1)
    (layer,) = add_film_strip(viewer, [step(samples, 1.0, 0), step(samples, 0.0, 0)], samples)
    np.testing.assert_allclose(layer.scale[1:] * 64, (2 * 136, 3 * 136))


def test_without_the_image_there_are_looks_all_the_same(viewer):
    samples = labelled(viewer, {"DNA": field(0, 4000), "actin": field(1, 900)})
    viewer.layers.clear()
    dna, actin = add_film_strip(viewer, [step(samples, 0.5, 0), step(samples, 1, 1)], samples)
    assert dna.colormap.name != actin.colormap.name
    np.testing.assert_allclose(dna.contrast_limits, [samples.scale.low[0], samples.scale.high[0]])


def test_a_volume_is_a_stack_of_volumes_and_a_flat_grid(viewer):
    rng = np.random.default_rng(0)
    labels = np.zeros((6, 20, 30), np.int32)
    labels[1:5, 5:10, 5:10], labels[1:5, 5:10, 20:25] = 1, 2
    image = viewer.add_image(rng.random((6, 20, 30)), name="DNA", scale=(5, 2, 3))
    cells = viewer.add_labels(labels, name="cells", scale=(5, 2, 3))
    samples = samples_of_objects(cells, [image], CropOptions(size_px=SIDE, third_axis="z"))
    path = [step(samples, 0.5, 0), step(samples, 1, 1)]
    (strip,) = add_film_strip(viewer, path, samples)
    assert strip.data.shape == (2, *samples.sample_shape[:-1])
    assert strip.axis_labels[0] == "path"
    np.testing.assert_array_equal(strip.scale[-2:], [2, 3])
    pictures = rng.random((4, *samples.sample_shape)).astype(np.float32)
    (grid,) = add_grid(
        viewer, MapGrid(np.zeros(2), np.ones(2), 2, pictures, np.zeros(4), True), samples
    )
    assert grid.ndim == 2


def test_a_carried_path_names_the_carried_sample(viewer):
    samples = labelled(viewer, {"DNA": field(0, 4000), "actin": field(1, 900)})
    path = [
        replace(step(samples, value, 0), style="carried", style_of=samples.identities[1])
        for value in (0.0, 1.0)
    ]
    dna, actin = add_film_strip(viewer, path, samples)
    assert dna.name == "cells 9 carried along a path: DNA"
    assert actin.name == "cells 9 carried along a path: actin"
    assert dna.metadata["style_of"] == ("cells", 0, 9)
    (typical, _) = add_film_strip(viewer, [step(samples, 0.5, 0), step(samples, 1, 1)], samples)
    assert typical.metadata["style_of"] is None


def test_the_strip_in_the_dock_names_the_carried_sample(viewer, qtbot):
    samples = labelled(viewer, {"DNA": field(0, 4000)})
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    path = tuple(replace(step(samples, value, 0), picture=picture) for value in (0.0, 1.0))
    panel = SamplePanel(ViewIntents())
    qtbot.addWidget(panel)
    panel.show_samples(samples)
    assert not panel.of_strip.isVisibleTo(panel)
    panel.show_reconstruction(path)
    assert panel.of_strip.text() == "Shown: path on the map"
    carried = {"style": "carried", "style_of": samples.identities[1]}
    panel.show_reconstruction(tuple(replace(one, **carried) for one in path))
    assert panel.of_strip.isVisibleTo(panel)
    assert panel.of_strip.text() == "Shown: cells 9 carried along a path"
