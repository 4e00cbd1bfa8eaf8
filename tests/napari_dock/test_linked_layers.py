"""Map and layers, linked both ways: the right object, no change to the user's layers, no leaks."""

from __future__ import annotations

import gc
import weakref
from functools import cache

import numpy as np
import pytest
from dock_hands import hover_frame
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari_mouse import drag, hover, world_at

from embedscope.explorer import Coloring, Hovered, Selection
from embedscope.napari_dock.data._layer_samples import (
    CropOptions,
    samples_of_objects,
    samples_of_patches,
)
from embedscope.napari_dock.data._live_preview import middle_of_view
from embedscope.napari_dock.layers._linked_layers import LinkedLayers
from embedscope.napari_dock.layers._picking import go_to
from embedscope.napari_dock.layers._view_rectangle import ViewRectangle
from embedscope.samples import SampleId, join_samples

IDS = (300, 5, 2_000_000_000)


def field(*leading: int) -> np.ndarray:
    labels = np.zeros((*leading, 20, 30), np.int32)
    for place, label in enumerate(IDS):
        labels[..., 4:12, 2 + 9 * place : 9 + 9 * place] = label
    return labels


class Linked:
    """A viewer with labelled layers, linked to their samples, and the emitted signals."""

    def __init__(self, *fields: np.ndarray, frame_axis: str = "", **placing: object) -> None:
        self.viewer = ViewerModel()
        self.cells = []
        parts = []
        for number, labels in enumerate(fields):
            cells = Labels(labels, name=f"cells {number}", **placing)
            stain = Image(labels.astype(np.float32), name="stain", **placing)
            if frame_axis:
                cells.axis_labels = stain.axis_labels = frame_axis
            parts.append(samples_of_objects(cells, [stain], CropOptions(size_px=5)))
            self.viewer.add_layer(stain)
            self.viewer.add_layer(cells)
            self.cells.append(cells)
        self.samples = join_samples(parts) if len(parts) > 1 else parts[0]
        self.links = LinkedLayers(self.viewer)
        self.link()
        self.told: list[tuple[SampleId | None, str]] = []
        self.pointed: list[SampleId | None] = []
        self.removed: list[str] = []
        self.links.picked.connect(lambda sample, mode: self.told.append((sample, mode)))
        self.links.pointed.connect(self.pointed.append)
        self.links.layer_removed.connect(self.removed.append)

    def link(self) -> None:
        named = {name: self.cells[i] for i, name in enumerate(self.samples.sources)}
        self.links.link(self.samples, named)

    def select(self, *rows: int) -> None:
        self.links.show_selection(Selection(np.array(rows, np.int64)))

    def outlined(self, layer: int, place: tuple[int, ...]) -> bool:
        """Whether a pixel shows the colour of the selection."""
        world = self.cells[layer].data_to_world(place)
        overlay = self.links.own_layers[layer]
        value = overlay.get_value(world, world=True)
        return bool(value) and bool(overlay.colormap.map(int(value))[3] > 0)


def test_a_selection_outlines_those_objects_and_no_others():
    linked = Linked(field(), np.roll(field(), 10, axis=0))
    for row, identity in enumerate(linked.samples.identities):
        linked.select(row)
        for layer, source in enumerate(linked.samples.sources):
            for i, label in enumerate(IDS):
                place = (4 + 10 * layer, 5 + 9 * i)  # a pixel of the rim
                wanted = identity.source == source and identity.label == label
                assert linked.outlined(layer, place) == wanted
    linked.select()
    assert not linked.outlined(0, (4, 5))


