"""Shared fixtures. OpenGL starts before TensorFlow: Mesa crashes in the other order."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import qtpy
import vispy.app
from dock_hands import cell_field
from map_pixels import settle
from sessions import cells
from vispy.scene import SceneCanvas

from embedscope.napari_dock._sample_data import jurkat_layers

if qtpy.PYSIDE6 and sys.version_info < (3, 12):
    # PySide6 releases more references to None than it took, some 8,000 per viewer; before Python
    # 3.12 None is deleted after a dozen viewers. These are held until the process ends.
    nones = [None] * 10_000_000
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(nones))

CUTTING_TIMEOUT_MS, TRAINING_TIMEOUT_MS = 60_000, 240_000
settled: set[str] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Exclude the permanent objects of the large libraries from garbage collection.

    There are some three full collections per viewer, each a third of a second with TensorFlow.
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
    """Reset the collector for tests of other packages."""
    yield
    collect_all_again()


@pytest.fixture(scope="session", autouse=True)
def graphics_first(qapp):
    """Create an OpenGL context before the first test that trains imports TensorFlow."""
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
def shown_viewer(make_napari_viewer_proxy):
    """A viewer on the screen, behind napari's proxy for plugins."""
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(1200, 900)
    viewer.window.activate()  # keys only go to the window in front
    settle()
    return viewer


@pytest.fixture
def viewer(make_napari_viewer_proxy):
    """A viewer of 900 x 700 px on the screen."""
    viewer = make_napari_viewer_proxy(show=True)
    viewer.window.resize(900, 700)
    settle()
    return viewer


@pytest.fixture
def cells_viewer(shown_viewer):
    """30 cells with a random stain, all of them in view."""
    stain = np.random.default_rng(0).random(cell_field().shape, np.float32)
    shown_viewer.add_image(stain, name="stain")
    shown_viewer.add_labels(cell_field(), name="cells")
    shown_viewer.reset_view()
    return shown_viewer


@pytest.fixture
def day_viewer(shown_viewer):
    """The layers of the first day of `sessions`: 36 cells and their DNA."""
    image, labels = cells()
    shown_viewer.add_image(image[..., 0], name="DNA")
    shown_viewer.add_labels(labels, name="day 1")
    return shown_viewer


@pytest.fixture
def jurkat_viewer(shown_viewer):
    """The layers of the sample data "Jurkat cells", a corner with 36 cells."""
    for data, about, kind in jurkat_layers():
        getattr(shown_viewer, f"add_{kind}")(data[:240, :240], **about)
    settle()
    return shown_viewer


@pytest.fixture
def open_dock():
    """``open_dock(viewer)`` opens the dock as the menu does, with the shortest training.

    After ``open_dock.forget()`` the test closes the docks itself.
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

    Nothing is trained, which saves seconds: for tests that hold for any map.
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
