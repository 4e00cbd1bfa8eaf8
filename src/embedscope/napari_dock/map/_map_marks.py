"""Marks on the map besides its points: the hovered sample, gates, paths and the lasso."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from embedscope.explorer import Gate, Reconstruction
from embedscope.explorer.answers import PlaceIndex
from embedscope.napari_dock.map._map_canvas import MapCanvas
from embedscope.napari_dock.map._map_overlay import GateOutline

Points = npt.NDArray[np.float64]


class MapMarks:
    """Draws marks on a canvas, and finds the sample at a point.

    Parameters
    ----------
    canvas : MapCanvas
    """

    lasso_changed = Signal(bool)  # whether there is one that a gate can be made from

    def __init__(self, canvas: MapCanvas) -> None:
        self._canvas = canvas
        self._places = PlaceIndex(np.empty((0, 2)))
        self._gates: tuple[Gate, ...] = ()
        self.hovered_row: int | None = None
        self.lasso: Points | None = None

    def move_to(self, positions: npt.NDArray[np.float32]) -> None:
        """Take the new positions of the samples, float32 of shape (n, 2), map units."""
        self._places = PlaceIndex(positions)
        self._draw_ring()

    def row_at(self, point: Points, radius: float) -> int | None:
        """The sample nearest to `point`, map units, or None beyond `radius`."""
        rows, distances = self._places.nearest(point)
        return int(rows[0]) if len(rows) and distances[0] <= radius else None

    def show_hovered(self, row: int | None) -> None:
        """Draw a ring round a sample, or none."""
        self.hovered_row = row
        self._draw_ring()

    def show_gates(self, gates: Iterable[Gate], active: str) -> None:
        """Draw the polygon gates; the corners of the active one can be dragged."""
        self._gates = tuple(gates)
        self.activate(active)

    def activate(self, name: str) -> None:
        """Make the corners of this gate draggable; those of no gate for ""."""
        outlines = [
            GateOutline(gate.name, gate.color, np.asarray(gate.polygon, np.float64))
            for gate in self._gates
            if gate.polygon is not None
        ]
        self._canvas.set_gates(outlines, name)

    def show_reconstruction(
        self, drawn: Reconstruction | tuple[Reconstruction, ...] | None
    ) -> None:
        """Mark the decoded point, or the path."""
        path = drawn if isinstance(drawn, tuple) else ()
        self._canvas.overlay.set_path(np.array([step.point for step in path]) if path else None)
        if isinstance(drawn, Reconstruction):
            self.show_place(drawn)
        elif not path:
            self._canvas.overlay.set_cross(None)

    def show_place(self, drawn: Reconstruction) -> None:
        """Mark the point of a decoded sample, with lines to its real neighbours."""
        positions = self._canvas.map_view.points.positions
        near = positions[drawn.neighbor_rows].astype(np.float64)
        self._canvas.overlay.set_cross(drawn.point, near)

    def keep_lasso(self, outline: Points | None) -> None:
        """Keep the last outline on the map, so that a gate can be made from it; None clears it."""
        self.lasso = outline
        self._canvas.overlay.set_lasso(outline)
        self.lasso_changed.emit(outline is not None)

    def _draw_ring(self) -> None:
        points, row = self._canvas.map_view.points, self.hovered_row
        if row is None or row >= len(points.positions):
            self._canvas.overlay.set_ring(None)
            return
        red, green, blue = (int(255 * value) for value in points.rgba[row, :3])
        self._canvas.overlay.set_ring(
            points.positions[row].astype(np.float64), f"#{red:02x}{green:02x}{blue:02x}"
        )


def corners_of_box(low: Any, high: Any) -> Points:
    """The outline of an upright box, float64 of shape (4, 2)."""
    (left, bottom), (right, top) = low, high
    return np.array([[left, bottom], [right, bottom], [right, top], [left, top]], np.float64)
