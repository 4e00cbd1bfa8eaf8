"""The map widget: points that can be panned, zoomed, picked, lassoed and gated.

Setters in, signals out: it holds no state of the explorer and decides nothing. A lasso is emitted
as an outline, never as the samples in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from embedscope.napari_dock.map._gestures import Gesture, Tool, mode_of
from embedscope.napari_dock.map._map_overlay import GateOutline, MapOverlay, middles_of_sides
from embedscope.napari_dock.map._map_view import MapView
from embedscope.napari_dock.widgets._theme import DARK, MapColors

Points = npt.NDArray[np.float64]

PICK_RADIUS_PX = 10.0
_HOVER_MS = 25
_LEAST_CORNERS = 3


@dataclass(frozen=True, eq=False)
class _HeldCorner:
    """A corner that is being dragged.

    Attributes
    ----------
    gate : str
    corner : int
        Its index in `polygon`.
    polygon, before : ndarray of shape (k, 2), float64
        The gate in map units, with the dragged corner and before; the same object unless the
        corner is new.
    """

    gate: str
    corner: int
    polygon: Points
    before: Points


class MapCanvas(QWidget):
    """A map of points.

    Dragging with the left button uses the tool, with the middle button it pans; the wheel zooms.
    Shift adds to the selection, Alt subtracts, Ctrl inverts. A double-click shows the whole map.

    Parameters
    ----------
    parent : QWidget, optional
    """

    polygon_drawn = Signal(object, str)  # points (k, 2), mode
    rectangle_drawn = Signal(object, object, str)  # two corners, mode
    gate_drawn = Signal(object)  # points (k, 2)
    gate_reshaped = Signal(str, object)  # name, points (k, 2)
    path_drawn = Signal(object)  # points (k, 2)
    decode_requested = Signal(object)  # point
    point_clicked = Signal(object, float, str)  # point, radius in map units, mode
    hovered = Signal(object, float)  # point or None, radius in map units

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(200, 200)
        self.map_view = MapView()
        native = self.map_view.native
        native.installEventFilter(self)
        native.setMouseTracking(True)
        # vispy asks for 800 x 600 pixels; the map takes the space that is available.
        native.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.overlay = MapOverlay(native, self.map_view.to_pixels)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(native)
        self._tool = Tool.LASSO
        self._gesture: Gesture | None = None
        self._pan_from: tuple[float, float] | None = None
        self._vertex: _HeldCorner | None = None
        self._pointer: Points | None = None
        self._active_gate = ""
        self._hover_timer = _single_shot(self, _HOVER_MS, self._emit_hover)
        self.map_view.moved.connect(self._on_view_moved)
        self.set_theme(DARK)

    @property
    def native(self) -> QWidget:
        """The widget that gets the mouse."""
        return self.map_view.native

    @property
    def tool(self) -> Tool:
        """What dragging does now."""
        return self._tool

    def set_tool(self, tool: Tool) -> None:
        """Choose what dragging does."""
        self.cancel()
        self._tool = tool
        self.native.setCursor(_CURSORS[tool])

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme."""
        self.map_view.set_theme(colors)
        self.overlay.set_colors(colors)

    def set_gates(self, gates: Sequence[GateOutline], active: str = "") -> None:
        """Draw these gates; corners of the active one can be dragged."""
        if self._vertex is None:  # not while the user drags a corner
            self.overlay.set_gates(gates, active)
        self._active_gate = active

    def cancel(self) -> bool:
        """Cancel the gesture that is being drawn.

        Returns
        -------
        bool
            Whether there was one.
        """
        under_way = self._gesture is not None or self._vertex is not None
        if self._vertex is not None:
            self._redraw_gate(self._vertex.gate, self._vertex.before)
        self._gesture = self._vertex = self._pan_from = None
        self.overlay.set_stroke(None)
        return under_way

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Handle the mouse before vispy; vispy handles the wheel and the right button."""
        if event is None:
            return False
        # Check the type, not the class alone: a Qt binding may wrap an event with the Python object
        # of an earlier event at the same address, if a reference to that object still exists.
        kind = event.type()
        if kind == QEvent.Type.Resize:
            self.overlay.resize(self.native.size())
        elif kind == QEvent.Type.Leave:
            self._pointer = None
            self._hover_timer.start()
        elif kind in _OF_THE_MOUSE and isinstance(event, QMouseEvent):
            return self._on_mouse(kind, event)
        return False

    def _on_mouse(self, kind: QEvent.Type, event: QMouseEvent) -> bool:
        place = event.position()
        pixel = (place.x(), place.y())
        if kind == QEvent.Type.MouseMove:
            return self._on_move(pixel)
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            return False
        if kind == QEvent.Type.MouseButtonPress:
            self._on_press(pixel, event)
        elif kind == QEvent.Type.MouseButtonRelease:
            self._on_release()
        elif kind == QEvent.Type.MouseButtonDblClick and not self._remove_corner(pixel):
            self.map_view.show_all()
        return True

    def _on_press(self, pixel: tuple[float, float], event: QMouseEvent) -> None:
        self.native.setFocus()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan_from = pixel
            return
        keys = event.modifiers()
        mode = mode_of(
            shift=bool(keys & Qt.KeyboardModifier.ShiftModifier),
            alt=bool(keys & Qt.KeyboardModifier.AltModifier),
            control=bool(keys & Qt.KeyboardModifier.ControlModifier),
        )
        self._vertex = None if self._tool in _LOOKING else self._vertex_at(pixel)
        if self._vertex is None:
            point = self.map_view.to_map(pixel)
            self._gesture = Gesture(self._tool, mode, pixel, [point])
            self._pan_from = pixel if self._tool is Tool.NAVIGATE else None
            if self._tool is Tool.DECODE:
                self.decode_requested.emit(point)

    def _on_move(self, pixel: tuple[float, float]) -> bool:
        point = self.map_view.to_map(pixel)
        if self._vertex is not None:
            self._drag_vertex(point)
        elif self._pan_from is not None:
            if self._gesture is not None:
                self._gesture.move_to(pixel, point)
            self.map_view.pan(self._pan_from, pixel)
            self._pan_from = pixel
        elif self._gesture is not None:
            self._draw(pixel, point)
        else:
            self._pointer = point
            if not self._hover_timer.isActive():
                self._hover_timer.start()
            return False
        return True

    def _draw(self, pixel: tuple[float, float], point: Points) -> None:
        assert self._gesture is not None
        self._gesture.move_to(pixel, point)
        if self._tool is Tool.DECODE:
            self.decode_requested.emit(point)
        elif not self._gesture.is_click:
            self.overlay.set_stroke(self._gesture.outline, closed=self._tool is not Tool.PATH)

    def _on_release(self) -> None:
        gesture, vertex = self._gesture, self._vertex
        self._gesture = self._vertex = self._pan_from = None
        self.overlay.set_stroke(None)
        if vertex is not None:
            polygon = self._gate(vertex.gate).polygon
            if not np.array_equal(polygon, vertex.before):
                self.gate_reshaped.emit(vertex.gate, polygon)
        elif gesture is not None:
            self._finish(gesture)

    def _finish(self, gesture: Gesture) -> None:
        if gesture.tool is Tool.DECODE:
            return
        if gesture.is_click:
            radius = PICK_RADIUS_PX * self.map_view.map_units_per_pixel
            self.point_clicked.emit(gesture.stroke[0], radius, gesture.mode)
        elif gesture.tool is Tool.PATH:
            self.path_drawn.emit(gesture.outline)
        elif gesture.encloses:
            self._emit_area(gesture)

    def _emit_area(self, gesture: Gesture) -> None:
        if gesture.tool is Tool.LASSO:
            self.polygon_drawn.emit(gesture.outline, gesture.mode)
        elif gesture.tool is Tool.RECTANGLE:
            corners = gesture.outline
            self.rectangle_drawn.emit(corners.min(axis=0), corners.max(axis=0), gesture.mode)
        elif gesture.tool is Tool.GATE:
            self.gate_drawn.emit(gesture.outline)

    def _gate(self, name: str) -> GateOutline:
        return next(gate for gate in self.overlay.gates if gate.name == name)

    def _vertex_at(self, pixel: tuple[float, float]) -> _HeldCorner | None:
        """The active gate's corner under the pointer, or a new one in the middle of a side."""
        for gate in self.overlay.gates:
            if gate.name != self._active_gate:
                continue
            before, corners = gate.polygon, self.map_view.to_pixels(gate.polygon)
            away = np.hypot(*(corners - pixel).T)
            if away.min() <= PICK_RADIUS_PX:
                return _HeldCorner(gate.name, int(away.argmin()), before, before)
            sides, middles = middles_of_sides(corners)
            away = np.hypot(*(middles - pixel).T)
            if len(sides) and away.min() <= PICK_RADIUS_PX:
                place = int(sides[away.argmin()]) + 1
                point = self.map_view.to_map(tuple(middles[away.argmin()]))
                return _HeldCorner(gate.name, place, np.insert(before, place, point, 0), before)
        return None

    def _drag_vertex(self, point: Points) -> None:
        held = self._vertex
        assert held is not None
        polygon = held.polygon.copy()
        polygon[held.corner] = point
        self._redraw_gate(held.gate, polygon)

    def _remove_corner(self, pixel: tuple[float, float]) -> bool:
        """Remove the active gate's corner under the pointer; False if there is none."""
        held = None if self._tool in _LOOKING else self._vertex_at(pixel)
        if held is None or held.polygon is not held.before:
            return False
        if len(held.before) > _LEAST_CORNERS:
            self.gate_reshaped.emit(held.gate, np.delete(held.before, held.corner, axis=0))
        return True

    def _redraw_gate(self, name: str, polygon: Points) -> None:
        drawn = [
            GateOutline(gate.name, gate.color, polygon) if gate.name == name else gate
            for gate in self.overlay.gates
        ]
        self.overlay.set_gates(drawn, self._active_gate)

    def _emit_hover(self) -> None:
        radius = PICK_RADIUS_PX * self.map_view.map_units_per_pixel
        self.hovered.emit(self._pointer, radius)

    def _on_view_moved(self) -> None:
        self.overlay.update()


_LOOKING = (Tool.DECODE, Tool.PATH)  # with these tools, gate corners cannot be dragged
_OF_THE_MOUSE = (
    QEvent.Type.MouseMove,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.MouseButtonDblClick,
)
_CURSORS: dict[Tool, Qt.CursorShape] = {
    Tool.NAVIGATE: Qt.CursorShape.OpenHandCursor,
    Tool.LASSO: Qt.CursorShape.CrossCursor,
    Tool.RECTANGLE: Qt.CursorShape.CrossCursor,
    Tool.GATE: Qt.CursorShape.CrossCursor,
    Tool.PATH: Qt.CursorShape.CrossCursor,
    Tool.DECODE: Qt.CursorShape.PointingHandCursor,
}


def _single_shot(parent: QObject, milliseconds: int, call: Any) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(call)
    return timer
