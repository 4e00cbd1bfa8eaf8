"""The points of the map: all points, the selected ones on top, and crosses on some."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from vispy.scene import Node

from embedscope.napari_dock.map._pixel_layer import Colors, Positions, Window
from embedscope.napari_dock.map._point_layer import MOST_MARKERS, PointLayer

_FADED = 0.25  # opacity of what is not selected, or not in this frame
_SELECTED_GROWTH = 1.35
_OUTLINE_GROWTH_PX = 2.0
_CROSS_GROWTH_PX = 5.0
_PLAIN = np.array([0.55, 0.62, 0.74, 1.0], np.float32)


def default_size(n_points: int) -> float:
    """Diameter of the points: small on a crowded map, large on a sparse one.

    Parameters
    ----------
    n_points : int

    Returns
    -------
    float
        Pixels, 2..9.
    """
    return float(np.clip(9.0 * (300.0 / max(n_points, 1)) ** 0.25, 2.0, 9.0))


class PointCloud:
    """Coloured points, with selected ones larger, outlined and on top.

    Parameters
    ----------
    parent : vispy.scene.Node
        The scene that the camera looks at.
    """

    def __init__(self, parent: Node) -> None:
        self._every = PointLayer(parent, order=0)
        self._chosen = PointLayer(parent, order=1)
        self._marks = PointLayer(parent, order=2)
        self._positions: Positions = np.zeros((0, 2), np.float32)
        self._rgba: Colors = np.zeros((0, 4), np.float32)
        self._faded = np.zeros(0, np.bool_)
        self._selected = np.zeros(0, np.int64)
        self._marked = np.zeros(0, np.int64)
        self._marks_shown = True
        self._size: float | None = None
        self._opacity = 1.0
        self._outline = (1.0, 1.0, 1.0, 1.0)

    @property
    def positions(self) -> Positions:
        """float32 of shape (n, 2), map units."""
        return self._positions

    @property
    def rgba(self) -> Colors:
        """Colour of each point, float32 of shape (n, 4) in 0..1."""
        return self._rgba

    @property
    def selected(self) -> npt.NDArray[np.int64]:
        """Rows of the selected points."""
        return self._selected

    @property
    def marked(self) -> npt.NDArray[np.int64]:
        """Rows of the points with a cross; empty while crosses are not shown."""
        return self._marked if self._marks_shown else np.zeros(0, np.int64)

    @property
    def size(self) -> float:
        """Diameter in pixels."""
        return default_size(len(self._positions)) if self._size is None else self._size

    @property
    def opacity(self) -> float:
        """Of the points, 0..1."""
        return self._opacity

    @property
    def any_faded(self) -> bool:
        """Whether some points are drawn in the background."""
        return bool(self._faded.any())

    def set_positions(self, positions: Positions) -> None:
        """Move the points; if their number changes, colours and selection are reset."""
        if len(positions) != len(self._positions):
            self._rgba = np.tile(_PLAIN, (len(positions), 1))
            self._faded = np.zeros(len(positions), np.bool_)
            self._selected = self._marked = np.zeros(0, np.int64)
            self._apply_opacity()
        self._positions = np.ascontiguousarray(positions, np.float32)
        self._send()

    def set_colors(self, rgba: npt.NDArray[np.uint8]) -> None:
        """Colour each point: uint8 of shape (n, 4)."""
        self._rgba = np.asarray(rgba, np.float32) / np.float32(255)
        self._send()

    def set_faded(self, faded: npt.NDArray[np.bool_]) -> None:
        """Draw the points where `faded`, bool of shape (n,), in the background."""
        self._faded = np.asarray(faded, np.bool_)
        self._send()

    def set_selected(self, rows: npt.NDArray[np.int64]) -> None:
        """Bring these rows to the front; the others fade while there are any."""
        self._selected = np.asarray(rows, np.int64)
        self._send_chosen()
        self._apply_opacity()

    def set_marked(self, rows: npt.NDArray[np.int64]) -> None:
        """Put a cross on these rows."""
        self._marked = np.asarray(rows, np.int64)
        self._send_marks()

    def set_marks_shown(self, wanted: bool) -> None:
        """Show the crosses, or leave them out."""
        self._marks_shown = wanted
        self._send_marks()

    def set_size(self, size: float | None) -> None:
        """Diameter in pixels; None takes one that suits the number of points."""
        self._size = size
        self._send()

    def set_opacity(self, opacity: float) -> None:
        """Of all points, 0..1."""
        self._opacity = opacity
        self._apply_opacity()

    def set_outline(self, rgba: tuple[float, float, float, float]) -> None:
        """Colour of crosses and of the outline of selected points, each value 0..1."""
        self._outline = rgba
        self._send_chosen()
        self._send_marks()

    def paint(self, window: Window) -> None:
        """Paint the layers that are drawn as pictures, for this window."""
        for layer in self._layers:
            layer.paint(window)

    def send_again(self) -> None:
        """Recreate everything after the OpenGL context was lost."""
        for layer in self._layers:
            layer.renew()
        self._send()
        self._apply_opacity()

    def _send(self) -> None:
        self._every.fill(self._positions, self._fade(), size=self.size, edge_width=0.0)
        self._send_chosen()
        self._send_marks()

    def _fade(self) -> Colors:
        """The colours, with faded points more transparent."""
        if not self._faded.any():
            return self._rgba
        colors = self._rgba.copy()
        colors[self._faded, 3] *= _FADED
        return colors

    def _send_chosen(self) -> None:
        rows = self._selected
        # Outlines of more points would overlap into one area.
        growth = _OUTLINE_GROWTH_PX if len(rows) <= MOST_MARKERS else 0.0
        self._chosen.fill(
            self._positions[rows],
            self._fade()[rows],  # selected ones of other frames keep their outlines only
            size=self.size * _SELECTED_GROWTH + growth,
            edge_width=1.2,
            edge_color=self._outline,
        )

    def _send_marks(self) -> None:
        rows = self.marked
        # A point that is not drawn, because its class is hidden, has no cross either.
        shown = self._rgba[rows, 3:] > 0
        self._marks.fill(
            self._positions[rows],
            np.where(shown, np.asarray(self._outline, np.float32), np.float32(0)),
            size=self.size + _CROSS_GROWTH_PX,
            edge_width=0.0,
            symbol="x",
        )

    def _apply_opacity(self) -> None:
        self._every.set_opacity(self._opacity, _FADED if len(self._selected) else 1.0)
        self._chosen.set_opacity(max(self._opacity, 0.5))

    @property
    def _layers(self) -> tuple[PointLayer, ...]:
        return self._every, self._chosen, self._marks
