"""Samples missing on the map are named, and before marks are lost the user is asked."""

from __future__ import annotations

import numpy as np
import pytest
from dock_hands import answer_file_dialog, answer_question, cell_field

from embedscope import Explorer

N_CELLS = 30
TIMEOUT_MS = 20_000


def test_objects_without_pixels_are_named(cells_viewer, open_dock, lay_out):
    dock = open_dock(cells_viewer)
    assert not dock.left_out.isVisible()
    stain = cells_viewer.layers["stain"].data.copy()
    for label in (10, 17, 24):
        stain[cell_field() == label] = np.nan
    cells_viewer.layers["stain"].data = stain
    lay_out(dock)
    assert len(dock.explorer.samples) == N_CELLS - 3
    assert dock.left_out.isVisible()
    assert dock.left_out.text() == (
        "Left out or changed: object 10 of frame 0 of cells (NaN or infinite pixels), object 17 of "
        "frame 0 of cells (NaN or infinite pixels) and 1 other."
    )
    assert "object 24" in dock.left_out.toolTip()
    cells_viewer.layers["stain"].data = np.nan_to_num(stain)
    dock.outdated.cut_again.click()
    dock.explorer.set_samples(None)
    assert not dock.left_out.isVisible()


@pytest.fixture
def marked(cells_viewer, open_dock, lay_out):
    """A dock over a map with a gate and a selection, and other data chosen."""
    dock = open_dock(cells_viewer)
    lay_out(dock)
    dock.explorer.add_gate([[-0.5, -0.5], [2.5, -0.5], [2.5, 2.5]], "corner")
    dock.explorer.select_rows([1, 2])
    dock.data_panel.align.setChecked(True)
    return dock


def press_train(dock, button: str) -> list[str]:
    """Press Train and a button of what it asks; returns what it has asked."""
    asked = answer_question(button)
    dock.view.train_panel.train.click()
    return asked


def test_training_on_other_data_is_asked_about_and_can_be_left(marked):
    before = marked.explorer.samples
    (asked,) = press_train(marked, "Cancel")
    assert "1 gate and a selection of 2 samples" in asked
    assert marked.explorer.samples is before
    assert marked.explorer.gates.names == ("corner",)
    assert marked.view.train_panel.train.isEnabled()
    assert "as it was" in marked.view.message.text()


def test_the_old_map_is_kept_with_its_gates(marked, tmp_path, qtbot):
    before = marked.explorer.samples
    answer = answer_file_dialog
    original = marked.menu.keep_session

    def keep() -> bool:
        answer(tmp_path / "old")  # comes up after the question
        return original()

    marked.menu.keep_session = keep
    press_train(marked, "Keep")
    qtbot.waitUntil(lambda: marked.explorer.samples is not before, timeout=TIMEOUT_MS)
    marked.explorer.stop()
    marked.explorer.wait(60)
    assert Explorer.open(tmp_path / "old").gates.names == ("corner",)
    assert marked.explorer.gates.names == ()


def test_without_them_and_without_marks_nothing_is_in_the_way(marked, qtbot):
    explorer = marked.explorer
    before = explorer.samples
    press_train(marked, "Train without")
    qtbot.waitUntil(lambda: explorer.samples is not before, timeout=TIMEOUT_MS)
    explorer.stop()
    explorer.wait(60)
    before = explorer.samples
    marked.data_panel.align.setChecked(False)
    marked._prepare(lambda: None)
    qtbot.waitUntil(lambda: explorer.samples is not before, timeout=TIMEOUT_MS)


def test_gates_drawn_while_samples_are_read_are_asked_about_too(
    cells_viewer, open_dock, lay_out, qtbot
):
    dock = open_dock(cells_viewer)
    lay_out(dock)
    before = dock.explorer.samples
    dock.data_panel.align.setChecked(True)
    dock.view.train_panel.train.click()
    assert not dock.view.train_panel.isEnabled()
    dock.explorer.add_gate([[-0.5, -0.5], [2.5, -0.5], [2.5, 2.5]], "corner")
    asked = answer_question("Cancel")
    qtbot.waitUntil(dock.view.train_panel.isEnabled, timeout=TIMEOUT_MS)
    assert "1 gate" in asked[0]
    assert dock.explorer.samples is before
    assert dock.explorer.gates.names == ("corner",)


