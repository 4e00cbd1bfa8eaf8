"""Selects in the image by a rectangle: a tool that is on or off, beside napari's own tools.

While it is on, dragging with the left button draws a rectangle instead of moving the image, unless
a tool of the active layer is in use. Zooming, keys and layer tools stay napari's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from napari.components.overlays import ZoomOverlay
from psygnal import Signal

from embedscope.napari_dock.layers._picking import is_click, is_passive, mode_of_keys
from embedscope.napari_dock.layers._view_rectangle import ViewRectangle

_NAPARI_ZOOMS = "drag_to_zoom"  # napari's callback for Alt and a drag
_ONLY_FLAT = "Rectangles select in 2D: switch the view back from 3D, or click the objects."


class ImageRectangle:
    """Draws a rectangle over the image while the mouse drags.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    drawn = Signal(object, str)  # ViewRectangle, mode
    declined = Signal(str)  # why no rectangle was drawn

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._set_aside: list[Any] = []
        self._frame = ZoomOverlay(visible=False)
        self._name = f"embedscope_rectangle_{id(self)}"  # key in the canvas's overlays
        self.is_on = False

    def set_on(self, wanted: bool) -> None:
        """Handle drags in the image, or leave them to napari.

        Parameters
        ----------
        wanted : bool
        """
        if wanted == self.is_on:
            return
        self.is_on = wanted
        viewer = self._viewer
        if wanted:
            viewer.canvas.overlays[self._name] = self._frame
            # Here Alt subtracts from the selection, so napari's zoom by Alt is off meanwhile.
            self._set_aside = [
                each for each in viewer.mouse_drag_callbacks if _name_of(each) == _NAPARI_ZOOMS
            ]
            for each in self._set_aside:
                viewer.mouse_drag_callbacks.remove(each)
            viewer.mouse_drag_callbacks.append(self._on_drag)
            viewer.layers.selection.events.active.connect(self._show_cursor)
        else:
            viewer.layers.selection.events.active.disconnect(self._show_cursor)
            viewer.mouse_drag_callbacks.remove(self._on_drag)
            for each in reversed(self._set_aside):
                viewer.mouse_drag_callbacks.insert(0, each)
            del viewer.canvas.overlays[self._name]
        self._show_cursor()

    def _show_cursor(self, event: object = None) -> None:
        active = self._viewer.layers.selection.active
        if is_passive(active):
            plain = "standard" if active is None else active.cursor
            self._viewer.cursor.style = "cross" if self.is_on else plain

    def _on_drag(self, viewer: Any, event: Any) -> Iterator[None]:
        if event.button != 1 or not is_passive(viewer.layers.selection.active):
            return
        start, position = tuple(event.pos), tuple(event.position)
        displayed, mode = tuple(event.dims_displayed), mode_of_keys(event.modifiers)
        event.handled = is_flat = len(displayed) == 2
        yield
        while event.type == "mouse_move":
            event.handled = is_flat
            self._frame.position = (start[::-1], tuple(event.pos)[::-1])
            self._frame.visible = is_flat and not is_click(start, event)
            yield
        self._frame.visible = False
        event.handled = is_flat
        if is_click(start, event):
            return
        if is_flat:
            end, units = tuple(event.position), viewer.dims.units
            self.drawn.emit(ViewRectangle(position, end, displayed, units), mode)
        else:
            self.declined.emit(_ONLY_FLAT)


def _name_of(callback: Any) -> str:
    return str(getattr(callback, "__name__", ""))
