"""Viewer, dock or layer removed while work is running: no crash, no leak, a clear message."""

from __future__ import annotations

import gc
import threading
import weakref

import numpy as np
import pytest
from dock_hands import circle_on_screen, drag_map
from map_pixels import settle
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from embedscope.napari_dock import ExplorerDock
from embedscope.napari_dock.map._gestures import Tool
from embedscope.samples import jurkat_cells

SIDE_PX = 240  # 36 cells
TIMEOUT_MS = 240_000


@pytest.fixture
def viewer(shown_viewer):
    add_cells(shown_viewer, "")
    return shown_viewer


@pytest.fixture
def dock(viewer, open_dock):
    return open_dock(viewer)


def add_cells(viewer, ending: str) -> None:
    sample = jurkat_cells()
    top, left = {"": (0, 0), " 2": (SIDE_PX, 0), " 3": (SIDE_PX, SIDE_PX)}[ending]
    part = (slice(top, top + SIDE_PX), slice(left, left + SIDE_PX))
    viewer.add_image(sample.image[part][..., 1], name=f"DNA{ending}")
    viewer.add_labels(sample.labels[part].astype(np.int32), name=f"cells{ending}")


def wait_for_threads(qtbot) -> None:
    """Wait until no work of the dock is running, and its results have arrived."""

    def are_done() -> bool:
        names = [thread.name for thread in threading.enumerate()]
        return not any(name.startswith("embedscope samples") for name in names)

    qtbot.waitUntil(are_done, timeout=TIMEOUT_MS)
    settle()


def forget(dock) -> None:
    """Delete a dock as napari does when its window is closed."""
    dock.close()
    dock.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    settle()


def test_a_layer_removed_while_its_cells_are_read(dock, viewer, qtbot):
    ready = []
    dock._prepare(lambda: ready.append(True))
    viewer.layers.remove("cells")
    qtbot.waitUntil(lambda: bool(ready), timeout=TIMEOUT_MS)
    assert len(dock.explorer.samples) == 36
    assert dock.links.layers == {}
    assert dock.view.train_panel.isEnabled()


@pytest.mark.parametrize("ending", ["dock", "viewer"])
def test_dock_or_viewer_closed_while_cells_are_read(viewer, qtbot, ending):
    dock = ExplorerDock(viewer)
    explorer, told = dock.explorer, []
    dock._prepare(lambda: told.append(True))
    dock.view.map_container.pop_out()
    if ending == "viewer":
        viewer.window.add_dock_widget(dock)
        viewer.close()  # and takes the dock along
        settle()
    else:
        forget(dock)
    wait_for_threads(qtbot)
    assert told == []
    assert explorer.samples is None


def test_a_session_that_is_opened_while_the_dock_closes(dock, viewer, lay_out, tmp_path, qtbot):
    lay_out(dock)
    dock.explorer.save(tmp_path / "kept")
    dock.explorer.set_samples(None)
    dock.open_session(str(tmp_path / "kept"))
    dock.close_links()
    wait_for_threads(qtbot)
    assert dock.explorer.samples is None
    dock.open_session(str(tmp_path / "no such folder"))
    wait_for_threads(qtbot)


def test_a_session_that_is_not_there_is_named(dock, tmp_path, qtbot):
    dock.open_session(str(tmp_path / "no such folder"))
    qtbot.waitUntil(lambda: "no such folder" in dock.view.message.text(), timeout=60_000)


def test_a_closed_dock_that_was_used_is_not_kept_alive(viewer, lay_out, qtbot):
    alive = []
    for _ in range(2):
        dock = ExplorerDock(viewer)
        viewer.window.add_dock_widget(dock)
        settle()
        lay_out(dock)
        drag_map(dock, Tool.LASSO, circle_on_screen(dock.view))
        dock.view.map_panel.keep.click()
        dock.view.map_container.pop_out()
        settle()
        alive += [weakref.ref(part) for part in (dock, dock.view, dock.view.canvas, dock._jobs)]
        viewer.window.remove_dock_widget(dock)
        forget(dock)
        del dock
    for _ in range(3):  # deleting may request further deletions
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        settle()
    gc.collect()
    assert [part() for part in alive] == [None] * len(alive)


@pytest.fixture
def trained(dock, qtbot):
    """The dock with a map, stopped as soon as there is one."""
    explorer = dock.explorer
    dock.view.train_panel.train.click()
    qtbot.waitUntil(lambda: bool(explorer.losses), timeout=TIMEOUT_MS)
    dock.view.train_panel.stop.click()
    qtbot.waitUntil(lambda: explorer.model is not None, timeout=TIMEOUT_MS)
    return dock


def test_layers_and_dock_are_removed_while_a_trained_map_is_used(trained, viewer, qtbot):
    check_apply_to_a_layer_that_is_removed(trained, viewer, qtbot)
    check_apply_to_samples_that_are_put_away(trained, viewer, qtbot)
    check_questions_of_a_dock_that_is_closed(trained, qtbot)


def check_apply_to_a_layer_that_is_removed(dock, viewer, qtbot):
    add_cells(viewer, " 2")
    choose_second(dock)
    dock.apply.click()
    viewer.layers.remove("cells 2")
    viewer.layers.remove("DNA 2")
    qtbot.waitUntil(lambda: len(dock.explorer.samples) > 36, timeout=TIMEOUT_MS)
    assert "placed on the map" in dock.view.message.text()
    assert set(dock.links.layers) == {"cells"}
    n_novel = int(dock.explorer.novel.sum())
    assert len(dock.view.canvas.map_view.points.marked) == n_novel
    assert dock.view.map_panel.legend.novel.isVisible() == (n_novel > 0)


def check_apply_to_samples_that_are_put_away(dock, viewer, qtbot):
    model = dock.explorer.model
    add_cells(viewer, " 3")
    choose_second(dock, " 3")
    dock.apply.click()
    dock.explorer.add_samples(model.samples.subset(np.arange(5)).same_way(*another_field()))
    wait_for_threads(qtbot)
    assert "Prepare them again" in dock.view.message.text()


def another_field():
    sample = jurkat_cells()
    part = (slice(0, SIDE_PX), slice(2 * SIDE_PX, 3 * SIDE_PX))
    return sample.image[part][..., 1], sample.labels[part].astype(np.int32)


def choose_second(dock, ending: str = " 2") -> None:
    panel = dock.data_panel
    panel.labels.setCurrentIndex(panel.labels.findText(f"cells{ending}"))
    for place in range(panel.images.count()):
        item = panel.images.item(place)
        item.setCheckState(type(item.checkState())(2 if item.text() == f"DNA{ending}" else 0))


def check_questions_of_a_dock_that_is_closed(dock, qtbot):
    dock.explorer.select_rows([0, 1, 2])
    dock.view.why_panel.button.click()
    dock.view.sample_panel.grid_layer.click()
    n_layers = len(dock._viewer.layers)
    dock.close_links()
    wait_for_threads(qtbot)
    assert dock.explorer.explanation is None
    assert len(dock._viewer.layers) <= n_layers