@pytest.fixture
def another_session(tmp_path):
    """A session with a gate of its own."""
    explorer = Explorer(np.random.default_rng(1).random((12, 3)).astype(np.float32))
    explorer.place(np.arange(24).reshape(12, 2))
    explorer.add_gate([[0, 0], [9, 0], [9, 9]], "other")
    explorer.save(tmp_path / "other")
    return str(tmp_path / "other")


def test_opening_a_session_is_asked_about_as_training_is(marked, another_session, qtbot):
    before = marked.explorer.samples
    asked = answer_question("Cancel")
    marked.open_session(another_session)
    qtbot.waitUntil(lambda: "as it was" in marked.view.message.text(), timeout=TIMEOUT_MS)
    assert "1 gate and a selection of 2 samples, which would be gone with it" in asked[0]
    assert marked.explorer.samples is before
    assert marked.explorer.gates.names == ("corner",)
    answer_question("Open without them")
    marked.open_session(another_session)
    qtbot.waitUntil(lambda: marked.explorer.gates.names == ("other",), timeout=TIMEOUT_MS)


def test_what_is_saved_is_not_asked_about(marked, another_session, tmp_path, qtbot):
    answer_file_dialog(tmp_path / "mine")
    assert marked.menu.keep_session()
    marked.open_session(another_session)
    qtbot.waitUntil(lambda: marked.explorer.gates.names == ("other",), timeout=TIMEOUT_MS)
    marked.open_session(str(tmp_path / "mine"))
    qtbot.waitUntil(lambda: marked.explorer.gates.names == ("corner",), timeout=TIMEOUT_MS)
    marked.explorer.edit_gate("corner", name="mine")
    asked = answer_question("Cancel")
    marked.open_session(another_session)
    qtbot.waitUntil(lambda: bool(asked), timeout=TIMEOUT_MS)
    assert marked.explorer.gates.names == ("mine",)


def test_a_trained_map_without_marks_is_asked_about(
    cells_viewer, open_dock, train, another_session, tmp_path, qtbot
):
    dock = open_dock(cells_viewer)
    train(dock)
    asked = answer_question("Open without it")
    dock.open_session(another_session)
    qtbot.waitUntil(lambda: dock.explorer.gates.names == ("other",), timeout=TIMEOUT_MS)
    assert "has not been saved" in asked[0]


def test_a_failure_leaves_what_is_known_of_the_layers(marked, cells_viewer, qtbot):
    explorer, cells = marked.explorer, cells_viewer.layers["cells"]
    cells.data_setitem((np.array([50]), np.array([50])), 9)
    assert marked.outdated.isVisible()
    cells_viewer.layers["stain"].scale = (2, 2)  # does not lie on the cells
    before = explorer.samples
    press_train(marked, "Train without")
    qtbot.waitUntil(marked.view.train_panel.isEnabled, timeout=TIMEOUT_MS)
    assert "scale and place" in marked.view.message.text()
    assert explorer.samples is before
    assert marked.outdated.isVisible()
    cells_viewer.layers["stain"].scale = (1, 1)
    marked.outdated.cut_again.click()
    assert not marked.view.train_panel.isEnabled()
    assert not marked.outdated.cut_again.isEnabled()
    qtbot.waitUntil(lambda: explorer.samples is not before, timeout=TIMEOUT_MS)
    assert marked.view.train_panel.isEnabled()
    assert explorer.gates.names == ("corner",)


def test_without_layers_nothing_is_asked_before_that_is_said(marked, cells_viewer):
    cells_viewer.layers.remove("stain")
    marked.view.train_panel.train.click()
    assert "an image must be chosen" in marked.view.message.text()
    cells_viewer.layers.clear()
    marked.view.train_panel.train.click()
    assert "a labels layer must be chosen" in marked.view.message.text()
    assert marked.explorer.gates.names == ("corner",)
