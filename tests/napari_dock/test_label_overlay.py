"""The overlay shows each object its own code, whatever the layer, and leaves the layer alone."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import zarr
from napari.components import ViewerModel
from napari.layers import Labels

from embedscope.napari_dock.layers._label_overlay import LabelOverlay
from embedscope.napari_dock.layers._label_rows import LabelRows

IDS = np.array([300, 5, 2_000_000_000])  # in no order, with gaps
CODES = np.array([11, 22, 33], np.uint8)
OF_ID = dict(zip(IDS.tolist(), CODES.tolist(), strict=True))


def field(*leading: int) -> np.ndarray:
    labels = np.zeros((*leading, 20, 30), np.int32)
    for place, label in enumerate(IDS):
        labels[..., 4:12, 2 + 9 * place : 9 + 9 * place] = label
    return labels


def overlaid(layer: Labels, rows: LabelRows | None = None, **options: object):
    viewer = ViewerModel()
    viewer.add_layer(layer)
    overlay = LabelOverlay(viewer, layer, rows or LabelRows(IDS), "on the map", **options)
    if rows is None:
        overlay.set_codes(CODES)
    return viewer, overlay


def shown_at(overlay: LabelOverlay, source: Labels, place: tuple[float, ...]) -> int:
    """The code at a position in the source's data, read at its world coordinates."""
    value = overlay.layer.get_value(source.data_to_world(place), world=True)
    value = value[1] if isinstance(value, tuple) else value
    return int(value or 0)


def assert_shows(overlay: LabelOverlay, source: Labels, labels: np.ndarray) -> None:
    """Every pixel of a 2D image of labels has the code of its label."""
    for place in np.ndindex(*labels.shape):
        assert shown_at(overlay, source, place) == OF_ID.get(int(labels[place]), 0), place


@pytest.mark.parametrize("array_of", [np.asarray, da.from_array, zarr.array])
def test_every_pixel_has_the_code_of_its_object(array_of):
    source = Labels(array_of(field()))
    _, overlay = overlaid(source)
    assert_shows(overlay, source, field())


@pytest.mark.parametrize(
    "placing",
    [
        {"scale": (0.5, 3)},
        {"translate": (100, -20)},
        {"rotate": 30},
        {"shear": [0.4]},
        {"affine": [[0, 1, 4], [-2, 0, 2], [0, 0, 1]]},
        {"scale": (2, 2), "rotate": 45, "translate": (1, 2), "affine": np.diag([3, 2, 1])},
    ],
)
def test_it_lies_where_its_source_lies_and_follows_it(placing):
    source = Labels(field(), **placing)
    _, overlay = overlaid(source)
    assert_shows(overlay, source, field())
    source.translate = (7, 8)
    source.rotate = 10
    assert_shows(overlay, source, field())


def test_a_pyramid():
    source = Labels([field(), field()[::2, ::2]], multiscale=True)
    _, overlay = overlaid(source)
    assert overlay.layer.multiscale
    for place, label in enumerate(IDS):
        assert shown_at(overlay, source, (8, 6 + 9 * place)) == OF_ID[label]
    assert shown_at(overlay, source, (18, 6)) == 0
    overlay.set_codes(CODES[::-1])
    assert shown_at(overlay, source, (8, 6)) == OF_ID[IDS[2]]
    source.data = [np.roll(field(), 9, axis=1), np.roll(field(), 9, axis=1)[::2, ::2]]
    assert shown_at(overlay, source, (8, 15)) == OF_ID[IDS[2]]


def film() -> tuple[np.ndarray, LabelRows, np.ndarray]:
    """Three frames in which the ids change places; row 3 * t + i is id i of frame t."""
    frames = np.stack([np.roll(field(), 9 * t, axis=1) for t in range(3)])
    rows = LabelRows(np.tile(IDS, 3), np.repeat(np.arange(3), 3))
    return frames, rows, np.arange(1, 10, dtype=np.uint8)


@pytest.mark.parametrize("array_of", [np.asarray, da.from_array])
def test_reused_ids_are_distinguished_by_frame(array_of):
    frames, rows, codes = film()
    source = Labels(array_of(frames), scale=(60, 1, 1))
    viewer, overlay = overlaid(source, rows, frame_axis=0)
    overlay.set_codes(codes)
    for frame in (2, 0, 1):
        viewer.dims.set_point(0, 60 * frame)
        for i, label in enumerate(IDS):
            place = np.argwhere(frames[frame] == label)[10]
            assert shown_at(overlay, source, (frame, *place)) == 3 * frame + i + 1


def test_time_may_be_another_axis_and_shown():
    frames, rows, codes = film()
    source = Labels(np.moveaxis(frames, 0, 1))  # y, t, x
    viewer, overlay = overlaid(source, rows, frame_axis=1)
    overlay.set_codes(codes)
    viewer.dims.set_point(0, 8)
    for frame in range(3):
        for i, label in enumerate(IDS):
            x = np.flatnonzero(frames[frame, 8] == label)[0]
            assert shown_at(overlay, source, (8, frame, x)) == 3 * frame + i + 1


