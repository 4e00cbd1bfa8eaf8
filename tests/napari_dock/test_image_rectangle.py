"""Selecting in the image by a rectangle: real mouse, real canvas, beside napari's own tools."""

from __future__ import annotations

import gc
import weakref

import dask.array as da
import numpy as np
import pytest
from dock_hands import canvas_of, send
from map_pixels import settle
from napari.layers import Image, Labels
from qtpy.QtCore import QEvent, Qt

from embedscope.napari_dock._qt_dispatcher import QtDispatcher
from embedscope.napari_dock.data._layer_samples import CropOptions, samples_of_objects
from embedscope.napari_dock.layers._image_rectangle import ImageRectangle
from embedscope.napari_dock.layers._linked_layers import LinkedLayers

IDS = (300, 5, 2_000_000_000)
KEYS = Qt.KeyboardModifier


def field(*leading: int) -> np.ndarray:
    labels = np.zeros((*leading, 60, 90), np.int32)
    for place, label in enumerate(IDS):
        labels[..., 20:35, 5 + 28 * place : 25 + 28 * place] = label
    return labels


class Linked:
    """A viewer with linked cells, and the labels that rectangles have selected."""

    def __init__(self, viewer, labels, axes="", **placing):
        self.viewer, self.labels = viewer, labels
        data = labels if isinstance(labels, list) else [labels]
        finest = np.asarray(data[0])
        stain = Image(finest.astype(np.float32), name="stain", **placing)
        self.cells = Labels(labels, name="cells", multiscale=len(data) > 1, **placing)
        options = CropOptions(size_px=5, third_axis=axes[:1] or "t")
        self.samples = samples_of_objects(self.cells, [stain], options)
        viewer.add_layer(self.cells)
        self.dispatcher = QtDispatcher()
        self.links = LinkedLayers(viewer, self.dispatcher)
        self.links.link(self.samples, {"cells": self.cells})
        self.found: list[tuple[set[int], str]] = []
        self.links.framed.connect(self._note)
        viewer.reset_view()
        settle()

    def _note(self, rows, mode):
        self.found.append((set(self.samples.identities.label[rows].tolist()), mode))

    def pixel(self, place):
        """The canvas pixel of a position in the labels, (x, y)."""
        native, camera = canvas_of(self.viewer), self.viewer.scene.camera
        world = np.array(self.cells.data_to_world(place))[list(self.viewer.dims.displayed)[-2:]]
        middle = np.array([native.height(), native.width()]) / 2
        return (middle + (world - camera.center[-2:]) * camera.zoom)[::-1]

    def drag(self, start, end, keys=KEYS.NoModifier):
        native = canvas_of(self.viewer)
        way = np.linspace(self.pixel(start), self.pixel(end), 6)
        send(native, QEvent.Type.MouseButtonPress, way[0], keys)
        for pixel in way[1:]:
            send(native, QEvent.Type.MouseMove, pixel, keys)
        send(native, QEvent.Type.MouseButtonRelease, way[-1], keys)
        settle()


def test_a_drag_selects_what_it_touches_and_the_image_stays_where_it_is(viewer, qtbot):
    linked = Linked(viewer, field())
    linked.links.rectangle.set_on(True)
    center, zoom = viewer.scene.camera.center, viewer.scene.camera.zoom
    for keys, mode in (
        (KEYS.NoModifier, "replace"),
        (KEYS.ShiftModifier, "add"),
        (KEYS.AltModifier, "subtract"),
        (KEYS.ControlModifier, "invert"),
    ):
        linked.drag((10, 10), (30, 40), keys)
        qtbot.waitUntil(lambda: bool(linked.found), timeout=60_000)
        assert linked.found.pop() == ({300, 5}, mode)
    linked.drag((50, 80), (34, 62))  # from below, from the right
    qtbot.waitUntil(lambda: bool(linked.found), timeout=60_000)
    assert linked.found.pop() == ({IDS[2]}, "replace")
    linked.drag((40, 10), (50, 70))
    qtbot.waitUntil(lambda: bool(linked.found), timeout=60_000)
    assert linked.found.pop() == (set(), "replace")
    assert viewer.scene.camera.center == center
    assert viewer.scene.camera.zoom == zoom
    linked.links.close()


