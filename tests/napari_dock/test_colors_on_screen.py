"""The colours of the map on the objects: what the screen shows is what the legend says."""

from __future__ import annotations

import numpy as np
import pytest
from map_pixels import settle
from napari.layers import Labels, Points

from embedscope.explorer import Coloring
from embedscope.napari_dock.data._layer_features import samples_of_features
from embedscope.napari_dock.data._layer_samples import CropOptions, samples_of_objects
from embedscope.napari_dock.layers._linked_layers import LinkedLayers

SIDE_PX, N_CELLS = 60, 4
CLASSES = {1: (0, 114, 178), 2: (230, 159, 0), 3: (0, 158, 115), 4: (204, 121, 167)}


def field() -> np.ndarray:
    """Four squares in a row."""
    labels = np.zeros((SIDE_PX, N_CELLS * SIDE_PX), np.int32)
    for number in range(N_CELLS):
        labels[10:50, number * SIDE_PX + 10 : number * SIDE_PX + 50] = number + 3
    return labels


def coloring() -> Coloring:
    palette = np.full((251, 4), 255, np.uint8)
    for level, color in CLASSES.items():
        palette[level, :3] = color
    return Coloring(np.array([*CLASSES], np.uint8), palette)


def color_at(viewer, y: float, x: float) -> np.ndarray:
    """What the canvas shows at a place of the world."""
    settle()
    shown = viewer.screenshot(canvas_only=True, flash=False)
    camera, middle = viewer.scene.camera, np.array(shown.shape[:2]) / 2
    row, column = middle + (np.array([y, x]) - np.asarray(camera.center[-2:])) * camera.zoom * (
        shown.shape[1] / viewer.canvas.size[1]
    )
    return shown[round(row), round(column), :3].astype(int)


@pytest.mark.parametrize("order", ["labels above", "image above"])
def test_each_class_has_its_colour_on_the_screen_whatever_lies_there(shown_viewer, order):
    viewer, labels = shown_viewer, field()
    stain = np.random.default_rng(0).random(labels.shape, np.float32)
    cells = Labels(labels, name="cells")
    if order == "labels above":
        viewer.add_image(stain, name="stain")
        viewer.add_layer(cells)
    else:
        viewer.add_layer(cells)
        viewer.add_image(stain, name="stain", blending="additive", colormap="green")
    viewer.reset_view()
    samples = samples_of_objects(cells, [viewer.layers["stain"]], CropOptions(size_px=40))
    links = LinkedLayers(viewer)
    links.link(samples, {"cells": cells})
    links.show_coloring(coloring())
    before = [color_at(viewer, 30, number * SIDE_PX + 30) for number in range(N_CELLS)]
    links.set_colors_objects(True)
    for number, color in enumerate(CLASSES.values()):
        shown = color_at(viewer, 30, number * SIDE_PX + 30)
        np.testing.assert_allclose(shown, color, atol=2)
    np.testing.assert_array_equal(cells.opacity, Labels(labels).opacity)  # the user's stays
    links.set_colors_objects(False)
    after = [color_at(viewer, 30, number * SIDE_PX + 30) for number in range(N_CELLS)]
    np.testing.assert_array_equal(after, before)
    links.close()


def test_points_have_their_colour_too(shown_viewer):
    viewer = shown_viewer
    places = np.array([[30.0, number * SIDE_PX + 30] for number in range(N_CELLS)])
    layer = Points(places, size=30, features={"a": [1.0, 2, 3, 4]}, face_color="white", name="dots")
    viewer.add_image(np.ones(field().shape), name="bright", contrast_limits=(0, 1))
    viewer.add_layer(layer)
    viewer.reset_view()
    links = LinkedLayers(viewer)
    links.link(samples_of_features(layer, ["a"], "t"), {"dots": layer})
    links.show_coloring(coloring())
    links.set_colors_objects(True)
    for (y, x), color in zip(places, CLASSES.values(), strict=True):
        np.testing.assert_allclose(color_at(viewer, y, x), color, atol=2)
    links.close()