def test_a_volume_in_three_dimensions():
    volume = np.zeros((9, 20, 30), np.int32)
    volume[3:6] = field()
    source = Labels(volume, scale=(4, 1, 1))
    viewer, overlay = overlaid(source)
    viewer.dims.ndisplay = 3
    for place, label in enumerate(IDS):
        seen = overlay.layer.get_value(
            source.data_to_world((0, 8, 5 + 9 * place)),
            view_direction=np.array([1.0, 0, 0]),
            dims_displayed=[0, 1, 2],
            world=True,
        )
        assert seen == OF_ID[label]
    viewer.dims.ndisplay = 2
    viewer.dims.set_point(0, 16)
    assert shown_at(overlay, source, (4, 8, 5)) == 11


def test_painting_undoing_and_refreshing_show():
    labels = field()
    source = Labels(labels)
    _, overlay = overlaid(source)
    source.selected_label = 5
    source.brush_size = 1
    source.mode = "paint"
    source.paint((16, 16), 5)
    assert shown_at(overlay, source, (16, 16)) == 22
    source.undo()
    assert shown_at(overlay, source, (16, 16)) == 0
    source.redo()
    assert shown_at(overlay, source, (16, 16)) == 22
    source.fill((8, 4), 5)
    assert shown_at(overlay, source, (8, 4)) == 22
    source.data_setitem((np.array([0]), np.array([0])), 300)
    assert shown_at(overlay, source, (0, 0)) == 11
    labels[0, 5] = 300
    source.refresh()
    assert shown_at(overlay, source, (0, 5)) == 11


def test_a_stroke_shows_when_it_ends():
    source = Labels(field())
    _, overlay = overlaid(source)
    source.brush_size = 1
    source._begin_stroke()  # as napari does when the brush goes down
    source.paint((16, 16), 5)
    source.paint((17, 16), 5)
    source._commit_stroke()
    assert [shown_at(overlay, source, (y, 16)) for y in (15, 16, 17, 18)] == [0, 22, 22, 0]


def test_other_data_of_another_shape():
    source = Labels(field())
    _, overlay = overlaid(source)
    larger = np.pad(field(), ((10, 3), (20, 1)))
    source.data = larger
    assert overlay.layer.data.shape == larger.shape
    assert_shows(overlay, source, larger)
    assert not overlay.layer.editable


def test_data_with_other_axes_shows_no_object_until_the_axes_are_back():
    source = Labels(field())
    viewer, overlay = overlaid(source)
    source.data = field(4)
    assert viewer.dims.ndim == 3
    assert shown_at(overlay, source, (0, 8, 5)) == 0
    overlay.set_codes(CODES)
    assert shown_at(overlay, source, (0, 8, 5)) == 0
    source.data = field()
    assert_shows(overlay, source, field())


def test_it_cannot_be_painted_on():
    source = Labels(field())
    _, overlay = overlaid(source)
    overlay.layer.mode = "paint"
    assert overlay.layer.mode == "pan_zoom"


def test_the_palette_gives_each_code_its_colour():
    source = Labels(field())
    _, overlay = overlaid(source)
    palette = np.random.default_rng(0).integers(1, 256, (254, 4)).astype(np.uint8)
    palette[0] = 0
    overlay.set_palette(palette)
    shown = overlay.layer.colormap.map(np.arange(254))
    np.testing.assert_allclose(shown * 255, palette, atol=0.51)


def test_the_layer_of_the_user_stays_as_it_was():
    features = pd.DataFrame({"index": IDS, "area": [1.0, 2.0, 3.0]})
    source = Labels(field(), features=features)
    viewer, colors = ViewerModel(), source.colormap
    viewer.add_layer(source)
    viewer.add_image(np.zeros((20, 30)))
    chosen, active = set(viewer.layers.selection), viewer.layers.selection.active
    overlay = LabelOverlay(viewer, source, LabelRows(IDS), "on the map")
    overlay.set_codes(CODES)
    assert source.colormap == colors
    pd.testing.assert_frame_equal(source.features, features)
    assert np.array_equal(source.data, field())
    assert [layer.name for layer in viewer.layers][1] == "on the map"
    assert set(viewer.layers.selection) == chosen
    assert viewer.layers.selection.active is active


def n_listeners(layer: Labels) -> int:
    return sum(len(emitter.callbacks) for emitter in layer.events.emitters.values())


@pytest.mark.parametrize("how", ["the dock", "the user", "the user, and then the dock"])
def test_nothing_is_left_of_it(how):
    source = Labels(field())
    viewer = ViewerModel()
    viewer.add_layer(source)
    before = n_listeners(source)
    for _ in range(3):
        overlay = LabelOverlay(viewer, source, LabelRows(IDS), "on the map")
        if how != "the dock":
            viewer.layers.remove(overlay.layer)
            source.data = field() + 1  # before the overlay receives the event
        overlay.remove()
        if how.endswith("dock"):
            overlay.remove()
    assert n_listeners(source) == before
    assert list(viewer.layers) == [source]