def test_colours_lie_on_the_objects_when_they_are_wanted():
    linked = Linked(field())
    palette = np.full((251, 4), 255, np.uint8)
    palette[:, 0] = np.arange(251)
    levels = np.array([7, 0, 250], np.uint8)  # a colour, hidden, without a value
    by_label = {i.label: row for row, i in enumerate(linked.samples.identities)}
    levels = levels[np.argsort([by_label[label] for label in IDS])]
    linked.links.show_coloring(Coloring(levels, palette))
    assert not linked.outlined(0, (8, 5))
    linked.links.set_colors_objects(True)
    assert linked.links.own_layers[0].get_value((8, 5)) == 7
    assert not linked.outlined(0, (8, 14))
    assert not linked.outlined(0, (8, 23))
    linked.select(by_label[IDS[1]])
    assert linked.outlined(0, (4, 14))  # the rim of what is selected, whatever its colour
    assert not linked.outlined(0, (8, 14))
    linked.links.show_coloring(Coloring.empty())  # of no samples: between two sets of them
    assert linked.links.own_layers[0].get_value((8, 5)) == 0


@pytest.mark.parametrize(
    "placing",
    [{}, {"scale": (0.5, 3)}, {"rotate": 30, "translate": (5, -9)}, {"affine": np.diag([2, 3, 1])}],
)
def test_a_click_picks_the_object_there(placing):
    linked = Linked(field(), **placing)
    for place in [(4, 2), (11, 8), (8, 14), (4, 26), (3, 2), (12, 8), (0, 0), (19, 29)]:
        drag(linked.viewer, world_at(linked.viewer, linked.cells[0], place))
        label = int(field()[place])
        expected = SampleId("cells 0", 0, label) if label else None
        assert linked.told.pop() == (expected, "replace")
    drag(linked.viewer, world_at(linked.viewer, linked.cells[0], (-50, 700)))
    assert linked.told == [(None, "replace")]


FRAMES = np.stack([np.roll(field(), 9 * t, axis=1) for t in range(3)])  # ids are used again


@cache
def film() -> Linked:
    return Linked(FRAMES, frame_axis="tyx", scale=(60, 1, 1))


@settings(max_examples=25, deadline=None)  # the first one makes the film
@given(st.integers(0, 2), st.integers(0, 2))
def test_in_a_time_series_a_click_picks_the_object_of_the_frame(frame, i):
    linked = film()
    linked.viewer.dims.set_point(0, 60 * frame)
    place = np.argwhere(FRAMES[frame] == IDS[i])[0]
    drag(linked.viewer, world_at(linked.viewer, linked.cells[0], (frame, *place)))
    assert linked.told.pop() == (SampleId("cells 0", frame, IDS[i]), "replace")
    (row,) = linked.samples.identities.rows("cells 0", [IDS[i]], frame)
    linked.select(row)
    assert linked.outlined(0, (frame, *place))


def test_in_three_dimensions_a_click_meets_the_first_object_on_its_way():
    volume = np.zeros((9, 20, 30), np.int32)
    volume[3:6] = field()
    linked = Linked(volume, frame_axis="zyx", scale=(4, 1, 1))
    linked.viewer.dims.ndisplay = 3
    drag(linked.viewer, world_at(linked.viewer, linked.cells[0], (0, 8, 14)))
    drag(linked.viewer, world_at(linked.viewer, linked.cells[0], (0, 0, 0)))
    assert [sample for sample, _ in linked.told] == [SampleId("cells 0", 0, IDS[1]), None]


def test_a_pyramid_is_clicked_like_an_image():
    cells = Labels([field(), field()[::2, ::2]], multiscale=True, name="cells")
    stain = Image(field().astype(np.float32), name="stain")
    viewer = ViewerModel()
    viewer.add_layer(stain)
    viewer.add_layer(cells)
    links, told = LinkedLayers(viewer), []
    links.picked.connect(lambda sample, mode: told.append(sample))
    links.link(samples_of_objects(cells, [stain], CropOptions(size_px=5)), {"cells": cells})
    for place in [(8, 5), (8, 24), (0, 0)]:
        drag(viewer, world_at(viewer, cells, place))
    assert told == [SampleId("cells", 0, IDS[0]), SampleId("cells", 0, IDS[2]), None]


