"""Time or depth: the layer says what its first axis is, or the user has to choose."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from napari.layers import Image, Labels, Layer

from embedscope._errors import InvalidInputError
from embedscope.napari_dock._sample_data import nuclei_layers
from embedscope.napari_dock.data._data_choice import Kind
from embedscope.napari_dock.data._data_panel import DataPanel
from embedscope.napari_dock.data._layer_features import inferred_axis, samples_of_features
from embedscope.napari_dock.data._layer_places import axes_of
from embedscope.napari_dock.data._layer_samples import samples_of_patches
from embedscope.napari_dock.data._previewing import Preview

STACK = np.zeros((4, 20, 20), np.int32)
STACK[:, 3:9, 3:9], STACK[:, 12:18, 12:18] = 1, 2
ASKS = "choose: time or depth"


def stack(**options) -> Labels:
    return Labels(STACK, name="cells", **options)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, ""),
        ({"scale": (2, 0.5, 0.5)}, ""),  # micrometres, or seconds
        ({"units": ("um", "um", "um")}, ""),  # time series have them too
        ({"axis_labels": ("z", "y", "x")}, "z"),
        ({"axis_labels": ("Time", "y", "x")}, "t"),
        ({"axis_labels": ("field", "y", "x")}, ""),
        ({"units": ("s", "um", "um")}, "t"),
        ({"features": {"index": [1, 2, 1, 2], "frame": [0, 0, 1, 1]}}, "t"),
        ({"features": {"index": [1, 2], "frame": [0, 0]}}, ""),
    ],
)
def test_what_a_layer_says(options, told):
    layer = stack(**options)
    assert inferred_axis(layer) == told
    assert axes_of(layer, "z") == "zyx"  # the user's choice wins
    if not told:
        with pytest.raises(InvalidInputError, match='"First axis"'):
            axes_of(layer)


def test_nothing_is_cut_before_it_is_known(qapp):
    panel = DataPanel()
    image = Image(np.random.default_rng(0).random(STACK.shape), name="stain")
    panel.show_layers((image, stack()))
    assert panel.third_axis.currentText() == ASKS
    assert not panel.third_axis.isHidden()
    for kind in (Kind.OBJECTS, Kind.PATCHES):
        panel.kind.setCurrentIndex(list(Kind).index(kind))
        for act in (panel.choice().make, lambda: panel.choice().preview((0, 5, 5))):
            with pytest.raises(InvalidInputError, match="must be time or depth; got neither"):
                act()
    panel.kind.setCurrentIndex(list(Kind).index(Kind.OBJECTS))
    panel.third_axis.setCurrentIndex(panel.third_axis.findText("depth"))
    assert len(panel.choice().make()) == 2
    panel.third_axis.setCurrentIndex(panel.third_axis.findText("time"))
    assert len(panel.choice().make()) == 8
    other = stack(axis_labels=("z", "y", "x"))
    panel.show_layers((image, other))  # another layer needs a choice of its own
    assert panel.third_axis.currentText() == "depth, as the layer says"
    assert len(panel.choice().make()) == 2
    assert isinstance(panel.choice().preview((0, 5, 5)), Preview)
    panel.show_layers((image, stack()))
    assert panel.third_axis.currentText() == ASKS
    panel.show_layers(())


def test_frames_among_the_features_are_time():
    table = pd.DataFrame({"label": [1, 2] * 4, "frame": np.repeat(range(4), 2)})
    layer = stack(features=table.assign(size=np.arange(8.0)))
    samples = samples_of_features(layer, ["size"])
    assert samples.identities.frame.tolist() == table["frame"].tolist()


def test_the_fields_that_come_along_say_it_themselves():
    assert [inferred_axis(Layer.create(*each)) for each in nuclei_layers()] == ["t", "t"]


def test_two_and_four_axes_need_no_answer():
    assert axes_of(Labels(STACK[0])) == "yx"
    assert axes_of(Labels(STACK[np.newaxis])) == "tzyx"
    assert len(samples_of_patches([Image(STACK[0] * 1.0)], 10, 10, "")) == 4


def test_volumes_are_offered_once_the_first_axis_is_depth(qapp):
    panel = DataPanel()
    image = Image(np.random.default_rng(0).random(STACK.shape), name="stain")
    panel.show_layers((image, stack()))
    assert panel.volumes.isHidden()
    panel.third_axis.setCurrentText("time")
    assert panel.volumes.isHidden()
    panel.third_axis.setCurrentText("depth")
    assert not panel.volumes.isHidden()
    panel.crop_size.setValue(6)
    for chosen, shape, said in (
        ("maximum along z", (6, 6, 1), "Each is the maximum along z over 6 planes, not the whole"),
        ("mean along z", (6, 6, 1), "Each is the mean along z over 6 planes, not the whole"),
        (
            "middle plane of each object",
            (6, 6, 1),
            "Each is the middle plane of the object",
        ),
        (
            "whole volumes",
            (6, 6, 6, 1),
            "whole volume of 6 planes; its picture shows",
        ),
    ):
        panel.volumes.setCurrentText(chosen)
        assert panel.choice().make().sample_shape == shape
        preview = panel.choice().preview((0, 5, 5))
        assert said in preview.text
        assert preview.pictures[0].shape[-1] == 3


def test_patches_of_a_stack_are_volumes_or_pictures_too(qapp):
    panel = DataPanel()
    panel.show_layers((Image(np.random.default_rng(0).random(STACK.shape), name="stain"),))
    panel.kind.setCurrentIndex(list(Kind).index(Kind.PATCHES))
    panel.third_axis.setCurrentText("depth")
    panel.crop_size.setValue(10)
    panel.volumes.setCurrentText("whole volumes")
    assert panel.choice().make().sample_shape == (4, 10, 10, 1)
    assert "whole volume of 4 planes" in panel.choice().preview((0, 5, 5)).text
    panel.volumes.setCurrentText("middle plane of each object")
    assert panel.choice().preview((0, 5, 5)).text.endswith("the middle plane, not the whole volume")


def test_a_series_of_stacks_has_volumes_and_frames(qapp):
    labels = np.stack([STACK, np.where(STACK, 3 - STACK, 0)])  # the two cells change their numbers
    image = Image(labels * 10.0, name="stain")
    panel = DataPanel()
    panel.show_layers((image, Labels(labels, name="cells")))
    assert panel.third_axis.isHidden()
    assert not panel.volumes.isHidden()
    panel.crop_size.setValue(4)
    for volume, shape in (("mean along z", (4, 4, 1)), ("whole volumes", (4, 4, 4, 1))):
        panel.volumes.setCurrentText(volume)
        samples = panel.choice().make()
        assert [tuple(each) for each in samples.identities] == [
            ("cells", frame, label) for frame in (0, 1) for label in (1, 2)
        ]
        assert samples.sample_shape == shape
        middles = samples.images.reshape(4, -1, 4, 4)[:, 0, 2, 2]
        assert middles.tolist() == [10, 20, 10, 20]  # each is cut around its own object
