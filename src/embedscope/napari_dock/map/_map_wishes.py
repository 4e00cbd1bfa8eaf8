"""What hands ask for on the map: from gestures to the intents of a view."""

from __future__ import annotations

from typing import Any

from psygnal import Signal

from embedscope.explorer import ViewIntents
from embedscope.explorer.marks import simplify_outline, thin_outline
from embedscope.napari_dock.map._map_canvas import MapCanvas
from embedscope.napari_dock.map._map_marks import MapMarks, corners_of_box
from embedscope.samples import SampleId

_N_STEPS = 12
_TOLERANCE_PX = 1.0
_HAND_PX = 2.0  # how steady a hand is


class MapWishes:
    """Listens to a canvas; what is asked for leaves as intents.

    Parameters
    ----------
    canvas : MapCanvas
    marks : MapMarks
        On that canvas.
    intents : ViewIntents

    Attributes
    ----------
    carried : SampleId or None
        Whose style code is drawn with wherever somebody looks; None for the typical samples.
    """

    visited = Signal(int)  # row of the sample to go to
    sample_asked = Signal()  # a place or a path was asked for
    gate_asked = Signal()
    cleared = Signal()  # everything that was asked for is to be put away

    def __init__(self, canvas: MapCanvas, marks: MapMarks, intents: ViewIntents) -> None:
        self._canvas, self._marks, self._intents = canvas, marks, intents
        self.carried: SampleId | None = None
        canvas.polygon_drawn.connect(self._on_lasso)
        canvas.rectangle_drawn.connect(self._on_box)
        canvas.gate_drawn.connect(self._on_gate)
        canvas.gate_reshaped.connect(self._on_reshaped)
        canvas.path_drawn.connect(self._ask_for_path)
        canvas.decode_requested.connect(self.ask_for_sample)
        canvas.point_clicked.connect(self._on_click)
        canvas.hovered.connect(self._on_hover)

    def keep_lasso(self) -> None:
        """Ask for a gate where the last lasso or box is, if it is still there."""
        outline, view = self._marks.lasso, self._canvas.map_view
        if outline is not None:  # the gate holds exactly those that the lasso has selected
            tolerance = _TOLERANCE_PX * view.map_units_per_pixel
            self._ask_for_gate(simplify_outline(outline, view.points.positions, tolerance))

    def escape(self) -> None:
        """Give up what is being drawn; where nothing is, put everything away that was asked for."""
        if self._canvas.cancel():
            return
        self._marks.keep_lasso(None)
        self._intents.clear_selection_requested.emit()
        self._intents.reconstruction_clearing_requested.emit()
        self._intents.sample_reconstructions_clearing_requested.emit()
        self.cleared.emit()

    def ask_for_sample(self, point: Any) -> None:
        """Ask what stands at a place, map units: typically, or of the sample that is carried."""
        if self.carried is None:
            self._intents.decode_requested.emit(point)
        else:
            self._intents.styled_decode_requested.emit(point, self.carried)
        self.sample_asked.emit()

    def _on_lasso(self, outline: Any, mode: str) -> None:
        self._intents.polygon_selection_requested.emit(outline, mode)
        self._marks.keep_lasso(outline)  # afterwards: a new selection puts an older one away

    def _on_box(self, low: Any, high: Any, mode: str) -> None:
        self._intents.rectangle_selection_requested.emit(low, high, mode)
        self._marks.keep_lasso(corners_of_box(low, high))

    def _on_reshaped(self, name: str, polygon: Any) -> None:
        self._intents.gate_edit_requested.emit(name, {"polygon": polygon})

    def _on_gate(self, outline: Any) -> None:
        self._ask_for_gate(
            thin_outline(outline, _HAND_PX * self._canvas.map_view.map_units_per_pixel)
        )

    def _ask_for_gate(self, polygon: Any) -> None:
        self._marks.keep_lasso(None)
        self._intents.gate_requested.emit(polygon, None, None)
        self.gate_asked.emit()

    def _ask_for_path(self, points: Any) -> None:
        if self.carried is None:
            self._intents.path_requested.emit(points, _N_STEPS)
        else:
            self._intents.styled_path_requested.emit(points, _N_STEPS, self.carried)
        self.sample_asked.emit()

    def _on_click(self, point: Any, radius: float, mode: str) -> None:
        self._intents.nearest_selection_requested.emit(point, radius, mode)
        row = self._marks.row_at(point, radius)
        if row is not None and mode == "replace":
            self.visited.emit(row)

    def _on_hover(self, point: Any, radius: float) -> None:
        row = None if point is None else self._marks.row_at(point, radius)
        if row != self._marks.hovered_row:
            self._intents.hover_requested.emit(row)
