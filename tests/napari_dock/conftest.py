"""OpenGL is initialised before TensorFlow, as in napari; Mesa crashes in the other order."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import qtpy
import vispy.app
from map_pixels import settle
from vispy.scene import SceneCanvas

if qtpy.PYSIDE6 and sys.version_info < (3, 12):
    # PySide6 gives back more references to None than it took, some 8,000 a viewer; before Python
    # 3.12 None dies of that after a dozen viewers. These are held until the process is gone.
    nones = [None] * 10_000_000
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(nones))

CUTTING_TIMEOUT_MS, TRAINING_TIMEOUT_MS = 60_000, 240_000
settled: set[str] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Exclude the permanent objects of the large libraries from garbage collection.

    A viewer causes about three full collections, each a third of a second with TensorFlow.
    """
    loaded = {"napari", "tensorflow"} & sys.modules.keys()
    if loaded - settled:
        settled.update(loaded)
        gc.collect()
        gc.freeze()


def collect_all_again() -> None:
    gc.unfreeze()
    settled.clear()


@pytest.fixture
def usual_collector() -> None:
    """For a test of the effects of full garbage collections on the viewer."""
    collect_all_again()


@pytest.fixture(scope="package", autouse=True)
def collector_afterwards() -> Iterator[None]:
    """Restore the usual garbage collector for the tests of other packages."""
    yield
    collect_all_again()


@pytest.fixture(scope="session", autouse=True)
def graphics_first(qapp):
    """A first OpenGL context: TensorFlow is imported by the first test that trains."""
    vispy.app.use_app(qtpy.API_NAME)
    canvas = SceneCanvas(keys=None, show=True, size=(32, 32))
    canvas.render()
    canvas.close()


@pytest.fixture
def show_widget(qtbot):
    """``show_widget(widget, width, height)`` shows it until the end of the test."""

    def show_it(widget, width, height):
        qtbot.addWidget(widget)
        widget.resize(width, height)
        with qtbot.waitExposed(widget):
            widget.show()
        settle()
        return widget

    return show_it


@pytest.fixture
def small_viewer(make_napari_viewer_proxy):
    """A viewer of 900 x 700 pixels on the screen."""
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(900, 700)
    settle()
    return viewer


@pytest.fixture
def shown_viewer(make_napari_viewer_proxy):
    """A viewer on the screen, behind the proxy that plugins get."""
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(1200, 900)
    viewer.window.activate()  # keys go to no window that is not in front
    settle()
    return viewer


@pytest.fixture
def open_dock():
    """``open_dock(viewer)`` opens the dock as the menu does, with the shortest training.

    After ``open_dock.forget()`` the test has to close the docks itself.
    """
    opened = []

    def open_it(viewer):
        _, dock = viewer.window.add_plugin_dock_widget("embedscope", "Explore embedding")
        opened.append(dock)
        dock.explorer.set_parameters(n_neighbors=5, n_training_epochs=1, encoder="dense")
        settle()
        return dock

    open_it.forget = opened.clear
    yield open_it
    for dock in opened:
        if dock.explorer.status.phase.is_at_work:
            dock.explorer.stop()
            dock.explorer.wait(60)
        dock.close_links()


@pytest.fixture
def train(qtbot):
    """``train(dock)`` presses Train and waits for the map."""

    def train_it(dock):
        dock.view.train_panel.train.click()
        qtbot.waitUntil(lambda: dock.explorer.status.phase.is_finished, timeout=TRAINING_TIMEOUT_MS)
        assert dock.explorer.status.phase.value == "done", dock.view.message.text()
        settle()

    return train_it


@pytest.fixture
def lay_out(qtbot):
    """``lay_out(dock)`` cuts the samples as Train does, and places them on a grid of the map.

    It trains nothing, which would take seconds: for tests that hold for any map.
    """

    def lay_it_out(dock):
        ready = []
        dock._prepare(lambda: ready.append(True))
        qtbot.waitUntil(lambda: bool(ready), timeout=CUTTING_TIMEOUT_MS)
        n_samples = len(dock.explorer.samples)
        n_columns = int(np.ceil(np.sqrt(n_samples)))
        places = np.random.default_rng(0).permutation(n_samples)
        dock.explorer.place(np.stack([places % n_columns, places // n_columns], axis=1))
        settle()

    return lay_it_out
