"""Selecting in the image by a rectangle: with a real mouse on a real canvas, and beside napari."""

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


@pytest.fixture
def viewer(small_viewer):
    return small_viewer


class Hands:
    """A viewer with cells on it, linked, and what rectangles have found."""

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
        """Where a place of the labels is on the canvas, (x, y)."""
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
    hands = Hands(viewer, field())
    hands.links.rectangle.set_on(True)
    center, zoom = viewer.scene.camera.center, viewer.scene.camera.zoom
    for keys, mode in (
        (KEYS.NoModifier, "replace"),
        (KEYS.ShiftModifier, "add"),
        (KEYS.AltModifier, "subtract"),
        (KEYS.ControlModifier, "invert"),
    ):
        hands.drag((10, 10), (30, 40), keys)
        qtbot.waitUntil(lambda: bool(hands.found), timeout=60_000)
        assert hands.found.pop() == ({300, 5}, mode)
    hands.drag((50, 80), (34, 62))  # from below, from the right
    qtbot.waitUntil(lambda: bool(hands.found), timeout=60_000)
    assert hands.found.pop() == ({IDS[2]}, "replace")
    hands.drag((40, 10), (50, 70))
    qtbot.waitUntil(lambda: bool(hands.found), timeout=60_000)
    assert hands.found.pop() == (set(), "replace")
    assert viewer.scene.camera.center == center
    assert viewer.scene.camera.zoom == zoom
    hands.links.close()


def test_off_again_napari_pans_and_zooms_as_ever(viewer):
    hands = Hands(viewer, field())
    before, overlays = list(viewer.mouse_drag_callbacks), set(viewer.canvas.overlays)
    hands.links.rectangle.set_on(True)
    hands.links.rectangle.set_on(True)
    hands.links.rectangle.set_on(False)
    assert list(viewer.mouse_drag_callbacks) == before
    assert set(viewer.canvas.overlays) == overlays
    center, zoom = viewer.scene.camera.center, viewer.scene.camera.zoom
    hands.drag((10, 10), (30, 40))
    assert viewer.scene.camera.center != center
    hands.drag((10, 10), (30, 40), KEYS.AltModifier)  # napari's own zoom
    assert viewer.scene.camera.zoom > zoom
    assert hands.found == []
    hands.links.close()


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
    hands = Hands(viewer, labels, **placing)
    hands.links.rectangle.set_on(True)
    hands.drag((15, 8), (25, 20))
    qtbot.waitUntil(lambda: bool(hands.found), timeout=60_000)
    hands.drag((15, 30), (45, 85))
    qtbot.waitUntil(lambda: len(hands.found) == 2, timeout=60_000)
    assert hands.found == [({300}, "replace"), ({5, IDS[2]}, "replace")]
    hands.links.close()


def test_of_a_film_the_frame_on_show(viewer, qtbot):
    film = np.stack([field(), np.roll(field(), 28, axis=1)])
    hands = Hands(viewer, film, "tyx", scale=(60, 1, 1))
    hands.links.rectangle.set_on(True)
    rows = []
    hands.links.framed.connect(lambda found, mode: rows.append(found))
    for frame in (0, 1):
        viewer.dims.set_point(0, 60 * frame)
        hands.drag((frame, 15, 8), (frame, 25, 20))
    qtbot.waitUntil(lambda: len(rows) == 2, timeout=60_000)
    identities = hands.samples.identities
    assert [identities[int(each[0])][1:] for each in rows] == [(0, 300), (1, IDS[2])]
    hands.links.close()


def test_tools_of_layers_and_three_dimensions_come_first(viewer):
    hands = Hands(viewer, field(3), "zyx")
    told = []
    hands.links.rectangle.declined.connect(told.append)
    hands.links.rectangle.set_on(True)
    hands.cells.mode, hands.cells.selected_label, hands.cells.brush_size = "paint", 77, 3
    hands.drag((1, 5, 10), (1, 5, 60))
    assert (hands.cells.data[1, 5] == 77).any()
    hands.cells.mode = "pan_zoom"
    viewer.dims.ndisplay = 3
    hands.drag((1, 10, 10), (1, 30, 40))
    assert hands.found == []
    assert len(told) == 1
    hands.links.close()


def test_a_rectangle_is_drawn_while_the_mouse_goes(viewer):
    hands = Hands(viewer, field())
    hands.links.rectangle.set_on(True)
    hands.cells.visible = False
    settle()
    plain = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    native = canvas_of(viewer)
    start, end = hands.pixel((10, 10)), hands.pixel((50, 70))
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
    hands.links.close()


def test_nothing_is_left_behind(viewer):
    tool = ImageRectangle(viewer)
    tool.set_on(True)
    tool.set_on(False)
    gone = weakref.ref(tool)
    del tool
    gc.collect()
    assert gone() is None
