"""Whole paths where there is a third axis: time series with tracks, and anisotropic depth."""

from __future__ import annotations

import numpy as np
import pytest
from dock_hands import box_around, click_image, click_point, drag_map, pixels_of
from map_pixels import inked, pixels, settle

from embedscope.napari_dock.map._gestures import Tool

IDS = np.array([3, 7, 40, 1_000_003])  # with gaps; in a series they come back in each frame
N_FRAMES, SIDE_PX = 6, 48


def moving_cells(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Image and labels (t, y, x): four cells that wander, one of them gone from the last frame."""
    labels = np.zeros((N_FRAMES, SIDE_PX, SIDE_PX), np.int32)
    for frame in range(N_FRAMES):
        for number, label in enumerate(IDS[: 3 if frame == N_FRAMES - 1 else 4]):
            y, x = 24 * np.array(divmod(number, 2)) + 2 + rng.integers(0, 10, 2)
            labels[frame, y : y + 8, x : x + 8] = label
    image = rng.random(labels.shape, dtype=np.float32) + labels % 5
    return image, labels


def stacked_cells(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Image and labels (z, y, x): sixteen cells of two planes each, at four depths."""
    labels = np.zeros((8, SIDE_PX, SIDE_PX), np.int32)
    for number in range(16):
        y, x = 12 * np.array(divmod(number, 4)) + 2
        z = 2 * (number * 7 % 4)
        labels[z : z + 2, y : y + 8, x : x + 8] = 5 * number + 2
    image = rng.random(labels.shape, dtype=np.float32) + labels % 7
    return image, labels


def value_at_center(viewer, layer) -> int:
    """The label in the middle of the screen, in the slice on show."""
    world = np.array(viewer.dims.point, dtype=float)
    world[-2:] = viewer.scene.camera.center[-2:]
    return int(layer.get_value(world, world=True))


@pytest.fixture
def series(shown_viewer):
    image, labels = moving_cells(np.random.default_rng(0))
    scale = (30.0, 0.5, 0.5)  # seconds a frame, micrometres a pixel
    axes = ("time", "y", "x")
    shown_viewer.add_image(image, name="stain", scale=scale, axis_labels=axes)
    shown_viewer.add_labels(labels, name="cells", scale=scale, axis_labels=axes)
    return shown_viewer


def contrasts(dock) -> np.ndarray:
    """How far the map's pixel at each sample is from the background."""
    view = dock.view.canvas.map_view
    x, y = pixels_of(dock, range(len(view.points.positions))).round().astype(int).T
    shown = pixels(view)
    return np.abs(shown[y, x] - shown[1, 1]).max(axis=-1)


def test_a_time_series_from_layers_to_the_right_cell_at_the_right_time(series, open_dock, lay_out):
    dock, layer = open_dock(series), series.layers["cells"]
    assert dock.data_panel.third_axis.currentText() == "time, as the layer says"
    lay_out(dock)
    explorer, ids = dock.explorer, dock.explorer.samples.identities
    assert len(ids) == 4 * N_FRAMES - 1
    for frame in (0, N_FRAMES - 1):
        series.dims.set_current_step(0, frame)
        settle()
        away, is_now = contrasts(dock), ids.frame == frame
        assert away[is_now].min() > 1.5 * away[~is_now].max()
    row = int(np.flatnonzero((ids.frame == 2) & (ids.label == 40))[0])
    click_point(dock, row)
    assert explorer.selection.rows.tolist() == [row]
    assert series.dims.current_step[0] == 2
    assert value_at_center(series, layer) == 40
    (overlay,) = dock.links.own_layers
    marked = np.asarray(overlay.data) > 0
    np.testing.assert_array_equal(marked.any(axis=(1, 2)), np.arange(N_FRAMES) == 2)
    assert set(layer.data[marked]) == {40}


def test_a_cell_of_a_series_clicked_in_the_image_is_that_of_the_frame_on_show(
    series, open_dock, lay_out
):
    dock, layer = open_dock(series), series.layers["cells"]
    lay_out(dock)
    ids = dock.explorer.samples.identities
    for frame in (1, 4):
        series.dims.set_current_step(0, frame)
        y, x = np.argwhere(layer.data[frame] == 7).mean(axis=0)
        click_image(series, (0.5 * y, 0.5 * x))
        (row,) = dock.explorer.selection.rows
        assert (ids.frame[row], ids.label[row]) == (frame, 7)
    shown = inked(dock.view.canvas.map_view).sum()
    menu = dock.view.map_panel.points_menu
    menu.tracks.setChecked(True)
    of_one = inked(dock.view.canvas.map_view).sum()
    assert of_one > shown
    menu.shown.setCurrentText("all")
    assert inked(dock.view.canvas.map_view).sum() > max(1.2 * shown, of_one)


@pytest.fixture
def stack(shown_viewer):
    image, labels = stacked_cells(np.random.default_rng(1))
    scale = (2.0, 0.5, 0.5)  # micrometres: planes lie four times as far apart as pixels
    shown_viewer.add_image(image, name="stain", scale=scale, translate=(10.0, 0, 0))
    shown_viewer.add_labels(labels, name="cells", scale=scale, translate=(10.0, 0, 0))
    return shown_viewer


def test_a_stack_from_layers_to_the_right_plane_and_back(stack, open_dock, lay_out, qtbot):
    dock, layer = open_dock(stack), stack.layers["cells"]
    panel = dock.data_panel
    assert panel.third_axis.currentText() == "choose: time or depth"
    dock.view.train_panel.train.click()  # the axis is unknown, and is not guessed
    qtbot.waitUntil(lambda: "must be time or depth" in dock.view.message.text(), timeout=60_000)
    assert dock.explorer.samples is None
    panel.third_axis.setCurrentIndex(panel.third_axis.findData("z"))
    lay_out(dock)
    explorer, labels = dock.explorer, dock.explorer.samples.identities.label
    assert labels.tolist() == [5 * number + 2 for number in range(16)]
    for row in (1, 14):
        click_point(dock, row)
        assert explorer.selection.rows.tolist() == [row]
        planes = np.unique(np.argwhere(layer.data == labels[row])[:, 0])
        assert stack.dims.current_step[0] in planes
        assert value_at_center(stack, layer) == labels[row]
    z, y, x = np.argwhere(layer.data == labels[9])[20]
    stack.dims.set_current_step(0, int(z))
    click_image(stack, (0.5 * y, 0.5 * x))
    assert explorer.selection.rows.tolist() == [9]
    several = [0, 6, 9]
    drag_map(dock, Tool.LASSO, box_around(dock, several))
    assert set(several) <= set(explorer.selection.rows.tolist())
    (overlay,) = dock.links.own_layers
    chosen = labels[explorer.selection.rows]
    np.testing.assert_array_equal(np.asarray(overlay.data) > 0, np.isin(layer.data, chosen))
