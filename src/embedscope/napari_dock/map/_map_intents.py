"""Turns gestures on the map into the intents of a view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psygnal import Signal

from embedscope.explorer import ViewIntents
from embedscope.explorer.marks import simplify_outline, thin_outline
from embedscope.napari_dock.map._map_canvas import MapCanvas
from embedscope.napari_dock.map._map_marks import MapMarks, corners_of_box
from embedscope.samples import SampleId

_N_STEPS = 12
_TOLERANCE_PX = 1.0
_STROKE_TOLERANCE_PX = 2.0  # a stroke drawn by hand is no more exact than this


class MapIntents:
    """Listens to the signals of a canvas and emits intents.

    Parameters
    ----------
    canvas : MapCanvas
    marks : MapMarks
        On that canvas.
    intents : ViewIntents
    angle : callable
        ``angle()`` gives the degrees by which decoded pictures are turned.

    Attributes
    ----------
    carried : SampleId or None
        The sample whose style code is decoded with; None decodes typical samples.
    """

    visited = Signal(int)  # row of the sample to go to
    decoding_requested = Signal()  # of a point or a path
    gate_requested = Signal()
    cleared = Signal()  # the user has cleared the selection and all that was decoded

    def __init__(
        self,
        canvas: MapCanvas,
        marks: MapMarks,
        intents: ViewIntents,
        angle: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._canvas, self._marks, self._intents = canvas, marks, intents
        self._angle = angle
        self.carried: SampleId | None = None
        canvas.polygon_drawn.connect(self._on_lasso)
        canvas.rectangle_drawn.connect(self._on_box)
        canvas.gate_drawn.connect(self._on_gate)
        canvas.gate_reshaped.connect(self._on_reshaped)
        canvas.path_drawn.connect(self._ask_for_path)
        canvas.decode_requested.connect(self.request_decoding)
        canvas.point_clicked.connect(self._on_click)
        canvas.hovered.connect(self._on_hover)

    def keep_lasso(self) -> None:
        """Request a gate with the outline of the last lasso or box, if there still is one."""
        outline, view = self._marks.lasso, self._canvas.map_view
        if outline is not None:  # the gate holds exactly the samples that the lasso selected
            tolerance = _TOLERANCE_PX * view.map_units_per_pixel
            self._ask_for_gate(simplify_outline(outline, view.points.positions, tolerance))

    def escape(self) -> None:
        """Cancel the gesture; without one, clear the selection and all that was decoded."""
        if self._canvas.cancel():
            return
        self._marks.keep_lasso(None)
        self._intents.clear_selection_requested.emit()
        self._intents.reconstruction_clearing_requested.emit()
        self._intents.sample_reconstructions_clearing_requested.emit()
        self.cleared.emit()

    def request_decoding(self, point: Any) -> None:
        """Decode at a point, map units: the typical sample, or the carried one."""
        angle = self._angle()
        if angle:
            self._intents.turned_decode_requested.emit(point, self.carried, angle)
        elif self.carried is None:
            self._intents.decode_requested.emit(point)
        else:
            self._intents.styled_decode_requested.emit(point, self.carried)
        self.decoding_requested.emit()

    def _on_lasso(self, outline: Any, mode: str) -> None:
        self._intents.polygon_selection_requested.emit(outline, mode)
        self._marks.keep_lasso(
            outline
        )  # after the intent: a new selection removes the previous outline

    def _on_box(self, low: Any, high: Any, mode: str) -> None:
        self._intents.rectangle_selection_requested.emit(low, high, mode)
        self._marks.keep_lasso(corners_of_box(low, high))

    def _on_reshaped(self, name: str, polygon: Any) -> None:
        self._intents.gate_edit_requested.emit(name, {"polygon": polygon})

    def _on_gate(self, outline: Any) -> None:
        self._ask_for_gate(
            thin_outline(outline, _STROKE_TOLERANCE_PX * self._canvas.map_view.map_units_per_pixel)
        )

    def _ask_for_gate(self, polygon: Any) -> None:
        self._marks.keep_lasso(None)
        self._intents.gate_requested.emit(polygon, None, None)
        self.gate_requested.emit()

    def _ask_for_path(self, points: Any) -> None:
        angle = self._angle()
        if angle:
            self._intents.turned_path_requested.emit(points, _N_STEPS, self.carried, angle)
        elif self.carried is None:
            self._intents.path_requested.emit(points, _N_STEPS)
        else:
            self._intents.styled_path_requested.emit(points, _N_STEPS, self.carried)
        self.decoding_requested.emit()

    def _on_click(self, point: Any, radius: float, mode: str) -> None:
        self._intents.nearest_selection_requested.emit(point, radius, mode)
        row = self._marks.row_at(point, radius)
        if row is not None and mode == "replace":
            self.visited.emit(row)

    def _on_hover(self, point: Any, radius: float) -> None:
        row = None if point is None else self._marks.row_at(point, radius)
        if row != self._marks.hovered_row:
            self._intents.hover_requested.emit(row)
