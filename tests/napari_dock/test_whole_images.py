"""Whole paths with more than one image, and with images that are not in memory."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from dock_hands import NO_KEYS, SHIFT, box_around, click_image, click_point, drag_map
from map_pixels import settle
from qtpy.QtCore import Qt

from embedscope.napari_dock.map._gestures import Tool

PITCH_PX, N_LINES = 64, 12
SIDE_PX = PITCH_PX * N_LINES
N_CELLS = N_LINES**2


def cells(rng: np.random.Generator, n_lines: int) -> tuple[np.ndarray, np.ndarray]:
    """Image and labels (y, x): a cell in each field of a grid, ids shuffled and with gaps."""
    ids = 3 * rng.permutation(n_lines**2) + 2
    labels = np.zeros((PITCH_PX * n_lines,) * 2, np.int32)
    for number, label in enumerate(ids):
        y, x = PITCH_PX * np.array(divmod(number, n_lines)) + rng.integers(4, 24, 2)
        labels[y : y + 32, x : x + 24] = label
    return (rng.random(labels.shape, dtype=np.float32) + labels % 7).astype(np.float32), labels


def stored(folder, array: np.ndarray) -> zarr.Array:
    """The array as zarr on disk, in chunks."""
    made = zarr.create_array(folder, shape=array.shape, chunks=(256, 256), dtype=array.dtype)
    made[:] = array
    return made


@pytest.fixture
def pyramid(shown_viewer, tmp_path):
    """Labels as a pyramid of zarr, the image as a pyramid of dask over zarr, half a micrometre."""
    image, labels = cells(np.random.default_rng(2), N_LINES)
    levels = [stored(tmp_path / f"labels{k}", labels[::k, ::k]) for k in (1, 2, 4)]
    stain = [da.from_zarr(stored(tmp_path / f"image{k}", image[::k, ::k])) for k in (1, 2, 4)]
    shown_viewer.add_image(stain, name="stain", multiscale=True, scale=(0.5, 0.5))
    shown_viewer.add_labels(levels, name="cells", multiscale=True, scale=(0.5, 0.5))
    settle()
    return shown_viewer, labels


def test_a_pyramid_on_disk_from_layers_to_the_right_cell(pyramid, open_dock, lay_out):
    viewer, labels = pyramid
    dock, layer = open_dock(viewer), viewer.layers["cells"]
    lay_out(dock)
    explorer, ids = dock.explorer, dock.explorer.samples.identities.label
    assert ids.tolist() == np.unique(labels)[1:].tolist()
    viewer.reset_view()
    settle()
    y, x = np.argwhere(labels == ids[30]).mean(axis=0)
    click_image(viewer, (0.5 * y, 0.5 * x))  # all of it is on the screen, so a coarse level
    assert explorer.selection.rows.tolist() == [30]
    click_point(dock, 99)
    assert explorer.selection.rows.tolist() == [99]
    _, value = layer.get_value(viewer.scene.camera.center[-2:], world=True)
    assert value == ids[99]
    drag_map(dock, Tool.LASSO, box_around(dock, [5, 70]))
    chosen = explorer.selection.rows
    assert {5, 70} <= set(chosen) < set(range(N_CELLS))
    (overlay,) = dock.links.own_layers
    assert overlay.multiscale
    for step, level in zip((1, 2, 4), overlay.data, strict=True):
        expected = np.isin(labels[::step, ::step], ids[chosen])
        np.testing.assert_array_equal(np.asarray(level) > 0, expected)


@pytest.fixture
def two_images(shown_viewer):
    """Two fields side by side, whose cells have the same ids at other places."""
    rng = np.random.default_rng(3)
    for name, shift in (("day 1", 0.0), ("day 2", 400.0)):
        image, labels = cells(rng, 4)
        place = {"translate": (0.0, shift)}
        shown_viewer.add_image(image, name=f"stain {name}", **place)
        shown_viewer.add_labels(labels, name=name, **place)
    settle()
    return shown_viewer


def choose(dock, labels: str, image: str) -> None:
    """Choose a labels layer and one image in the dock."""
    panel = dock.data_panel
    panel.labels.setCurrentIndex(panel.labels.findText(labels))
    for place in range(panel.images.count()):
        item = panel.images.item(place)
        chosen = Qt.CheckState.Checked if item.text() == image else Qt.CheckState.Unchecked
        item.setCheckState(chosen)


def test_two_labels_layers_on_one_map_each_with_its_own_cells(two_images, open_dock, train, qtbot):
    dock, layers = open_dock(two_images), two_images.layers
    choose(dock, "day 1", "stain day 1")
    train(dock)
    choose(dock, "day 2", "stain day 2")
    dock.apply.click()
    qtbot.waitUntil(lambda: len(dock.explorer.samples) == 32, timeout=60_000)
    two_images.reset_view()
    settle()
    explorer, ids = dock.explorer, dock.explorer.samples.identities
    assert set(dock.links.layers) == {"day 1", "day 2"}
    explorer.place(np.stack(np.divmod(np.random.default_rng(0).permutation(32), 6), axis=1))
    settle()
    label = ids.label[5]  # is in both images, at different places
    for place, name in enumerate(("day 1", "day 2")):
        row = 16 * place + int(np.flatnonzero(ids.label[:16] == label)[0])
        middle = np.argwhere(layers[name].data == label).mean(axis=0)
        click_image(two_images, layers[name].data_to_world(middle), SHIFT if place else NO_KEYS)
        assert row in explorer.selection.rows
    assert [(one.source, one.label) for one in explorer.selected_ids] == [
        ("day 1", label),
        ("day 2", label),
    ]
    drag_map(dock, Tool.LASSO, box_around(dock, [2, 3, 20]))
    rows = explorer.selection.rows
    assert {2, 3, 20} <= set(rows.tolist())
    overlays = {each.name.removesuffix(" on the map"): each for each in dock.links.own_layers}
    for place, name in enumerate(("day 1", "day 2")):
        chosen = ids.label[rows[ids.source[rows] == place]]
        marked = np.asarray(overlays[name].data) > 0
        np.testing.assert_array_equal(marked, np.isin(layers[name].data, chosen))
    click_point(dock, 20)
    world = two_images.scene.camera.center[-2:]
    assert layers["day 2"].get_value(world, world=True) == ids.label[20]

    assert explorer.model is None  # `place` has put it away
    dock.view.train_panel.train.click()  # now both are learned together
    qtbot.waitUntil(lambda: explorer.model is not None, timeout=240_000)
    assert len(explorer.model.samples) == 32
    assert explorer.in_training.all()
    layers["day 1"].data_setitem((np.array([0]), np.array([0])), 1)
    dock.view.train_panel.train.click()
    assert "Press Cut again, then Train" in dock.view.message.text()
    assert len(explorer.samples) == 32
