"""Whole paths with a real training run: the sample cells, and the features of a layer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from dock_hands import box_around, click_image, click_point, drag_map, move_mouse, pixels_of
from map_pixels import settle
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from embedscope.napari_dock.data._data_choice import Kind
from embedscope.napari_dock.map._gestures import Tool
from embedscope.samples import jurkat_cells


def test_the_sample_cells_are_trained_coloured_gated_drawn_and_explained(
    jurkat_viewer, open_dock, train, qtbot
):
    dock = open_dock(jurkat_viewer)
    train(dock)
    explorer, view = dock.explorer, dock.view
    ids = np.unique(jurkat_viewer.layers["Jurkat cells"].data)[1:]
    assert explorer.samples.identities.label.tolist() == ids.tolist()
    assert explorer.samples.channel_names == ("brightfield", "DNA", "darkfield")
    _check_phases(dock, ids)
    _check_gate(dock)
    _check_look(dock)
    view.why_panel.button.click()
    why = view.why_panel.text
    qtbot.waitUntil(lambda: "DNA" in why.text() and "darkfield" in why.text(), timeout=60_000)
    view.map_panel.replay.setValue(0)
    assert explorer.embedding.epoch == explorer.replay.epochs[0]
    _check_hover(dock, qtbot)


def _check_phases(dock, ids):
    """What is known of each label colours the map, and the legend counts it."""
    panel = dock.view.map_panel
    panel.color_by.setCurrentText("phase")
    cells = jurkat_cells()
    known = dict(zip(cells.label_ids.tolist(), cells.phase.tolist(), strict=True))
    counts = np.bincount([known[label] for label in ids.tolist()], minlength=7)
    shown = {entry.label: entry.count for entry in dock.explorer.coloring.legend}
    expected = {name: count for name, count in zip(cells.phase_names, counts, strict=True) if count}
    assert {name: count for name, count in shown.items() if count} == expected


def _check_gate(dock):
    """A gate drawn by hand holds the points inside; Ctrl+Z takes it back, Ctrl+Shift+Z returns."""
    explorer, row = dock.explorer, 11
    drag_map(dock, Tool.GATE, box_around(dock, [row, 20]))
    (name,) = explorer.gates.names
    counts = explorer.gate_counts()
    assert counts["count"].sum() >= 2
    assert dock.view.gates_panel.list.topLevelItemCount() == 1
    native = dock.view.canvas.native
    QTest.keyClick(native, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert explorer.gates.names == ()
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(native, Qt.Key.Key_Z, both)
    assert explorer.gates.names == (name,)


def _check_look(dock):
    """A click with Look draws the cell there, with real ones beside it; Escape only unselects."""
    (pixel,) = pixels_of(dock, [4])
    drag_map(dock, Tool.DECODE, [pixel])
    panel = dock.view.sample_panel
    assert dock.explorer.reconstruction.neighbor_rows[0] == 4
    assert not panel.drawn.pixmap().isNull()
    assert len(dock.explorer.reconstruction.neighbor_rows) == 5
    assert "support" in panel.text.text()
    click_point(dock, 4)
    assert len(dock.explorer.selection) == 1
    QTest.keyClick(dock.view.canvas.native, Qt.Key.Key_Escape)
    assert len(dock.explorer.selection) == 0
    click_point(dock, 4)


def _check_hover(dock, qtbot):
    """The card under the pointer names the cell."""
    (pixel,) = pixels_of(dock, [9])
    move_mouse(dock.view.canvas.native, pixel)
    qtbot.waitUntil(lambda: dock.explorer.hovered.row is not None, timeout=60_000)
    row = dock.explorer.hovered.row
    assert str(dock.explorer.samples.identities.label[row]) in dock.view.card.text.text()


def test_a_table_of_features_from_layer_to_the_right_object(jurkat_viewer, open_dock, lay_out):
    layer = jurkat_viewer.layers["Jurkat cells"]
    rng = np.random.default_rng(4)
    ids = rng.permutation(np.unique(layer.data))  # the background has a row too, in the middle
    layer.features = pd.DataFrame(
        {"label": ids, "size": rng.random(len(ids)), "wave": np.sin(ids), "kind": "cell"}
    )
    dock = open_dock(jurkat_viewer)
    panel = dock.data_panel
    panel.kind.setCurrentIndex(panel.kind.findData(Kind.FEATURES))
    assert panel.choice().columns == ("size", "wave")
    lay_out(dock)
    explorer, labels = dock.explorer, dock.explorer.samples.identities.label
    assert labels.tolist() == [label for label in ids.tolist() if label]
    click_point(dock, 8)
    (row,) = explorer.selection.rows
    assert layer.get_value(jurkat_viewer.scene.camera.center[-2:], world=True) == labels[row]
    jurkat_viewer.reset_view()
    settle()
    click_image(jurkat_viewer, np.argwhere(layer.data == labels[17]).mean(axis=0))
    assert explorer.selection.rows.tolist() == [17]