def test_once_off_napari_pans_and_zooms_again(viewer):
    linked = Linked(viewer, field())
    before, overlays = list(viewer.mouse_drag_callbacks), set(viewer.canvas.overlays)
    linked.links.rectangle.set_on(True)
    linked.links.rectangle.set_on(True)
    linked.links.rectangle.set_on(False)
    assert list(viewer.mouse_drag_callbacks) == before
    assert set(viewer.canvas.overlays) == overlays
    center, zoom = viewer.scene.camera.center, viewer.scene.camera.zoom
    linked.drag((10, 10), (30, 40))
    assert viewer.scene.camera.center != center
    linked.drag((10, 10), (30, 40), KEYS.AltModifier)  # napari's own zoom
    assert viewer.scene.camera.zoom > zoom
    assert linked.found == []
    linked.links.close()


@pytest.mark.parametrize(
    ("labels", "placing"),
    [
        (field(), {"scale": (0.5, 3), "translate": (7, -9)}),
        (field(), {"rotate": 90}),
        ([field(), field()[::2, ::2]], {"scale": (2, 2)}),
        (da.from_array(field(), chunks=16), {}),
    ],
    ids=["scaled", "rotated", "pyramid", "dask"],
)
def test_wherever_the_layer_lies(viewer, qtbot, labels, placing):
    linked = Linked(viewer, labels, **placing)
    linked.links.rectangle.set_on(True)
    linked.drag((15, 8), (25, 20))
    qtbot.waitUntil(lambda: bool(linked.found), timeout=60_000)
    linked.drag((15, 30), (45, 85))
    qtbot.waitUntil(lambda: len(linked.found) == 2, timeout=60_000)
    assert linked.found == [({300}, "replace"), ({5, IDS[2]}, "replace")]
    linked.links.close()


def test_in_a_time_series_the_displayed_frame_is_selected(viewer, qtbot):
    film = np.stack([field(), np.roll(field(), 28, axis=1)])
    linked = Linked(viewer, film, "tyx", scale=(60, 1, 1))
    linked.links.rectangle.set_on(True)
    rows = []
    linked.links.framed.connect(lambda found, mode: rows.append(found))
    for frame in (0, 1):
        viewer.dims.set_point(0, 60 * frame)
        linked.drag((frame, 15, 8), (frame, 25, 20))
    qtbot.waitUntil(lambda: len(rows) == 2, timeout=60_000)
    identities = linked.samples.identities
    assert [identities[int(each[0])][1:] for each in rows] == [(0, 300), (1, IDS[2])]
    linked.links.close()


def test_tools_of_layers_and_three_dimensions_come_first(viewer):
    linked = Linked(viewer, field(3), "zyx")
    told = []
    linked.links.rectangle.declined.connect(told.append)
    linked.links.rectangle.set_on(True)
    linked.cells.mode, linked.cells.selected_label, linked.cells.brush_size = "paint", 77, 3
    linked.drag((1, 5, 10), (1, 5, 60))
    assert (linked.cells.data[1, 5] == 77).any()
    linked.cells.mode = "pan_zoom"
    viewer.dims.ndisplay = 3
    linked.drag((1, 10, 10), (1, 30, 40))
    assert linked.found == []
    assert len(told) == 1
    linked.links.close()


def test_a_rectangle_is_drawn_while_the_mouse_goes(viewer):
    linked = Linked(viewer, field())
    linked.links.rectangle.set_on(True)
    linked.cells.visible = False
    settle()
    plain = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    native = canvas_of(viewer)
    start, end = linked.pixel((10, 10)), linked.pixel((50, 70))
    send(native, QEvent.Type.MouseButtonPress, start)
    send(native, QEvent.Type.MouseMove, (start + end) / 2)
    settle()
    send(native, QEvent.Type.MouseMove, end)
    settle()
    drawn = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    rows, columns = np.nonzero((np.abs(drawn - plain) > 40).any(axis=-1))
    ratio = drawn.shape[1] / native.width()
    (left, top), (right, bottom) = start * ratio, end * ratio
    assert [columns.min(), columns.max()] == pytest.approx([left, right], abs=4)
    assert [rows.min(), rows.max()] == pytest.approx([top, bottom], abs=4)
    send(native, QEvent.Type.MouseButtonRelease, end)
    settle()
    after = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    assert np.abs(after - plain).max() < 12
    linked.links.close()


def test_nothing_is_left_behind(viewer):
    tool = ImageRectangle(viewer)
    tool.set_on(True)
    tool.set_on(False)
    gone = weakref.ref(tool)
    del tool
    gc.collect()
    assert gone() is None