def test_labels_that_double_precision_does_not_hold_are_read_at_the_finest_level():
    """As ome-zarr and spatialdata write the coarse levels of labels above 2**53."""
    ids = [720575940621039104, 720575940621039146, 720575940621039300]
    fine = np.zeros((20, 36), np.uint64)
    for place, label in enumerate(ids):
        fine[4:12, 2 + 12 * place : 10 + 12 * place] = label
    coarse = fine[::2, ::2].astype(np.float64).astype(np.uint64)
    assert coarse[4, 9] == ids[0]  # the second object has the id of the first there
    cells = Labels([fine, coarse], multiscale=True, name="cells")
    stain = Image((fine > 0).astype(np.float32), name="stain")
    viewer = ViewerModel()
    viewer.add_layer(stain)
    viewer.add_layer(cells)
    links, told = LinkedLayers(viewer), []
    links.picked.connect(lambda sample, mode: told.append(sample))
    links.link(samples_of_objects(cells, [stain], CropOptions(size_px=5)), {"cells": cells})
    cells.data_level = 1
    for place in [(8, 5), (8, 18), (8, 30), (0, 0)]:
        drag(viewer, world_at(viewer, cells, place))
    assert told == [*(SampleId("cells", 0, label) for label in ids), None]


@pytest.mark.parametrize(
    ("modifiers", "mode"),
    [
        ((), "replace"),
        (("Shift",), "add"),
        (("Alt",), "subtract"),
        (("Control",), "invert"),
        (("Meta",), "invert"),
        (("Shift", "Alt"), "subtract"),
    ],
)
def test_keys_say_how_a_click_combines(modifiers, mode):
    linked = Linked(field())
    drag(linked.viewer, (8, 5), modifiers=modifiers)
    assert linked.told == [(SampleId("cells 0", 0, IDS[0]), mode)]


def test_a_drag_and_the_other_buttons_select_nothing():
    linked = Linked(field())
    drag(linked.viewer, (8, 5), by_px=40)
    drag(linked.viewer, (8, 5), button=2)
    assert linked.told == []
    drag(linked.viewer, (8, 5), by_px=2)  # the mouse moves slightly
    assert len(linked.told) == 1


def test_whichever_layer_is_active_the_uppermost_object_is_meant():
    linked = Linked(field(), field() + (field() > 0))  # one above the other, with different ids
    for active in (*linked.viewer.layers, None):
        linked.viewer.layers.selection.active = active
        drag(linked.viewer, (8, 5))
        assert linked.told.pop()[0] == SampleId("cells 1", 0, 301)
    linked.cells[1].visible = False
    drag(linked.viewer, (8, 5))
    assert linked.told.pop()[0] == SampleId("cells 0", 0, 300)
    linked.cells[0].visible = False
    drag(linked.viewer, (8, 5))
    assert linked.told.pop()[0] is None


@pytest.mark.parametrize("mode", ["paint", "erase", "fill", "polygon", "transform"])
def test_tools_of_a_layer_still_work(mode):
    linked = Linked(field())
    cells = linked.cells[0]
    cells.mode, cells.selected_label, cells.brush_size = mode, 5, 1
    drag(linked.viewer, (16, 16))
    assert linked.told == []
    assert (cells.data[16, 16] == 5) == (mode in ("paint", "fill"))
    cells.mode = "pan_zoom"
    drag(linked.viewer, (8, 5))
    assert len(linked.told) == 1


def test_adding_points_selects_nothing():
    linked = Linked(field())
    points = linked.viewer.add_points(ndim=2)
    points.mode = "add"
    drag(linked.viewer, (8, 5))
    assert linked.told == []
    assert len(points.data) == 1


def test_hovering_emits_the_sample_under_the_mouse():
    linked = Linked(field())
    hover(linked.viewer, (8, 5))
    hover(linked.viewer, (0, 0))
    assert linked.pointed == [SampleId("cells 0", 0, IDS[0]), None]


def test_a_renamed_layer_stays_linked():
    linked = Linked(field())
    linked.cells[0].name = "something else"
    linked.viewer.layers.move(1, 0)
    drag(linked.viewer, (8, 5))
    assert linked.told == [(SampleId("cells 0", 0, IDS[0]), "replace")]


