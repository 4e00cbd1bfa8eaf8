"""A manifest in the dock: one map of many files, each opened as layers when it is looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.napari_dock.data._data_choice import Kind
from embedscope.samples import samples_from_manifest

WELLS = ["A1", "A2", "B1"]
N_CELLS = 12


def field(seed):
    labels = np.zeros((64, 80), np.uint16)
    for number in range(N_CELLS):
        row, column = divmod(number, 4)
        labels[20 * row + 4 :, 20 * column + 4 :][:9, :9] = 5 * number + 2
    pixels = np.random.default_rng(seed).integers(0, 200, (*labels.shape, 2)).astype(np.uint16)
    return pixels, labels


@pytest.fixture
def plate(tmp_path):
    rows = []
    for seed, well in enumerate(WELLS):
        pixels, labels = field(seed)
        np.save(tmp_path / f"{well}.npy", pixels)
        tifffile.imwrite(tmp_path / f"{well}_masks.tif", labels)
        rows.append((f"{well}.npy", f"{well}_masks.tif", well))
    rows.append(("none.npy", "none.tif", "C1"))
    path = tmp_path / "plate.csv"
    pd.DataFrame(rows, columns=["image", "labels", "well"]).to_csv(path, index=False)
    return str(path)


@pytest.fixture
def dock(make_napari_viewer_proxy, open_dock):
    return open_dock(make_napari_viewer_proxy())


def read(dock, plate, qtbot):
    """Choose the manifest, and take its samples, as Train does first."""
    panel = dock.data_panel
    panel.kind.setCurrentIndex(panel.kind.findData(Kind.MANIFEST))
    panel.manifest.set_path(plate)
    panel.crop_size.setValue(12)
    with qtbot.waitSignal(dock.explorer.events.samples_changed, timeout=60_000):
        dock._prepare(lambda: None)
    positions = np.random.default_rng(0).normal(size=(len(dock.explorer.samples), 2))
    dock.explorer.place(positions)
    return dock.explorer.samples


def names(dock):
    own = dock.links.own_layers
    return [layer.name for layer in dock._viewer.layers if layer not in own]


def test_a_click_opens_the_file_of_a_sample(dock, plate, qtbot):
    panel = dock.data_panel
    samples = read(dock, plate, qtbot)
    assert panel.choice().description.startswith("Objects of the images in plate.csv")
    assert not panel.labels.isVisibleTo(panel)
    assert panel.manifest.isVisibleTo(panel)
    assert len(samples) == 3 * N_CELLS
    assert samples.features["well"].tolist() == [well for well in WELLS for _ in range(N_CELLS)]
    assert "none" in dock.left_out.text(), "a file that is missing is listed"
    assert names(dock) == [], "no image is loaded as a layer"

    row = N_CELLS + 3
    dock.view.visited.emit(row)
    qtbot.waitUntil(lambda: "A2" in dock.links.layers, timeout=60_000)
    assert names(dock) == ["channel 0", "channel 1", "A2"]
    layer = dock.links.layers["A2"]
    np.testing.assert_array_equal(layer.data, field(1)[1])
    np.testing.assert_allclose(
        dock._viewer.scene.camera.center[-2:], samples.centroids[row], atol=1e-6
    )
    dock.links.picked.emit(samples.identities[row + 1], "replace")
    assert dock.explorer.selection.rows.tolist() == [row + 1]
    (overlay,) = dock.links.own_layers
    label = samples.identities[row + 1].label
    np.testing.assert_array_equal(np.asarray(overlay.data) > 0, field(1)[1] == label)

    dock.view.visited.emit(0)
    qtbot.waitUntil(lambda: "A1" in dock.links.layers, timeout=60_000)
    assert not layer.visible, "it would cover the other one"
    assert dock.links.layers["A1"].visible
    assert [each.visible for each in dock.links.own_layers] == [False, True]
    dock.view.visited.emit(row)
    assert layer.visible
    assert not dock.links.layers["A1"].visible


def test_painting_in_an_opened_file_is_noticed_and_cut_again(dock, plate, qtbot):
    before = read(dock, plate, qtbot)
    for name, row in (("A1", 0), ("A2", N_CELLS)):
        dock.view.visited.emit(row)
        qtbot.waitUntil(lambda name=name: name in dock.links.layers, timeout=20_000)
    assert "channel 0 [1]" in names(dock), "the second file has channels of the same names"
    layer = dock.links.layers["A2"]
    layer.brush_size = 5
    layer.paint((18, 58), 999)  # between the others
    assert dock.outdated.isVisibleTo(dock)
    assert "A2" in dock.outdated.text.text()
    dock.view.train_panel.train.click()
    assert "Press Cut again, then Train" in dock.view.message.text()
    assert dock.explorer.samples is before, "files would be read again, without the stroke"
    dock.outdated.cut_again.click()
    qtbot.waitUntil(lambda: dock.explorer.samples is not before, timeout=20_000)
    samples = dock.explorer.samples
    assert len(samples) == len(before) + 1
    assert not dock.outdated.isVisibleTo(dock)
    row = samples.identities.rows("A2", [999])[0]
    assert samples.features["well"].tolist() == samples.column("source").tolist()
    source, as_before = samples.sources["A2"], before.sources["A2"]
    assert source.labels_path == as_before.labels_path
    assert source.image is as_before.image, "the image is the file"
    np.testing.assert_array_equal(samples.images[np.arange(len(samples)) != row], before.images)


def test_depth_of_files_is_offered_once_it_is_said(dock, plate, tmp_path, qtbot):
    panel = dock.data_panel
    panel.kind.setCurrentIndex(panel.kind.findData(Kind.MANIFEST))
    assert panel.third_axis.currentText() == "as the files say"
    assert not panel.volumes.isVisibleTo(panel)
    panel.third_axis.setCurrentIndex(panel.third_axis.findData("z"))
    assert panel.volumes.isVisibleTo(panel)
    panel.volumes.setCurrentIndex(panel.volumes.findData("middle"))
    pixels, labels = field(0)
    stack = np.stack([pixels * 0, pixels, pixels * 0])
    np.save(tmp_path / "stack.npy", stack)
    np.save(tmp_path / "stack_masks.npy", np.stack([labels] * 3))
    rows = [("stack.npy", "stack_masks.npy")]
    pd.DataFrame(rows, columns=["image", "labels"]).to_csv(tmp_path / "stacks.csv", index=False)
    samples = read(dock, str(tmp_path / "stacks.csv"), qtbot)
    assert samples.recipe.volume == "middle"
    assert samples.images.shape == (N_CELLS, 12, 12, 2)
    assert (samples.images.max(axis=(1, 2)) > 0).all(), "the plane in the middle is not empty"


def test_a_second_manifest_is_placed_on_the_map_and_kept_in_the_session(
    dock, plate, tmp_path, train, qtbot
):
    panel, explorer = dock.data_panel, dock.explorer
    sheet = pd.read_csv(plate)
    sheet.iloc[:2].to_csv(tmp_path / "first.csv", index=False)
    sheet.iloc[1:].to_csv(tmp_path / "second.csv", index=False)
    panel.kind.setCurrentIndex(panel.kind.findData(Kind.MANIFEST))
    panel.manifest.set_path(str(tmp_path / "first.csv"))
    panel.crop_size.setValue(12)
    train(dock)
    before, places = explorer.samples, explorer.embedding.positions
    dock.apply.click()
    qtbot.waitUntil(lambda: "not on the map yet" in dock.view.message.text(), timeout=20_000)
    panel.manifest.set_path(str(tmp_path / "second.csv"))
    dock.apply.click()
    qtbot.waitUntil(lambda: len(explorer.samples) == 3 * N_CELLS, timeout=60_000)
    samples = explorer.samples
    assert list(samples.sources) == WELLS
    np.testing.assert_array_equal(samples.X[: 2 * N_CELLS], before.X)
    cut = before.same_way(*field(2), source="B1")
    np.testing.assert_array_equal(samples.X[2 * N_CELLS :], cut.X)
    np.testing.assert_array_equal(explorer.embedding.positions[: 2 * N_CELLS], places)
    assert explorer.in_training.tolist() == [True] * 2 * N_CELLS + [False] * N_CELLS
    assert "A2 (its objects are on the map" in dock.left_out.text()
    explorer.save(tmp_path / "session")
    assert not Explorer.open(tmp_path / "session").samples.absent

    row = 2 * N_CELLS + 3
    dock.view.visited.emit(row)
    qtbot.waitUntil(lambda: "B1" in dock.links.layers, timeout=20_000)
    np.testing.assert_array_equal(dock.links.layers["B1"].data, field(2)[1])
    dock.links.picked.emit(samples.identities[row], "replace")
    assert explorer.selection.rows.tolist() == [row]
    dock.view.train_panel.train.click()  # on all of them, as they are
    qtbot.waitUntil(lambda: explorer.in_training.all(), timeout=120_000)
    assert explorer.samples is samples


def test_an_opened_file_that_was_deleted_is_opened_again(dock, plate, qtbot):
    read(dock, plate, qtbot)
    for _ in range(2):
        dock.view.visited.emit(0)
        qtbot.waitUntil(lambda: "A1" in dock.links.layers, timeout=60_000)
        dock._viewer.layers.remove(dock.links.layers["A1"])
        assert "A1" not in dock.links.layers


def test_a_session_of_many_files_opens_them_later(dock, tmp_path, qtbot):
    pixels, labels = field(0)
    for number in range(9):
        np.save(tmp_path / f"{number}.npy", pixels[..., 0] + np.uint16(number))
        np.save(tmp_path / f"{number}_masks.npy", labels)
    sheet = pd.DataFrame({"image": [f"{number}.npy" for number in range(9)]})
    sheet["labels"] = [f"{number}_masks.npy" for number in range(9)]
    explorer = Explorer(samples_from_manifest(sheet, 12, folder=tmp_path))
    explorer.place(np.zeros((9 * N_CELLS, 2)))
    explorer.save(tmp_path / "session")
    dock.open_session(str(tmp_path / "session"))
    qtbot.waitUntil(lambda: dock.explorer.samples is not None, timeout=60_000)
    assert names(dock) == []
    dock.view.visited.emit(8 * N_CELLS)
    qtbot.waitUntil(lambda: "8" in dock.links.layers, timeout=60_000)


def test_objects_learn_from_the_tables_of_a_manifest(dock, plate, tmp_path):
    sheet = pd.read_csv(plate)[:3].assign(table="deep.csv", replicate=[1, 2, 3])
    sheet.to_csv(plate, index=False)
    ids = np.unique(field(0)[1])[1:]
    table = pd.DataFrame({"CellID": ids, "one": ids * 2.0, "name": "x"})
    table.to_csv(tmp_path / "deep.csv", index=False)
    panel = dock.data_panel
    panel.kind.setCurrentIndex(panel.kind.findData(Kind.MANIFEST))
    assert not panel.learned.isVisibleTo(panel)
    panel.manifest.set_path(plate)
    assert panel.learned.isVisibleTo(panel)
    panel.learned.setCurrentIndex(1)
    choice = panel.choice()
    assert choice.columns == ("one", "replicate")
    samples = choice.make()
    assert samples.is_image
    assert np.asarray(samples.learned.values).tolist() == [
        [2.0 * label, replicate] for replicate in (1, 2, 3) for label in ids
    ]


def test_what_is_no_manifest_is_refused(dock, tmp_path):
    panel = dock.data_panel
    panel.kind.setCurrentIndex(panel.kind.findData(Kind.MANIFEST))
    with pytest.raises(InvalidInputError, match="a manifest must be chosen"):
        panel.choice().make()
    pd.DataFrame({"area": [1.0, 2.0]}).to_csv(tmp_path / "table.csv")
    panel.manifest.set_path(str(tmp_path / "table.csv"))
    with pytest.raises(InvalidInputError, match="must have the columns image and labels"):
        panel.choice().make()


def test_objects_learn_from_columns_of_their_layer(dock, qtbot):
    pixels, labels = field(0)
    viewer, panel = dock._viewer, dock.data_panel
    viewer.add_image(pixels[..., 0], name="stain")
    ids = np.unique(labels)[1:]
    deep = pd.DataFrame({"label": ids, "one": ids * 2.0, "two": 1.0 / ids})
    layer = viewer.add_labels(labels, name="cells", features=deep)
    assert not panel.columns.isVisibleTo(panel)
    assert panel.learned.isVisibleTo(panel)
    assert not panel.choice().learns_from_columns
    panel.learned.setCurrentIndex(1)
    assert panel.columns.isVisibleTo(panel)
    samples = panel.choice().make()
    assert samples.is_image
    assert samples.learned.names == ("one", "two")
    np.testing.assert_allclose(np.asarray(samples.learned.values)[:, 0], 2.0 * ids)
    again = panel.choice().make_again(samples, "cells")
    np.testing.assert_array_equal(again.encoder_inputs(), samples.encoder_inputs())
    for item in (panel.columns.item(0), panel.columns.item(1)):
        item.setCheckState(panel.columns.item(0).checkState().Unchecked)
    with pytest.raises(InvalidInputError, match="a column must be chosen to learn from"):
        panel.choice().make()
    layer.features = pd.DataFrame()
    assert not panel.choice().learns_from_columns
