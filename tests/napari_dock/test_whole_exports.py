"""Exports of the dock's menu, through the real dialogs, read back by other programs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from dock_hands import answer_dialog, answer_file_dialog, answer_question, choose_entry
from map_pixels import settle
from napari._qt.dialogs.qt_reader_dialog import QtReaderDialog
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from embedscope import Explorer

OPENING_TIMEOUT_MS = 30_000
LOWER = [[-1, -1], [9, -1], [9, 2.5], [-1, 2.5]]
LEFT = [[-1, -1], [1.5, -1], [1.5, 9], [-1, 9]]


@pytest.fixture(autouse=True)
def qt_draws_its_dialogs(qapp):
    """A desktop's own dialogs cannot be driven."""
    attribute = Qt.ApplicationAttribute.AA_DontUseNativeDialogs
    before = QApplication.testAttribute(attribute)
    QApplication.setAttribute(attribute, True)
    yield
    QApplication.setAttribute(attribute, before)


@pytest.fixture
def dock(day_viewer, open_dock, lay_out):
    """36 cells on a grid, two gates that overlap, and five cells selected."""
    made = open_dock(day_viewer)
    lay_out(made)
    made.explorer.add_gate(LOWER, "lower", "#d55e00")
    made.explorer.add_gate(LEFT, "left, µ", "#0072b2")
    made.explorer.select_rows([0, 7, 8, 20, 35])
    return made


def export(dock, title: str, path, kind: str = "") -> None:
    """Choose an entry of the menu, and answer its dialog."""
    answer_file_dialog(path, kind)
    choose_entry(dock.menu, title)
    assert QApplication.overrideCursor() is None


def test_tables_hold_what_the_explorer_knows(dock, tmp_path):
    expected = dock.explorer.to_frame()
    export(dock, "Table as CSV…", tmp_path / "map.csv")
    assert "map.csv" in dock.view.message.text()
    table = pd.read_csv(tmp_path / "map.csv")
    pd.testing.assert_frame_equal(table, expected, check_dtype=False, check_categorical=False)
    export(dock, "Table as Parquet…", tmp_path / "map")  # the dialog adds the ending
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "map.parquet"), expected)
    export(dock, "Parameters as JSON…", tmp_path / "map.json")
    known = json.loads((tmp_path / "map.json").read_text())
    assert known == dock.explorer.parameters.to_dict()


@pytest.mark.filterwarnings("ignore")  # of what spatialdata imports
def test_annotated_tables_are_read_by_their_own_packages(dock, tmp_path):
    anndata = pytest.importorskip("anndata")
    export(dock, "AnnData…", tmp_path / "map.h5ad")
    read = anndata.read_h5ad(tmp_path / "map.h5ad")
    positions = dock.explorer.embedding.positions
    np.testing.assert_array_equal(read.obsm["X_umap"], positions)
    assert read.obs["label"].tolist() == dock.explorer.samples.identities.label.tolist()
    export(dock, "SpatialData table…", tmp_path / "map.zarr")
    table = anndata.read_zarr(tmp_path / "map.zarr")
    attributes = table.uns["spatialdata_attrs"]
    assert set(table.obs[attributes["region_key"]]) == {"day_1"}  # SpatialData has no spaces
    labels = dock.explorer.samples.identities.label
    assert table.obs[attributes["instance_key"]].tolist() == labels.tolist()