def test_a_deleted_layer_takes_its_overlay_along():
    linked = Linked(field(), field())
    linked.select(0, 3)
    linked.viewer.layers.remove(linked.cells[0])
    assert linked.removed == ["cells 0"]
    assert list(linked.links.layers) == ["cells 1"]
    assert [layer.name for layer in linked.viewer.layers if "map" in layer.name] == [
        "cells 1 on the map"
    ]
    linked.select(1, 4)
    drag(linked.viewer, (8, 5))
    assert linked.told[0][0].source == "cells 1"


def test_all_layers_deleted_at_once():
    linked = Linked(field(), field())
    linked.viewer.layers.clear()
    assert sorted(linked.removed) == ["cells 0", "cells 1"]
    assert len(linked.viewer.layers) == 0
    linked.select(0)
    drag(linked.viewer, (0, 0))
    assert linked.told == []


def test_an_overlay_that_the_user_deletes_stays_away_and_clicks_still_work():
    linked = Linked(field())
    linked.viewer.layers.remove(linked.links.own_layers[0])
    linked.select(0)
    linked.links.set_colors_objects(True)
    linked.cells[0].data = np.zeros((5, 5), np.int32)
    linked.cells[0].data = field()
    assert [layer.name for layer in linked.viewer.layers] == ["stain", "cells 0"]
    drag(linked.viewer, (8, 5))
    assert linked.told == [(SampleId("cells 0", 0, IDS[0]), "replace")]


def test_data_that_shrinks_or_loses_an_axis():
    linked = Linked(field(3), frame_axis="tyx")
    linked.cells[0].data = field()
    drag(linked.viewer, (8, 5))
    assert linked.told.pop()[0] is None  # the frame is unknown
    linked.cells[0].data = field(2)
    drag(linked.viewer, (1, 8, 5))
    assert linked.told.pop()[0] is not None


def listeners(linked: Linked) -> list[int]:
    """Number of callbacks on the viewer and the user's layers, mouse callbacks included."""
    emitters = [linked.viewer.layers.events, linked.viewer.dims.events, linked.viewer.events]
    emitters += [layer.events for layer in linked.cells]
    counts = [sum(len(one.callbacks) for one in group.emitters.values()) for group in emitters]
    for thing in (linked.viewer, *linked.cells):
        counts += [len(thing.mouse_drag_callbacks), len(thing.mouse_move_callbacks)]
    return counts


def test_nothing_is_left_behind():
    linked = Linked(field(), field())
    colors = [layer.colormap for layer in linked.cells]
    linked.links.close()
    before = listeners(linked)
    for _ in range(3):
        linked.links = LinkedLayers(linked.viewer)
        linked.link()
        linked.link()
        linked.select(0, 1)
        drag(linked.viewer, (8, 5))
        linked.links.close()
        linked.links.close()
    assert listeners(linked) == before
    assert [layer.name for layer in linked.viewer.layers] == [
        "stain",
        "cells 0",
        "stain [1]",
        "cells 1",
    ]
    assert [layer.colormap for layer in linked.cells] == colors
    gone = weakref.ref(linked.links)
    del linked.links
    gc.collect()
    assert gone() is None


def test_a_layer_deleted_while_linked_is_garbage_collected():
    linked = Linked(field())
    (cells,) = linked.cells
    linked.viewer.layers.remove(cells)
    never_linked = ViewerModel()
    never_linked.add_layer(other := Labels(field()))
    never_linked.layers.remove(other)
    for name, emitter in cells.events.emitters.items():
        assert len(emitter.callbacks) == len(other.events.emitters[name].callbacks), name


