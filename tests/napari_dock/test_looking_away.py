"""A sample under a resting mouse is hovered only while the image shows it."""

from __future__ import annotations

import numpy as np
import pytest
from dock_hands import canvas_of, cell_field, move_mouse
from map_pixels import settle

from embedscope.samples import SampleId


@pytest.fixture
def pointed_at(shown_viewer, open_dock, lay_out):
    """A dock over a time series whose first frame has a cell under the mouse."""
    frames = np.stack([cell_field(), np.roll(cell_field(), 12, axis=1)])
    pixels = np.random.default_rng(0).random(frames.shape, np.float32)
    axes = ("t", "y", "x")
    shown_viewer.add_image(pixels, name="stain", axis_labels=axes)
    shown_viewer.add_labels(frames, name="cells", axis_labels=axes)
    shown_viewer.reset_view()
    dock = open_dock(shown_viewer)
    lay_out(dock)
    shown_viewer.dims.set_point(0, 0)
    settle()
    native, camera = canvas_of(shown_viewer), shown_viewer.scene.camera
    middle = np.array([native.height(), native.width()]) / 2
    y, x = middle + (np.array([59, 83]) - camera.center[-2:]) * camera.zoom
    move_mouse(native, (x, y))
    row = dock.explorer.hovered.row
    assert row is not None
    assert dock.explorer.samples.identities[row] == SampleId("cells", 0, 7 * 15 + 3)
    return dock


def test_another_frame_has_another_cell_there(pointed_at, shown_viewer):
    shown_viewer.dims.set_point(0, 1)
    assert pointed_at.explorer.hovered.row is None
    assert not pointed_at.view.card.isVisible()


def test_a_deleted_layer_has_no_hovered_sample(pointed_at, shown_viewer):
    shown_viewer.layers.remove("cells")
    assert pointed_at.explorer.hovered.row is None


def test_a_sample_hovered_on_the_map_stays_hovered(pointed_at, shown_viewer):
    pointed_at.explorer.hover(5, origin="map")
    shown_viewer.dims.set_point(0, 1)
    assert pointed_at.explorer.hovered.row == 5
