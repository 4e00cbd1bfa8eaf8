"""A viewer, a dock or a layer that is removed during training, while the process goes on."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from map_pixels import settle
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from embedscope.training import Phase, Status

TIMEOUT_MS = 240_000


@pytest.fixture
def failures(monkeypatch):
    """Errors in Qt's callbacks, which are not raised elsewhere."""
    told = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: told.append(repr(error)))
    return told


@pytest.fixture
def training(day_viewer, open_dock, qtbot):
    """A dock whose run has just begun to fit, with hours to go."""
    dock = open_dock(day_viewer)
    dock.explorer.set_parameters(n_training_epochs=100, reconstruction=False)
    dock.view.train_panel.train.click()
    qtbot.waitUntil(lambda: bool(dock.explorer.losses), timeout=TIMEOUT_MS)
    open_dock.forget()
    return dock


def press_the_windows_cross(viewer, dock):
    window = getattr(viewer, "__wrapped__", viewer).window  # behind the proxy for plugins
    window._qt_window.close()
    del window._qt_window  # as napari does, so that it is not closed twice


def close_the_viewer(viewer, dock):
    viewer.close()


def press_the_docks_cross(viewer, dock):
    QTest.mouseClick(dock.parent().title.close_button, Qt.MouseButton.LeftButton)


def press_both_crosses(viewer, dock):
    press_the_docks_cross(viewer, dock)
    let_go()
    press_the_windows_cross(viewer, dock)


def let_go() -> None:
    """Let Qt delete objects; deleting may request further deletions."""
    for _ in range(3):
        settle()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    settle()


@pytest.mark.parametrize(
    "end", [press_the_windows_cross, close_the_viewer, press_both_crosses], ids=lambda f: f.__name__
)
def test_the_run_of_a_viewer_that_is_closed_stops_and_keeps_its_map(
    training, day_viewer, qtbot, failures, end
):
    explorer = training.explorer
    training.view.map_container.pop_out()
    end(day_viewer, training)
    let_go()
    qtbot.waitUntil(lambda: explorer.status.phase.is_finished, timeout=60_000)
    assert explorer.status.phase is Phase.STOPPED
    assert np.isfinite(explorer.model.embedding).all()
    explorer.select_rows([1, 2])  # no deleted listener is called
    settle()
    windows = [each for each in QApplication.topLevelWidgets() if each.isVisible()]
    assert not [each for each in windows if each.windowTitle() == "Map"]
    assert failures == []


def test_a_window_that_is_closed_while_napari_shows_the_activity(
    day_viewer, open_dock, qtbot, failures
):
    """Napari processes Qt events in there, and the dock is deleted when the call returns."""
    dock = open_dock(day_viewer)
    open_dock.forget()

    def close() -> None:
        press_the_windows_cross(day_viewer, dock)
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    QTimer.singleShot(0, close)
    dock.explorer.events.status_changed.emit(Status(run_id=1, phase=Phase.PREPARING))
    dock.explorer.events.status_changed.emit(Status(run_id=1, phase=Phase.FITTING))
    let_go()
    assert dock._is_closed
    assert failures == []


def test_the_run_of_a_dock_that_is_closed_goes_on_and_is_found_again(
    training, day_viewer, open_dock, qtbot, failures
):
    explorer = training.explorer
    press_the_docks_cross(day_viewer, training)
    let_go()
    assert [layer.name for layer in day_viewer.layers] == ["DNA", "day 1"]
    n_entries = len(explorer.losses["loss"])
    qtbot.waitUntil(lambda: len(explorer.losses["loss"]) > n_entries, timeout=60_000)
    _, dock = day_viewer.window.add_plugin_dock_widget("embedscope", "Explore embedding")
    assert dock.explorer is explorer
    assert dock.view.train_panel.stop.isEnabled()
    dock.view.train_panel.stop.click()
    assert dock.view.train_panel.text.text() == "Stopping…"
    qtbot.waitUntil(lambda: explorer.status.phase.is_finished, timeout=60_000)
    qtbot.waitUntil(lambda: "day 1" in dock.links.layers, timeout=60_000)
    dock.close_links()
    assert failures == []


def test_the_run_of_a_layer_that_is_removed_goes_on(training, day_viewer, qtbot, failures):
    explorer = training.explorer
    day_viewer.layers.clear()
    settle()
    assert "removed" in training.view.message.text()
    n_entries = len(explorer.losses["loss"])
    qtbot.waitUntil(lambda: len(explorer.losses["loss"]) > n_entries, timeout=60_000)
    training.view.train_panel.stop.click()
    qtbot.waitUntil(lambda: explorer.status.phase.is_finished, timeout=60_000)
    assert explorer.model is not None
    training.close_links()
    assert failures == []


def test_napari_may_open_windows_while_tensorflow_loads():
    """Keras imports IPython, and napari asks a half-imported one where it runs."""
    script = """
import time
import embedscope.napari_dock._dock
from napari.utils.misc import in_jupyter
from embedscope.training import start_loading
from embedscope.training._loading import is_loaded
start_loading()
while not is_loaded():
    assert not in_jupyter()
    time.sleep(0.0005)  # a tight loop would hardly let the other thread go on
"""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