def test_unlike_samples_have_a_rim_and_stripes_with_or_without_colours():
    linked = Linked(field())
    row = next(r for r, i in enumerate(linked.samples.identities) if i.label == IDS[1])
    novel = np.arange(3) == row
    linked.links.set_novel(novel)
    (overlay,) = linked.links.own_layers
    assert not np.asarray(overlay.data).any()
    linked.links.set_marks_novel(True)
    marked = np.asarray(overlay.data) > 0
    assert not marked[field() != IDS[1]].any()
    assert 0.4 < marked[field() == IDS[1]].mean() < 0.8  # the cell is seen between the stripes
    np.testing.assert_allclose(overlay.colormap.map(252)[:3] * 255, [213, 94, 0])
    linked.select(row)
    shown = np.asarray(overlay.data)
    assert shown[4, 14] == 251  # the rim says selected
    assert set(np.unique(shown[5:11, 12:17])) == {252, 253}  # the stripes say unlike
    palette = np.full((251, 4), 255, np.uint8)
    linked.links.show_coloring(Coloring(np.array([3, 4, 5], np.uint8), palette))
    linked.links.set_colors_objects(True)
    inside = np.asarray(overlay.data)[5:11, 12:17]
    assert set(np.unique(inside)) == {[3, 4, 5][row], 252}
    linked.links.set_marks_novel(False)
    assert set(np.unique(np.asarray(overlay.data)[5:11, 12:17])) == {[3, 4, 5][row]}
    linked.link()  # other samples, without `novel` so far
    linked.links.set_marks_novel(True)
    assert not np.asarray(linked.links.own_layers[0].data).any()


@pytest.mark.parametrize("are_set_later", [False, True])
def test_layers_in_different_units_meet_in_the_world_of_the_viewer(are_set_later):
    linked = Linked(field(), field(), scale=(2, 2))
    fine, coarse = linked.cells
    viewer = linked.viewer
    for layer, unit, size in ((fine, "nm", 2000.0), (coarse, "um", 2.0)):
        layer.scale = (size, size)
        layer.units = (unit, unit)
    for layer in viewer.layers:
        if layer.name.startswith("stain"):
            layer.units = ("um", "um")
    coarse.translate = (100, 0)
    if not are_set_later:
        linked.link()
    for layer, origin in ((fine, (0, 0)), (coarse, (100_000, 0))):
        world = origin[0] + 2000 * 8, origin[1] + 2000 * 14
        drag(viewer, world)
        assert linked.told.pop()[0] == SampleId(linked.samples.sources[layer.name].name, 0, IDS[1])
        hover(viewer, world)
        assert linked.pointed.pop().source == layer.name
    for source, layer in linked.links.layers.items():
        (row,) = linked.samples.identities.rows(source, [IDS[2]])
        go_to(viewer, layer, linked.samples, row)
        drag(viewer, viewer.scene.camera.center[-2:])
        assert linked.told.pop()[0] == linked.samples.identities[row]
    for layer, overlay in zip(linked.cells, linked.links.own_layers, strict=True):
        assert overlay.units == layer.units
    assert viewer.dims.units[0] == "nanometer"


def test_a_rectangle_over_layers_in_different_units():
    linked = Linked(field(), scale=(2, 2), units=("um", "um"))
    viewer = linked.viewer
    viewer.add_image(np.zeros((10, 10)), units=("nm", "nm"))
    rectangle = ViewRectangle((2000, 2000), (30_000, 20_000), (0, 1), viewer.dims.units)
    (row,) = linked.samples.identities.rows("cells 0", [IDS[0]])
    found = linked.links._links[0].touched_by(rectangle)()
    assert found.tolist() == [row]


def test_in_a_film_in_seconds_beside_one_in_milliseconds_it_is_the_right_frame():
    linked = Linked(FRAMES, frame_axis="tyx", scale=(60, 1, 1))
    viewer, cells = linked.viewer, linked.cells[0]
    for layer in list(viewer.layers)[:2]:
        layer.units = ("s", "um", "um")
    viewer.add_image(np.zeros((2, 4, 4)), units=("ms", "nm", "nm"), axis_labels=("t", "y", "x"))
    for frame in range(3):
        place = np.argwhere(FRAMES[frame] == IDS[1])[0]
        viewer.dims.set_point(0, 60_000 * frame)
        drag(viewer, np.array([60_000 * frame, *place]) * (1, 1000, 1000))
        assert linked.told.pop()[0] == SampleId("cells 0", frame, IDS[1])
        (row,) = linked.samples.identities.rows("cells 0", [IDS[1]], frame)
        viewer.dims.set_point(0, 0)
        go_to(viewer, cells, linked.samples, row)
        assert viewer.dims.point[0] == 60_000 * frame
        linked.links.show_hovered(Hovered(row))
        assert hover_frame(linked.viewer).visible
        assert middle_of_view(viewer, cells)[0] == frame


