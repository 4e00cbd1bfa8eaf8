"""Annotations over the points: gates, strokes, the hovered sample and the decoded point.

A separate widget that ignores the mouse. Repainting it does not redraw the points, so a lasso
follows the pointer however many points lie below.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from embedscope.napari_dock.widgets._theme import DARK, MapColors

Points = npt.NDArray[np.float64]

VERTEX_RADIUS_PX = 4.0
_MIDDLE_RADIUS_PX, _LEAST_SIDE_PX = 2.5, 30.0
_FILL_ALPHA = 28
_PLACES_OF_A_NAME = 10


@dataclass(frozen=True, eq=False)
class GateOutline:
    """A gate as the map draws it.

    Attributes
    ----------
    name : str
    color : str
        "#rrggbb".
    polygon : ndarray of shape (k, 2), float64
        In map units.
    """

    name: str
    color: str
    polygon: Points


class MapOverlay(QWidget):
    """Annotations above the map.

    Parameters
    ----------
    parent : QWidget
        The map's own widget; the overlay covers it.
    to_pixels : callable
        From map units, float64 of shape (k, 2), to pixels of the parent.
    """

    def __init__(self, parent: QWidget, to_pixels: Callable[[Points], Points]) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self._to_pixels = to_pixels
        self._colors = DARK
        self._gates: tuple[GateOutline, ...] = ()
        self._active_gate = ""
        self._stroke: tuple[Points, bool] | None = None
        self._path: Points | None = None
        self._lasso: Points | None = None
        self._ring: tuple[Points, str] | None = None
        self._cross: tuple[Points, Points] | None = None
        self._hint = ""
        self._count = ""

    @property
    def gates(self) -> tuple[GateOutline, ...]:
        """The gates as they are drawn now."""
        return self._gates

    def name_places(self) -> Points:
        """Pixels covered by the names of the gates, shape (k, 2): ten along each name."""
        boxes = [self._name_box(gate.name, self._to_pixels(gate.polygon)) for gate in self._gates]
        places = [
            (x, box.center().y())
            for box in boxes
            for x in np.linspace(box.left(), box.right(), _PLACES_OF_A_NAME)
        ]
        return np.array(places, np.float64).reshape(-1, 2)

    def set_colors(self, colors: MapColors) -> None:
        """Draw in these colours."""
        self._colors = colors
        self.update()

    def set_gates(self, gates: Sequence[GateOutline], active: str = "") -> None:
        """Draw these gates; the active one shows the corners that can be dragged."""
        self._gates, self._active_gate = tuple(gates), active
        self.update()

    def set_stroke(self, outline: Points | None, closed: bool = False) -> None:
        """Draw the current stroke, map units of shape (k, 2); None for nothing."""
        self._stroke = None if outline is None else (outline, closed)
        self.update()

    def set_lasso(self, outline: Points | None) -> None:
        """Draw the outline of the last lasso, map units of shape (k, 2), or none."""
        self._lasso = outline
        self.update()

    def set_path(self, points: Points | None) -> None:
        """Draw the decoded path, or none."""
        self._path = points
        self.update()

    def set_ring(self, point: Points | None, color: str = "") -> None:
        """Draw a ring round the hovered sample at `point`, map units of shape (2,), or none."""
        self._ring = None if point is None else (point, color)
        self.update()

    def set_cross(self, point: Points | None, neighbors: Points | None = None) -> None:
        """Mark the decoded point, with lines to its real neighbours of shape (k, 2)."""
        empty = np.zeros((0, 2))
        self._cross = None if point is None else (point, empty if neighbors is None else neighbors)
        self.update()

    def set_hint(self, text: str) -> None:
        """Show what to do next while the map is empty."""
        self._hint = text
        self.update()

    def set_count(self, text: str) -> None:
        """Show in a corner how many samples are selected."""
        self._count = text
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw everything, the least important first."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for gate in self._gates:
            self._paint_gate(painter, gate)
        if self._lasso is not None:
            self._paint_lasso(painter, self._lasso)
        if self._path is not None:
            self._paint_path(painter, self._path)
        if self._cross is not None:
            self._paint_cross(painter, *self._cross)
        if self._ring is not None:
            self._paint_ring(painter, *self._ring)
        if self._stroke is not None:
            self._paint_line(painter, *self._stroke)
        if self._hint:
            self._paint_hint(painter)
        if self._count:
            box = QRectF(painter.fontMetrics().boundingRect(self._count)).adjusted(-6, -2, 6, 2)
            box.moveBottomRight(QPointF(self.width() - 6.0, self.height() - 6.0))
            self._paint_tag(painter, self._count, box, QColor(*self._colors.ink))
        painter.end()

    def _paint_gate(self, painter: QPainter, gate: GateOutline) -> None:
        corners = self._to_pixels(gate.polygon)
        color = QColor(gate.color)
        fill = QColor(color)
        fill.setAlpha(_FILL_ALPHA)
        is_active = gate.name == self._active_gate
        painter.setPen(QPen(color, 2.2 if is_active else 1.4))
        painter.setBrush(fill)
        painter.drawPolygon(_polygon(corners))
        if is_active:
            painter.setBrush(QColor(*self._colors.background))
            for x, y in _apart(corners):
                painter.drawEllipse(QPointF(x, y), VERTEX_RADIUS_PX, VERTEX_RADIUS_PX)
            painter.setBrush(color)
            for x, y in middles_of_sides(corners)[1]:
                painter.drawEllipse(QPointF(x, y), _MIDDLE_RADIUS_PX, _MIDDLE_RADIUS_PX)
        self._paint_name(painter, gate.name, corners, color)

    def _paint_name(self, painter: QPainter, name: str, corners: Points, color: QColor) -> None:
        self._paint_tag(painter, name, self._name_box(name, corners), color)

    def _name_box(self, name: str, corners: Points) -> QRectF:
        """Above the gate, and within the map."""
        box = QRectF(self.fontMetrics().boundingRect(name)).adjusted(-5, -2, 5, 2)
        half = box.width() / 2
        x = float(np.clip(corners[:, 0].mean(), half, max(self.width() - half, half)))
        y = corners[:, 1].min() - box.height() / 2 - 5
        box.moveCenter(QPointF(x, max(float(y), box.height() / 2)))
        return box

    def _paint_tag(self, painter: QPainter, text: str, box: QRectF, color: QColor) -> None:
        back = QColor(*self._colors.background)
        back.setAlpha(200)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(back)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(color)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_line(self, painter: QPainter, points: Points, closed: bool) -> None:
        color = QColor(*self._colors.accent)
        painter.setPen(QPen(color, 1.8))
        shape = _polygon(self._to_pixels(points))
        if closed:
            color.setAlpha(_FILL_ALPHA)
            painter.setBrush(color)
            painter.drawPolygon(shape)
        else:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(shape)

    def _paint_lasso(self, painter: QPainter, outline: Points) -> None:
        painter.setPen(QPen(QColor(*self._colors.muted), 1.2, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolygon(_polygon(self._to_pixels(outline)))

    def _paint_path(self, painter: QPainter, points: Points) -> None:
        """Draw the path, with a dot at its start and a small one at each step."""
        self._paint_line(painter, points, closed=False)
        painter.setBrush(QColor(*self._colors.accent))
        for number, (x, y) in enumerate(self._to_pixels(points)):
            radius = 2.0 if number else VERTEX_RADIUS_PX
            painter.drawEllipse(QPointF(x, y), radius, radius)

    def _paint_ring(self, painter: QPainter, point: Points, color: str) -> None:
        (center,) = self._to_pixels(point[None])
        for pen_color, width in ((QColor(*self._colors.background), 4.0), (None, 2.0)):
            painter.setPen(QPen(pen_color or QColor(color or "#ffffff"), width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QPointF(*center), 8.0, 8.0)

    def _paint_cross(self, painter: QPainter, point: Points, neighbors: Points) -> None:
        (center,) = self._to_pixels(point[None])
        x, y = center
        painter.setPen(QPen(QColor(*self._colors.muted), 1.0, Qt.PenStyle.DashLine))
        for end in self._to_pixels(neighbors) if len(neighbors) else ():
            painter.drawLine(QPointF(x, y), QPointF(*end))
        painter.setPen(QPen(QColor(*self._colors.accent), 2.0))
        painter.drawLine(QPointF(x - 7, y), QPointF(x + 7, y))
        painter.drawLine(QPointF(x, y - 7), QPointF(x, y + 7))

    def _paint_hint(self, painter: QPainter) -> None:
        painter.setPen(QColor(*self._colors.muted))
        box = QRectF(self.rect()).adjusted(24, 24, -24, -24)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(box, int(flags), self._hint)


def middles_of_sides(corners: Points) -> tuple[npt.NDArray[np.int64], Points]:
    """Where a new corner can be dragged out: the middles of the sides that are long enough.

    Parameters
    ----------
    corners : ndarray of shape (k, 2), float64
        Of a polygon, pixels.

    Returns
    -------
    sides : ndarray of shape (m,), int64
        Each begins at the corner of this number.
    middles : ndarray of shape (m, 2), float64
    """
    ends = np.roll(corners, -1, axis=0)
    sides = np.flatnonzero(np.hypot(*(ends - corners).T) >= _LEAST_SIDE_PX)
    return sides, (corners[sides] + ends[sides]) / 2


def _apart(corners: Points) -> Points:
    """Corners whose circles do not overlap; overlapping circles would hide the line."""
    kept = [0]
    for number in range(1, len(corners)):
        if np.hypot(*(corners[number] - corners[kept[-1]])) > 2 * VERTEX_RADIUS_PX:
            kept.append(number)
    return corners[kept]


def _polygon(points: Points) -> QPolygonF:
    return QPolygonF([QPointF(float(x), float(y)) for x, y in points])