def test_gates_become_label_images_and_files_of_flow_cytometry(dock, day_viewer, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    export(dock, "Gates as label images…", tmp_path / "gates.ome.tif", kind="OME-TIFF")
    assert "gates.ome.tif" in dock.view.message.text()
    classes = tifffile.imread(tmp_path / "gates.ome.tif")
    table, pixels = dock.explorer.to_frame(), day_viewer.layers["day 1"].data
    in_left = np.isin(pixels, table["label"][table["gate:left, µ"]])
    np.testing.assert_array_equal(classes == 2, in_left)
    export(dock, "FCS and Gating-ML…", tmp_path / "map.fcs")
    assert (tmp_path / "map.fcs").read_bytes().startswith(b"FCS3.1")
    assert b"lower" in (tmp_path / "map.gating.xml").read_bytes()


def test_pictures_of_the_map_and_of_cells(dock, day_viewer, tmp_path):
    export(dock, "Picture of the map…", tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (960, 720)
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 20
    export(dock, "Picture of the map…", tmp_path / "drawing", kind="Drawing")
    drawing = (tmp_path / "drawing.svg").read_text()
    assert drawing.rstrip().endswith("</svg>")
    assert "left, µ" in drawing
    export(dock, "Montage of the selection…", tmp_path / "cells.png")
    with Image.open(tmp_path / "cells.png") as picture:
        assert np.asarray(picture).std() > 5
    # In the colours of the layer.
    day_viewer.layers["DNA"].colormap = "green"
    export(dock, "Montage of the selection…", tmp_path / "green.png")
    with Image.open(tmp_path / "green.png") as picture:
        red, green, _ = np.asarray(picture.convert("RGB"))[2:66, 2:66].transpose(2, 0, 1)
        assert red.max() == 0 < green.max()
    export(dock, "Picture of the decoded map…", tmp_path / "decoded.png")
    assert not (tmp_path / "decoded.png").exists()  # nothing was trained here
    assert "must be trained" in dock.view.message.text()


def test_gates_become_a_layer_of_classes_and_columns_of_features(dock, day_viewer, tmp_path):
    table, layer = dock.explorer.to_frame(), day_viewer.layers["day 1"]
    before = layer.data.copy()
    choose_entry(dock.menu, "Gates as a labels layer")
    made = day_viewer.layers["day 1 gates"]
    expected = np.zeros(before.max() + 1, np.uint8)
    for number, name in enumerate(dock.explorer.gates.names, start=1):
        expected[table["label"][table[f"gate:{name}"]]] = number
    np.testing.assert_array_equal(made.data, expected[before])
    assert set(np.unique(made.data)) == {0, 1, 2}
    assert made.metadata["classes"] == {1: "lower", 2: "left, µ"}
    choose_entry(dock.menu, "Map and gates as features")
    known = layer.features.set_index("index").loc[table["label"]]
    np.testing.assert_array_equal(known["umap_1"], table["umap_1"])
    np.testing.assert_array_equal(known["gate:left, µ"], table["gate:left, µ"])
    np.testing.assert_array_equal(layer.data, before)


def test_a_session_is_saved_opened_and_saved_again(dock, tmp_path, qtbot):
    explorer, home = dock.explorer, tmp_path / "monday"
    before, selected = explorer.to_frame(), explorer.selection.rows.tolist()
    export(dock, "Save session as…", home)
    pd.testing.assert_frame_equal(Explorer.open(home).to_frame(), before)
    explorer.remove_gate("lower")
    explorer.clear_selection()
    answer_question("Open without")  # the other gate is there still, and not saved like this
    export(dock, "Open session…", home)
    qtbot.waitUntil(lambda: "lower" in explorer.gates.names, timeout=OPENING_TIMEOUT_MS)
    assert explorer.selection.rows.tolist() == selected
    explorer.remove_gate("lower")
    choose_entry(dock.menu, "Save session")
    assert Explorer.open(home).gates.names == ("left, µ",)
    export(dock, "Open session…", tmp_path)
    qtbot.waitUntil(lambda: str(tmp_path) in dock.view.message.text(), timeout=OPENING_TIMEOUT_MS)
    assert explorer.gates.names == ("left, µ",)  # what was open stays


def test_a_session_dropped_into_another_viewer_opens_in_a_dock_of_its_own(
    dock, tmp_path, make_napari_viewer_proxy, qtbot
):
    before, selected = dock.explorer.to_frame(), dock.explorer.selection.rows.tolist()
    export(dock, "Save session as…", tmp_path / "monday")
    other = make_napari_viewer_proxy(show=True)
    asked = []

    def take_the_first(dialog):
        asked.append(dialog._get_plugin_choice())
        dialog.accept()

    answer_dialog(QtReaderDialog, take_the_first)  # napari's own reader takes any folder too
    other.__wrapped__.window._qt_viewer._qt_open([str(tmp_path / "monday")], stack=False)
    assert asked == ["embedscope"]
    settle()
    (opened,) = other.window.dock_widgets.values()
    qtbot.waitUntil(lambda: opened.explorer.samples is not None, timeout=OPENING_TIMEOUT_MS)
    pd.testing.assert_frame_equal(opened.explorer.to_frame(), before)
    assert opened.explorer.selection.rows.tolist() == selected
    opened.close_links()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("title", ["Table as CSV…", "AnnData…", "SpatialData table…"])
def test_a_place_that_cannot_be_written_to_is_named_and_nothing_is_lost(dock, tmp_path, title):
    (tmp_path / "file").write_text("precious")
    before = dock.explorer.to_frame()
    export(dock, title, tmp_path / "file" / "map.out")
    said = dock.view.message.text()
    assert "must be" in said
    assert str(tmp_path / "file") in said
    assert (tmp_path / "file").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    pd.testing.assert_frame_equal(dock.explorer.to_frame(), before)


def test_a_session_never_replaces_something_else(dock, tmp_path):
    (tmp_path / "file").write_text("precious")
    dock.menu.remember_session(str(tmp_path / "file"))
    choose_entry(dock.menu, "Save session")
    assert "must be" in dock.view.message.text()
    assert (tmp_path / "file").read_text() == "precious"
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.tif").write_text("precious")
    dock.menu.remember_session(str(tmp_path / "photos"))
    choose_entry(dock.menu, "Save session")
    assert "must be" in dock.view.message.text()
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["a.tif"]


def test_a_cancelled_dialog_writes_nothing_and_says_nothing(dock, tmp_path):
    dock.view.show_message("before")
    for title in ("Table as CSV…", "Save session as…", "Open session…"):
        export(dock, title, "")
    assert dock.view.message.text() == "before"
    assert [*tmp_path.iterdir()] == []
