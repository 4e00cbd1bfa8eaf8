"""Icons of the tools, drawn in the colour of the theme's text."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from embedscope.napari_dock.widgets._theme import Rgb

SIDE_PX = 18
_SHARPNESS = 3  # picture pixels per icon pixel, for high-resolution screens
_DOT_PX = 2.0


def draw_icon(name: str, color: Rgb) -> QIcon:
    """Draw an icon.

    Parameters
    ----------
    name : str
        One of `ICONS`.
    color : tuple of int
        Red, green and blue in 0..255.

    Returns
    -------
    QIcon
        Paler where the button is disabled.
    """
    icon = QIcon()
    for mode, alpha in ((QIcon.Mode.Normal, 255), (QIcon.Mode.Disabled, 90)):
        icon.addPixmap(_draw(name, QColor(*color, alpha)), mode)
    return icon


def _draw(name: str, color: QColor) -> QPixmap:
    pixmap = QPixmap(QSize(SIDE_PX, SIDE_PX) * _SHARPNESS)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(_SHARPNESS, _SHARPNESS)
    pen = QPen(color, 1.5)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    ICONS[name](painter)
    painter.end()
    return pixmap


def _lines(painter: QPainter, *corners: tuple[float, float]) -> None:
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in corners]))


def _dots(painter: QPainter, *places: tuple[float, float]) -> None:
    painter.setBrush(painter.pen().color())
    for x, y in places:
        painter.drawEllipse(QPointF(x, y), _DOT_PX / 2, _DOT_PX / 2)


def _navigate(painter: QPainter) -> None:
    _lines(painter, (9, 2), (9, 16))
    _lines(painter, (2, 9), (16, 9))
    for arrow in (
        ((7, 4), (9, 2), (11, 4)),
        ((7, 14), (9, 16), (11, 14)),
        ((4, 7), (2, 9), (4, 11)),
        ((14, 7), (16, 9), (14, 11)),
    ):
        _lines(painter, *arrow)


def _lasso(painter: QPainter) -> None:
    loop = QPainterPath(QPointF(5, 13))
    loop.cubicTo(0, 9, 3, 2, 10, 3)
    loop.cubicTo(17, 4, 18, 11, 12, 12)
    loop.cubicTo(9, 12.6, 7, 13, 5, 13)
    painter.drawPath(loop)
    _lines(painter, (5, 13), (6.5, 15), (4.5, 16.5))


def _rectangle(painter: QPainter) -> None:
    pen = painter.pen()
    pen.setDashPattern([2.2, 2.0])
    painter.setPen(pen)
    painter.drawRect(QRectF(3, 4, 12, 10))


def _gate(painter: QPainter) -> None:
    corners = ((4, 6), (11, 3), (15, 9), (10, 15), (4, 13))
    _lines(painter, *corners, corners[0])
    _dots(painter, *corners)


def _decode(painter: QPainter) -> None:
    painter.drawEllipse(QPointF(9, 9), 5, 5)
    for line in (((9, 1), (9, 5)), ((9, 13), (9, 17)), ((1, 9), (5, 9)), ((13, 9), (17, 9))):
        _lines(painter, *line)


def _path(painter: QPainter) -> None:
    way = QPainterPath(QPointF(3, 15))
    way.cubicTo(4, 6, 11, 14, 14, 4)
    painter.drawPath(way)
    _lines(painter, (11, 5), (14.4, 3.4), (15.5, 7))
    _dots(painter, (3, 15))


def _whole(painter: QPainter) -> None:
    for x, y in ((3, 3), (15, 3), (15, 15), (3, 15)):
        inward_x, inward_y = (4 if x == 3 else -4), (4 if y == 3 else -4)
        _lines(painter, (x + inward_x, y), (x, y), (x, y + inward_y))


def _undo(painter: QPainter) -> None:
    way = QPainterPath(QPointF(4, 7))
    way.lineTo(11, 7)
    way.cubicTo(16, 7, 16, 14, 11, 14)
    way.lineTo(7, 14)
    painter.drawPath(way)
    _lines(painter, (7, 4), (4, 7), (7, 10))


def _redo(painter: QPainter) -> None:
    painter.translate(SIDE_PX, 0)
    painter.scale(-1, 1)
    _undo(painter)


def _more(painter: QPainter) -> None:
    for y, knob in ((4, 12), (9, 6), (14, 11)):
        _lines(painter, (2.5, y), (15.5, y))
        _dots(painter, (knob, y))


def _keep(painter: QPainter) -> None:
    """A gate that is being put down: the outline and a plus."""
    corners = ((3, 6), (8, 2.5), (12.5, 6), (11, 12), (4.5, 12))
    _lines(painter, *corners, corners[0])
    _lines(painter, (14, 11.5), (14, 16.5))
    _lines(painter, (11.5, 14), (16.5, 14))


def _pop(painter: QPainter) -> None:
    _lines(painter, (8, 4), (3, 4), (3, 15), (14, 15), (14, 10))
    _lines(painter, (8, 10), (15, 3))
    _lines(painter, (10.5, 2.8), (15.2, 2.8), (15.2, 7.5))


def _dock(painter: QPainter) -> None:
    _lines(painter, (8, 4), (3, 4), (3, 15), (14, 15), (14, 10))
    _lines(painter, (8, 10), (15, 3))
    _lines(painter, (7.8, 5.5), (7.8, 10.2), (12.5, 10.2))


def _in_image(painter: QPainter) -> None:
    """A picture with a dashed box in it."""
    painter.drawRect(QRectF(2, 3, 14, 12))
    pen = painter.pen()
    pen.setDashPattern([1.6, 1.4])
    painter.setPen(pen)
    painter.drawRect(QRectF(6, 6.5, 6.5, 5))


ICONS: dict[str, Callable[[QPainter], None]] = {
    "navigate": _navigate,
    "lasso": _lasso,
    "rectangle": _rectangle,
    "gate": _gate,
    "decode": _decode,
    "path": _path,
    "whole": _whole,
    "undo": _undo,
    "redo": _redo,
    "more": _more,
    "keep": _keep,
    "in image": _in_image,
    "pop": _pop,
    "dock": _dock,
}
