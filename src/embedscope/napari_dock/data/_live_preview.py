"""Updates the preview of the data panel, a moment after the choice has changed."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer

from embedscope.napari_dock.data._data_panel import DataPanel
from embedscope.napari_dock.data._layer_places import finest_of
from embedscope.napari_dock.data._previewing import Place, Preview
from embedscope.napari_dock.data._world import to_data
from embedscope.napari_dock.widgets._background import Background
from embedscope.training import Dispatcher

_PAUSE_MS = 250


class LivePreview:
    """Cuts a few samples in the background whenever the choice changes.

    While the panel is collapsed nothing is read. If no sample is in view, it cuts again whenever
    the view moves.

    Parameters
    ----------
    viewer : napari.Viewer
        Samples are cut around the middle of its view.
    panel : DataPanel
    dispatcher : callable
        Runs callbacks in the main thread.
    """

    def __init__(self, viewer: Any, panel: DataPanel, dispatcher: Dispatcher) -> None:
        self._viewer = viewer
        self._panel = panel
        self._work = Background(dispatcher)
        self._wanted = threading.Event()
        self._timer = QTimer(panel)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._cut)
        self._is_empty = False
        panel.changed.connect(self.request)
        panel.shown.connect(self.request)
        for event in self._moves():
            event.connect(self._look_again)

    def request(self) -> None:
        """Show the description at once, and cut samples once the choice stops changing."""
        self._forget()
        self._panel.preview.show_text(self._panel.choice().description)
        self._timer.start()

    def close(self) -> None:
        """Stop cutting; a second call does nothing."""
        self._forget()
        self._panel.changed.disconnect(self.request, missing_ok=True)
        self._panel.shown.disconnect(self.request, missing_ok=True)
        for event in self._moves():
            with suppress(ValueError):  # is not connected any more
                event.disconnect(self._look_again)
        self._timer.stop()

    def _moves(self) -> list[Any]:
        camera, dims = self._viewer.scene.camera.events, self._viewer.dims.events
        return [camera.center, dims.point]

    def _look_again(self, event: object = None) -> None:
        if self._is_empty:
            self._timer.start()

    def _forget(self) -> None:
        self._wanted.clear()
        self._wanted = threading.Event()
        self._work.forget()

    def _cut(self) -> None:
        self._forget()
        choice = self._panel.choice()
        if choice.layer is None or not self._panel.isVisible():
            self._show(Preview(choice.description))
            return
        place, wanted = middle_of_view(self._viewer, choice.layer), self._wanted
        wanted.set()
        self._work.start(lambda: choice.preview(place, wanted.is_set), self._show, self._explain)

    def _show(self, preview: Preview) -> None:
        self._is_empty = not preview.pictures
        self._panel.preview.show_text(preview.text)
        self._panel.preview.show_pictures(preview.pictures)

    def _explain(self, error: Exception) -> None:
        self._show(Preview(str(error)))


def middle_of_view(viewer: Any, layer: Any) -> Place:
    """The pixel of a layer in the middle of the view, or the nearest one to it.

    Parameters
    ----------
    viewer : napari.Viewer
    layer : napari.layers.Layer

    Returns
    -------
    tuple of int
        Indices in the finest level, one for each axis.
    """
    world = np.array(viewer.dims.point, np.float64)
    shown = list(viewer.dims.displayed)
    world[shown] = np.asarray(viewer.scene.camera.center)[-len(shown) :]
    place = np.round(to_data(viewer.dims.units, layer, world))
    last = np.array(np.shape(finest_of(layer))[: layer.ndim]) - 1
    return tuple(int(value) for value in np.clip(place, 0, last))
