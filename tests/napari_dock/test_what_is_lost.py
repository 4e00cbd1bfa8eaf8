"""What is not on the map is said, and what would be lost is asked about."""

from __future__ import annotations

import numpy as np
import pytest
from dock_hands import answer_dialog, answer_file_dialog, cell_field
from qtpy.QtWidgets import QMessageBox

from embedscope import Explorer

N_CELLS = 30
TIMEOUT_MS = 20_000


@pytest.fixture
def viewer(shown_viewer):
    stain = np.random.default_rng(0).random(cell_field().shape, np.float32)
    shown_viewer.add_image(stain, name="stain")
    shown_viewer.add_labels(cell_field(), name="cells")
    return shown_viewer


def test_objects_without_pixels_are_named(viewer, open_dock, lay_out):
    dock = open_dock(viewer)
    assert not dock.left_out.isVisible()
    stain = viewer.layers["stain"].data.copy()
    for label in (10, 17, 24):
        stain[cell_field() == label] = np.nan
    viewer.layers["stain"].data = stain
    lay_out(dock)
    assert len(dock.explorer.samples) == N_CELLS - 3
    assert dock.left_out.isVisible()
    assert dock.left_out.text() == (
        "Not on the map: object 10 of frame 0 of cells (NaN or infinite pixels), object 17 of "
        "frame 0 of cells (NaN or infinite pixels) and 1 other."
    )
    assert "object 24" in dock.left_out.toolTip()
    viewer.layers["stain"].data = np.nan_to_num(stain)
    dock.outdated.cut_again.click()
    dock.explorer.set_samples(None)
    assert not dock.left_out.isVisible()


@pytest.fixture
def marked(viewer, open_dock, lay_out):
    """A dock over a map with a gate and a selection, and other data chosen."""
    dock = open_dock(viewer)
    lay_out(dock)
    dock.explorer.add_gate([[-0.5, -0.5], [2.5, -0.5], [2.5, 2.5]], "corner")
    dock.explorer.select_rows([1, 2])
    dock.data_panel.align.setChecked(True)
    return dock


def press_train(dock, button: str) -> list[str]:
    """Press Train and a button of what it asks; returns what it has asked."""
    asked: list[str] = []

    def answer(question: QMessageBox) -> None:
        asked.append(question.text())
        (found,) = [each for each in question.buttons() if each.text().startswith(button)]
        found.click()

    answer_dialog(QMessageBox, answer)
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
