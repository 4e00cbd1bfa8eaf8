"""Patches of an image and points of a Points layer, linked to the map both ways as labels are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dock_hands import box_around, canvas_of, click_image, click_point, drag_map, hover_frame, send
from hypothesis import given, settings
from hypothesis import strategies as st
from map_pixels import settle
from napari.components import ViewerModel
from napari.layers import Image, Points
from napari_mouse import drag, world_at
from qtpy.QtCore import QEvent, Qt

from embedscope.explorer import Coloring, Hovered, Selection
from embedscope.napari_dock.data._data_choice import Kind
from embedscope.napari_dock.data._layer_features import samples_of_features
from embedscope.napari_dock.data._layer_samples import samples_of_patches
from embedscope.napari_dock.layers._linked_layers import LinkedLayers
from embedscope.napari_dock.layers._patch_numbers import PatchNumbers
from embedscope.napari_dock.map._gestures import Tool
from embedscope.samples import PatchGrid, SampleId


@pytest.fixture
def image():
    return np.random.default_rng(0).random((96, 128), np.float32)


@pytest.fixture
def patched(shown_viewer, open_dock, lay_out, image):
    """A dock over an image that is cut into 6 x 8 patches of 16 pixels."""
    shown_viewer.add_image(image, name="stain", scale=(2, 2))
    dock = open_dock(shown_viewer)
    dock.data_panel.kind.setCurrentIndex(list(Kind).index(Kind.PATCHES))
    dock.data_panel.crop_size.setValue(16)
    dock.data_panel.step.setValue(16)
    lay_out(dock)
    return dock


def middle_of(dock, row):
    """Where the middle of a sample is in the world."""
    return 2 * dock.explorer.samples.centroids[row]


def test_a_click_on_a_patch_marks_it_on_the_map_and_in_the_image(patched, shown_viewer):
    row = 21
    click_image(shown_viewer, middle_of(patched, row))
    assert patched.explorer.selection.rows.tolist() == [row]
    assert patched.view.canvas.map_view.points.selected.tolist() == [row]
    (overlay,) = patched.links.own_layers
    y, x = divmod(row, 8)
    wanted = np.zeros((96, 128), bool)
    wanted[16 * y : 16 * y + 16, 16 * x : 16 * x + 16] = True
    np.testing.assert_array_equal(np.asarray(overlay.data) > 0, wanted)
    np.testing.assert_array_equal(overlay.scale, (2, 2))


def test_a_click_on_the_map_goes_to_the_patch_and_a_lasso_marks_them_all(patched, shown_viewer):
    click_point(patched, 13)
    np.testing.assert_allclose(
        shown_viewer.scene.camera.center[-2:], middle_of(patched, 13), atol=1e-6
    )
    rows = np.argsort(patched.explorer.embedding.positions[:, 0])[:12].tolist()
    drag_map(patched, Tool.LASSO, box_around(patched, rows))
    chosen = patched.explorer.selection.rows
    assert set(rows) <= set(chosen.tolist())
    (overlay,) = patched.links.own_layers
    assert (np.asarray(overlay.data) > 0).sum() == 16 * 16 * len(chosen)


def test_pointing_at_the_map_frames_the_patch_in_the_image(patched, shown_viewer):
    shown_viewer.reset_view()
    settle()
    row = 30
    patched.explorer.hover(row, origin="map")
    settle()
    native, camera = canvas_of(shown_viewer), shown_viewer.scene.camera
    middle = np.array([native.height(), native.width()]) / 2
    wanted = middle + (middle_of(patched, row) - camera.center[-2:]) * camera.zoom
    frame = hover_frame(shown_viewer)
    assert frame.visible
    np.testing.assert_allclose(np.mean(frame.position, axis=0), wanted, atol=1.5 * camera.zoom)
    side = np.ptp(frame.position, axis=0)
    np.testing.assert_allclose(side, 32 * camera.zoom, atol=8)
    camera.zoom *= 1.5
    assert not frame.visible
    patched.explorer.hover(None)
    assert not frame.visible


def test_a_rectangle_in_the_image_selects_patches(patched, shown_viewer, qtbot):
    shown_viewer.reset_view()
    patched.links.rectangle.set_on(True)
    settle()
    native, camera = canvas_of(shown_viewer), shown_viewer.scene.camera
    middle = np.array([native.width(), native.height()]) / 2
    rows = [9, 10, 17, 18]
    ends = np.array([middle_of(patched, 9), middle_of(patched, 18)]) - camera.center[-2:]
    start, end = middle + ends[:, ::-1] * camera.zoom
    send(native, QEvent.Type.MouseButtonPress, start)
    for share in (0.3, 0.7, 1):
        send(native, QEvent.Type.MouseMove, start + share * (end - start))
        settle()
    send(native, QEvent.Type.MouseButtonRelease, end)
    qtbot.waitUntil(lambda: len(patched.explorer.selection) > 0, timeout=60_000)
    assert patched.explorer.selection.rows.tolist() == rows


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 12), st.integers(1, 12), st.data())
def test_patch_numbers_are_those_of_the_grid(height, width, size, step, data):
    grid = PatchGrid(height, width, size, step)
    numbers = PatchNumbers(grid, (3, height, width))
    y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    expected = grid.label_at(y, x) or 0
    assert numbers[1, y, x] == expected
    assert numbers[:, y, x].tolist() == [expected] * 3
    assert numbers[0][y, x] == expected
    assert numbers[..., x].shape == (3, height)
    corners = grid.corners()
    if expected:
        low = corners[expected - 1]
        assert (low <= (y, x)).all()
        assert ((y, x) < low + size).all()


def test_patches_of_a_pyramid_a_film_and_an_image_with_colours():
    film = np.random.default_rng(0).random((3, 64, 64), np.float32)
    levels = [film, film[:, ::2, ::2]]
    for layer in (
        Image(levels, multiscale=True, name="stain"),
        Image(np.stack([film] * 3, axis=-1), rgb=True, name="stain"),
    ):
        viewer = ViewerModel()
        viewer.add_layer(layer)
        samples = samples_of_patches([layer], 16, 8, "t")
        links, told = LinkedLayers(viewer), []
        links.picked.connect(lambda sample, mode, told=told: told.append(sample))
        links.link(samples, {"stain": layer})
        viewer.dims.set_point(0, 2)
        drag(viewer, world_at(viewer, layer, (2, 20, 44)))
        assert told == [SampleId("stain", 2, samples.sources["stain"].patch_grid.label_at(20, 44))]
        (row,) = samples.identities.rows("stain", [told[0].label], 2)
        links.show_selection(Selection(np.array([row])))
        (overlay,) = links.own_layers
        value = overlay.get_value((2, 20, 44), world=True)
        assert (value[1] if isinstance(value, tuple) else value) > 0
        links.close()
        assert list(viewer.layers) == [layer]


# -- points ------------------------------------------------------------------------------------


def spots() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({"size": rng.random(20), "wave": rng.random(20), "kind": list("ab") * 10})


PLACES = np.stack(np.divmod(np.arange(20), 5), axis=1) * 20.0 + 10


@pytest.fixture
def spotted(shown_viewer, open_dock, lay_out):
    """A dock over 20 points with features."""
    shown_viewer.add_points(PLACES, features=spots(), size=6, name="spots")
    shown_viewer.layers["spots"].mode = "pan_zoom"
    dock = open_dock(shown_viewer)
    dock.data_panel.kind.setCurrentIndex(list(Kind).index(Kind.FEATURES))
    assert dock.data_panel.choice().columns == ("size", "wave")
    lay_out(dock)
    return dock


def test_a_click_on_a_point_of_the_image_and_on_one_of_the_map(spotted, shown_viewer):
    points = shown_viewer.layers["spots"]
    colors = points.face_color.copy()
    shown_viewer.reset_view()
    settle()
    click_image(shown_viewer, PLACES[7])
    assert spotted.explorer.selected_ids == [SampleId("spots", 0, 8)]
    (markers,) = spotted.links.own_layers
    np.testing.assert_array_equal(markers.data[markers.shown], PLACES[[7]])
    click_image(shown_viewer, PLACES[12], Qt.KeyboardModifier.ShiftModifier)
    assert [each.label for each in spotted.explorer.selected_ids] == [8, 13]
    click_point(spotted, 3)
    np.testing.assert_allclose(shown_viewer.scene.camera.center[-2:], PLACES[3], atol=1e-6)
    np.testing.assert_array_equal(markers.data[markers.shown], PLACES[[3]])
    np.testing.assert_array_equal(points.face_color, colors)
    assert points.features.columns.tolist() == ["size", "wave", "kind"]
    assert points.selected_data == set()


def linked_points(places=PLACES, third_axis="t", **placing):
    viewer = ViewerModel()
    layer = Points(places, features=spots(), size=6, name="spots", **placing)
    viewer.add_layer(layer)
    samples = samples_of_features(layer, ["size", "wave"], third_axis)
    links, told = LinkedLayers(viewer), []
    links.picked.connect(lambda sample, mode: told.append(sample))
    links.link(samples, {"spots": layer})
    return viewer, layer, links, told, samples


def test_points_that_are_removed_added_and_moved_keep_their_identities():
    viewer, layer, links, told, _ = linked_points()
    layer.remove([0, 5])
    layer.add([[200.0, 200.0]])
    layer.data[2] = [150, 10]  # once the fourth
    layer.events.data(value=layer.data, action="changed", data_indices=(2,), vertex_indices=((),))
    for place, label in ((PLACES[7], 8), ((150, 10), 4), ((200, 200), None), (PLACES[5], None)):
        drag(viewer, tuple(place))
        assert (told.pop() or (None,))[-1] == label
    links.show_selection(Selection(np.array([3, 5, 7])))
    (markers,) = links.own_layers
    assert markers.data[markers.shown].tolist() == [[150, 10], PLACES[7].tolist()]


def test_points_of_a_film_and_of_a_stack_wherever_it_lies():
    places = np.insert(PLACES, 0, np.arange(20) % 4, axis=1)
    for third_axis in "tz":
        viewer, layer, links, told, samples = linked_points(
            places, third_axis, scale=(3, 2, 0.5), translate=(0, 5, -7)
        )
        viewer.dims.set_point(0, 3 * 2)
        drag(viewer, world_at(viewer, layer, places[6]))
        assert told == [SampleId("spots", 2 if third_axis == "t" else 0, 7)]
        links.show_selection(Selection(np.array([6])))
        (markers,) = links.own_layers
        np.testing.assert_allclose(markers.data_to_world(places[6]), layer.data_to_world(places[6]))
        layer.translate = (0, 50, 50)
        np.testing.assert_allclose(markers.data_to_world(places[6]), layer.data_to_world(places[6]))
        assert samples.centroids.shape == (20, 2 if third_axis == "t" else 3)
        links.close()


def test_points_in_other_units_than_the_world_are_met_and_marked_where_they_are():
    viewer, layer, links, told, _ = linked_points(scale=(0.5, 0.5))
    layer.units = ("um", "um")
    viewer.add_image(np.zeros((9, 9)), units=("nm", "nm"))
    drag(viewer, tuple(PLACES[7] * 500))
    assert told == [SampleId("spots", 0, 8)]
    (markers,) = links.own_layers
    assert markers.units == layer.units
    assert viewer.dims.units[0] == "nanometer"


def test_colours_lie_on_the_points_and_the_unlike_have_a_rim():
    _, _, links, _, samples = linked_points()
    palette = np.full((251, 4), 255, np.uint8)
    palette[:, 0] = np.arange(251)
    levels = np.arange(1, 21, dtype=np.uint8)
    levels[4] = 0
    links.show_coloring(Coloring(levels, palette))
    (markers,) = links.own_layers
    assert not markers.shown.any()
    links.set_colors_objects(True)
    assert np.flatnonzero(~markers.shown).tolist() == [4]
    np.testing.assert_allclose(markers.face_color[9], [10 / 255, 1, 1, 1], atol=0.003)
    novel = np.zeros(len(samples), bool)
    novel[9] = True
    links.set_novel(novel)
    links.set_marks_novel(True)
    np.testing.assert_allclose(markers.border_color[9, :3] * 255, [213, 94, 0], atol=1)
    np.testing.assert_allclose(markers.face_color[9], [10 / 255, 1, 1, 1], atol=0.003)


def test_nothing_is_left_of_the_markers():
    viewer, layer, links, _, _ = linked_points()
    other = Points(PLACES)
    ViewerModel().add_layer(other)
    links.show_hovered(Hovered(3))
    links.close()
    links.close()
    assert list(viewer.layers) == [layer]
    for name, emitter in layer.events.emitters.items():
        assert len(emitter.callbacks) == len(other.events.emitters[name].callbacks), name
