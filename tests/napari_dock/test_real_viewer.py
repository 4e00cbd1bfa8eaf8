"""The toolkit parts in a real viewer: real mouse events, real pixels, floating and closing."""

from __future__ import annotations

import numpy as np
import pytest
from dock_hands import move_mouse
from map_pixels import inked, settle
from napari.layers import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from embedscope.explorer import Selection
from embedscope.napari_dock.data._layer_samples import CropOptions, samples_of_objects
from embedscope.napari_dock.layers._linked_layers import LinkedLayers
from embedscope.napari_dock.layers._picking import go_to
from embedscope.napari_dock.map._map_canvas import MapCanvas
from embedscope.samples import SampleId

IDS = (300, 5, 2_000_000_000)


def field() -> np.ndarray:
    labels = np.zeros((60, 90), np.int32)
    for place, label in enumerate(IDS):
        labels[20:35, 5 + 28 * place : 25 + 28 * place] = label
    return labels


@pytest.fixture
def viewer(small_viewer):
    return small_viewer


def test_a_click_into_the_image_a_lasso_on_it_and_a_map_that_floats(viewer):
    stain = Image(field().astype(np.float32), name="stain")
    cells = viewer.add_labels(field(), name="cells", scale=(1, 1))
    viewer.layers.selection.active = cells
    samples = samples_of_objects(cells, [stain], CropOptions(size_px=5))
    links, told = LinkedLayers(viewer), []
    links.picked.connect(lambda sample, mode: told.append((sample, mode)))
    links.link(samples, {"cells": cells})
    cells.visible = False  # what is white now is the overlay's alone
    settle()
    assert not lit(viewer).any()
    links.show_selection(Selection(np.array([1])))
    settle()
    rim = lit(viewer)
    assert rim.any()
    columns = np.flatnonzero(rim.any(axis=0)) / rim.shape[1]
    middle = int(samples.centroids[1, 1])
    cells.visible = True
    go_to(viewer, cells, samples, 1)
    settle()
    native = viewer.__wrapped__.window._qt_viewer.canvas.native  # a test may look behind the proxy
    center = QPoint(native.width() // 2, native.height() // 2)
    move_mouse(native, (center.x(), center.y()))
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, center)
    settle()
    assert told == [(samples.identities[1], "add")]
    assert field()[25, middle] == samples.identities[1].label
    assert isinstance(told[0][0], SampleId)
    assert columns.max() - columns.min() < 0.35  # one object's width, not all of them
    float_a_map(viewer)
    links.close()
    assert [layer.name for layer in viewer.layers] == ["cells"]


def float_a_map(viewer) -> None:
    """A dock that is made to float, and put back, still shows its points."""
    canvas = MapCanvas()
    dock = viewer.window.add_dock_widget(canvas, name="map", area="right")
    canvas.map_view.set_positions(np.array([[0, 0], [1, 1], [0.2, 0.7]], np.float32))
    settle()
    n_inked = inked(canvas.map_view).sum()
    assert n_inked > 20
    for floats in (True, False):
        dock.setFloating(floats)
        settle()
        canvas.map_view.points.set_selected(np.array([1]))
        canvas.map_view.points.set_selected(np.array([], np.int64))
        assert inked(canvas.map_view).sum() == pytest.approx(n_inked, rel=0.25)
    viewer.window.remove_dock_widget(dock)
    settle()


def lit(viewer) -> np.ndarray:
    """Pixels of the canvas that are not background."""
    shown = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    return (np.abs(shown - shown[2, 2]) > 40).any(axis=-1)