def test_the_frame_round_an_object_is_where_the_object_is_in_any_units():
    corners = []
    for scale, unit in ((1000.0, "nm"), (1.0, "um")):
        linked = Linked(field(), scale=(scale, scale), units=(unit, unit))
        linked.viewer.add_image(np.zeros((9, 9)), units=("nm", "nm"))
        linked.viewer.scene.camera.center = (0, 8000, 14_000)
        linked.viewer.scene.camera.zoom = 0.02
        linked.links.show_hovered(Hovered(1))
        assert hover_frame(linked.viewer).visible
        corners.append(hover_frame(linked.viewer).position)
    np.testing.assert_allclose(corners[0], corners[1])


@pytest.mark.parametrize("n_levels", [2, 3])
def test_a_pyramid_with_fewer_frames_further_up_shows_and_clicks_the_right_frame(n_levels):
    still = np.zeros((20, 36), np.int32)
    for place, label in enumerate(IDS):
        still[4:12, 2 + 12 * place : 10 + 12 * place] = label
    frames = np.stack([np.roll(still, 12 * t, axis=1) for t in range(4)])
    levels = [frames, frames[::2, ::2, ::2], frames[::4, ::4, ::4]][:n_levels]
    cells = Labels(levels, multiscale=True, name="cells", axis_labels=("t", "y", "x"))
    stain = Image(frames.astype(np.float32), name="stain", axis_labels=("t", "y", "x"))
    viewer = ViewerModel()
    viewer.add_layer(stain)
    viewer.add_layer(cells)
    samples = samples_of_objects(cells, [stain], CropOptions(size_px=5))
    links, told = LinkedLayers(viewer), []
    links.picked.connect(lambda sample, mode: told.append(sample))
    links.link(samples, {"cells": cells})
    (overlay,) = links.own_layers
    for frame in range(4):
        viewer.dims.set_point(0, frame)
        label = IDS[frame % 3]
        wanted = SampleId("cells", frame, label)
        (row,) = samples.identities.rows("cells", [label], frame)
        links.show_selection(Selection(np.array([row], np.int64)))
        for step, level in zip((1, 2, 4), overlay.data, strict=False):
            middles = frames[frame, step // 2 :: step, step // 2 :: step]
            np.testing.assert_array_equal(level[frame] > 0, middles == label)
        cells.data_level = n_levels - 1
        y, x = np.argwhere(frames[frame] == label)[10]
        drag(viewer, world_at(viewer, cells, (frame, y, x)))
        assert told == [wanted]
        told.clear()


def test_patches_of_a_pyramid_with_fewer_frames_further_up_are_of_the_right_frame():
    frames = np.random.default_rng(0).random((4, 16, 16)).astype(np.float32)
    image = Image([frames, frames[::2, ::2, ::2]], multiscale=True, axis_labels=("t", "y", "x"))
    viewer = ViewerModel()
    viewer.add_layer(image)
    samples = samples_of_patches([image], 8, 8, "t")
    links = LinkedLayers(viewer)
    links.link(samples, {image.name: image})
    (overlay,) = links.own_layers
    for frame in range(4):
        viewer.dims.set_point(0, frame)
        (row,) = samples.identities.rows(image.name, [1], frame)
        links.show_selection(Selection(np.array([row], np.int64)))
        for level in (0, 1):
            overlay.data_level = level
            assert overlay.get_value((frame, 3, 3), world=True)[1]
            assert not overlay.get_value((frame, 3, 12), world=True)[1]
