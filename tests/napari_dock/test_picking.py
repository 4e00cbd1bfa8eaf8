"""Going to a sample: the right slice and frame, centred, close enough, and no closer look lost."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari_mouse import drag, world_at

from embedscope.napari_dock.data._layer_samples import CropOptions, samples_of_objects
from embedscope.napari_dock.layers._linked_layers import LinkedLayers
from embedscope.napari_dock.layers._picking import go_to, is_click, mode_of_keys
from embedscope.samples import Samples, samples_from_array

IDS = (300, 5, 9)
AXES = {2: "yx", 3: "zyx", 4: "tzyx"}


def opened(labels: np.ndarray, axes: str = "", **placing: object):
    """A viewer with a Labels layer, and its samples."""
    axes = axes or AXES[labels.ndim]
    layer = Labels(labels, name="cells", axis_labels=axes, **placing)
    stain = Image(labels.astype(np.float32), name="stain", axis_labels=axes, **placing)
    samples = samples_of_objects(layer, [stain], CropOptions(size_px=5))
    viewer = ViewerModel()
    viewer.add_layer(layer)
    return viewer, layer, samples


def scattered(*leading: int) -> np.ndarray:
    """Objects of 4 x 6 pixels, each at another place of the leading axes."""
    labels = np.zeros((*leading, 60, 80), np.int32)
    for i, label in enumerate(IDS):
        place = tuple(min(i + 1, side - 1) for side in leading)
        labels[(*place, slice(10 + 12 * i, 14 + 12 * i), slice(5 + 20 * i, 11 + 20 * i))] = label
    return labels


def assert_in_view(viewer: ViewerModel, layer: Labels, samples: Samples, row: int) -> None:
    """The object is in the middle of the view."""
    shown = list(viewer.dims.displayed)
    middle = np.array(viewer.dims.point)
    middle[shown] = np.array(viewer.scene.camera.center)[-len(shown) :]
    value = layer.get_value(middle, world=True)
    assert value == samples.identities[row].label
    if samples.sources["cells"].axes[0] == "t":
        frame = layer.world_to_data(middle)[0]
        assert round(float(frame)) == samples.identities[row].frame


@pytest.mark.parametrize("leading", [(), (9,), (4, 9)])
@pytest.mark.parametrize(
    "placing",
    [{}, {"scale": True}, {"scale": True, "translate": True}, {"affine": True}],
    ids=lambda placing: "+".join(placing) or "plain",
)
def test_every_object_comes_into_the_middle(leading, placing):
    n_axes = len(leading) + 2
    values = {
        "scale": (7.0, 3.0, 0.5, 0.25)[-n_axes:],
        "translate": (20.0, -11.0, 40.0, 7.5)[-n_axes:],
        "affine": np.diag([2.0] * n_axes + [1.0]),
    }
    viewer, layer, samples = opened(scattered(*leading), **{name: values[name] for name in placing})
    for row in (2, 0, 1):
        assert go_to(viewer, layer, samples, row)
        assert_in_view(viewer, layer, samples, row)


def test_a_turned_image():
    viewer, layer, samples = opened(scattered(), rotate=35, scale=(2, 3))
    for row in range(3):
        go_to(viewer, layer, samples, row)
        assert_in_view(viewer, layer, samples, row)


def test_a_stack_of_thick_slices_goes_to_the_slice_not_to_its_world():
    viewer, layer, samples = opened(scattered(60), scale=(2, 0.5, 0.5))
    row = int(samples.identities.rows("cells", [9])[0])  # in slice 3, which is world 6
    go_to(viewer, layer, samples, row)
    assert viewer.dims.current_step[0] == 3
    assert viewer.dims.point[0] == 6


def test_a_layer_of_fewer_axes_than_the_viewer():
    viewer, layer, samples = opened(scattered())
    viewer.add_image(np.zeros((5, 60, 80)))
    viewer.dims.set_point(0, 4)
    go_to(viewer, layer, samples, 1)
    assert viewer.dims.point[0] == 4
    assert_in_view(viewer, layer, samples, 1)


def test_other_axes_on_the_screen():
    viewer, layer, samples = opened(scattered(9))
    viewer.dims.order = (2, 0, 1)  # x is the slider
    go_to(viewer, layer, samples, 2)
    assert_in_view(viewer, layer, samples, 2)


def test_in_three_dimensions_the_centre_has_depth():
    viewer, layer, samples = opened(scattered(4, 9), scale=(1, 5, 1, 1))
    viewer.dims.ndisplay = 3
    go_to(viewer, layer, samples, 1)
    identity = samples.identities[1]
    assert viewer.dims.point[0] == identity.frame
    centroid = layer.data_to_world((identity.frame, *samples.centroids[1]))
    np.testing.assert_allclose(viewer.scene.camera.center, centroid[1:])


@pytest.mark.parametrize(
    ("placing", "side"),
    [({}, 6), ({"scale": (10, 1)}, 40), ({"affine": np.diag([1, 5, 1])}, 30), ({"rotate": 90}, 6)],
)
def test_the_object_is_a_sixth_of_the_view(placing, side):
    viewer, layer, samples = opened(scattered(), **placing)
    viewer.canvas.size = (480, 900)
    go_to(viewer, layer, samples, 0)
    assert viewer.scene.camera.zoom == pytest.approx(480 / 6 / side)


def test_a_closer_look_is_kept():
    viewer, layer, samples = opened(scattered())
    viewer.scene.camera.zoom = 500
    go_to(viewer, layer, samples, 0)
    assert viewer.scene.camera.zoom == 500


def test_there_and_back_a_click_in_the_middle_is_the_sample():
    viewer, layer, samples = opened(scattered(4, 9), scale=(30, 2, 0.5, 0.5))
    links, told = LinkedLayers(viewer), []
    links.picked.connect(lambda sample, mode: told.append(sample))
    links.link(samples, {"cells": layer})
    for row, identity in enumerate(samples.identities):
        go_to(viewer, layer, samples, row)
        place = (identity.frame, *samples.centroids[row])
        drag(viewer, world_at(viewer, layer, place))
        assert told.pop() == identity


def test_what_has_no_place_in_the_layer_is_left_alone():
    viewer, layer, samples = opened(scattered(9))
    layer.data = scattered()
    before = viewer.scene.camera.center, viewer.scene.camera.zoom, viewer.dims.point
    assert not go_to(viewer, layer, samples, 0)
    bare = samples_from_array(np.random.default_rng(0).random((4, 3)))
    assert not go_to(viewer, layer, bare, 0)
    assert (viewer.scene.camera.center, viewer.scene.camera.zoom, viewer.dims.point) == before


def test_a_click_may_tremble():
    class Event:
        pos = (13.0, 11.0)

    assert is_click((11, 11), Event)
    assert not is_click((3, 11), Event)


@pytest.mark.parametrize(
    ("keys", "mode"), [([], "replace"), (["Shift"], "add"), (["Alt", "Shift"], "subtract")]
)
def test_keys_have_names_or_are_named(keys, mode):
    class Key:  # as vispy's
        def __init__(self, name: str) -> None:
            self.name = name

    assert mode_of_keys(keys) == mode
    assert mode_of_keys([Key(name) for name in keys]) == mode
