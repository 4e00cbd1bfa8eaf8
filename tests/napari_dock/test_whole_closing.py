"""A dock that was closed leaves nothing behind: no thread, widget, layer or callback."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from map_pixels import settle
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication

from embedscope.explorer import ColorBy


def delete_what_is_to_be_deleted() -> None:
    """Let Qt and Python delete objects; deleting may request further deletions."""
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        settle()
        gc.collect()


def listeners(viewer: Any) -> dict[str, int]:
    """Number of callbacks on the viewer and its layers, by event."""
    groups = {
        "viewer": viewer.events,
        "layers": viewer.layers.events,
        "dims": viewer.dims.events,
        "camera": viewer.scene.camera.events,
        **{layer.name: layer.events for layer in viewer.layers},
    }
    counts = {
        f"{name}.{kind}": len(getattr(emitter, "callbacks", emitter))
        for name, group in groups.items()
        for kind, emitter in _emitters(group)
    }
    counts["drags"] = len(viewer.mouse_drag_callbacks)
    counts["moves"] = len(viewer.mouse_move_callbacks)
    counts["layers"] = len(viewer.layers)
    return counts


def _emitters(group: Any) -> list[tuple[str, Any]]:
    """Those of napari's own events, and of psygnal's."""
    own = getattr(group, "emitters", None)
    return list((own if own is not None else group).items())


@pytest.fixture
def viewer(day_viewer):
    day_viewer.window.resize(700, 500)  # software rendering is faster in a small window
    return day_viewer


@pytest.mark.parametrize("n_rounds", [3, pytest.param(6, marks=pytest.mark.long)])
def test_open_train_and_close_again_and_again(viewer, open_dock, train, qtbot, n_rounds):
    before, threads = listeners(viewer), set(threading.enumerate())
    docks, widgets = [], []
    for _ in range(n_rounds):
        dock = open_dock(viewer)
        dock.explorer.set_parameters(reconstruction=False)
        train(dock)
        dock.explorer.select_rows([1, 2, 3])
        dock.explorer.color(ColorBy("feature", "area"))
        dock.view.map_panel.on_objects.setChecked(True)
        assert len(viewer.layers) == 3
        docks.append(weakref.ref(dock))
        viewer.window.remove_dock_widget(dock)
        dock.close()
        dock.deleteLater()
        del dock
        open_dock.forget()
        delete_what_is_to_be_deleted()
        widgets.append(len(QApplication.allWidgets()))
    assert listeners(viewer) == before
    assert [each() for each in docks] == [None] * n_rounds
    assert widgets[-1] <= widgets[1], widgets  # napari makes some once, with the first overlay
    qtbot.waitUntil(lambda: not _workers(threads), timeout=60_000)
    assert np.isfinite(_explorer_positions(viewer)).all()  # the trained map is kept


def _workers(before: set[threading.Thread]) -> list[str]:
    """Threads of the package that still run."""
    new = set(threading.enumerate()) - before
    return [each.name for each in new if each.name.startswith("embedscope")]


def _explorer_positions(viewer: Any) -> np.ndarray:
    _, dock = viewer.window.add_plugin_dock_widget("embedscope", "Explore embedding")
    positions = dock.explorer.embedding.positions
    dock.close_links()
    return positions
