"""A line of the legend: what a colour or a mark means, to be switched off and on."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QMouseEvent, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QToolButton

from embedscope.napari_dock._theme import MapColors, Rgb

_SIDE_PX = 12


class LegendButton(QToolButton):
    """Hides and shows the samples of a class.

    Parameters
    ----------
    label : str
        Name of the class; without one, there is nothing to show alone.
    is_shown : bool
    """

    isolated = Signal()

    def __init__(self, label: str, *, is_shown: bool) -> None:
        super().__init__()
        self._can_be_alone = bool(label)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setCheckable(True)
        self.setChecked(is_shown)
        self._explain(is_shown)
        self.toggled.connect(self._explain)

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme, paler while it is switched off."""
        ink = colors.ink if self.isChecked() else colors.muted
        self.setStyleSheet(
            "QToolButton, QToolButton:checked { border: none; background: transparent;"
            f" padding: 1px 4px; color: rgb({','.join(map(str, ink))}); }}"
            f"QToolButton:hover {{ background: rgba({','.join(map(str, colors.muted))}, 60); }}"
        )

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """With Shift, ask for this class alone."""
        assert event is not None  # Qt gives one
        if self._can_be_alone and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.isolated.emit()
        else:
            super().mousePressEvent(event)

    def _explain(self, is_shown: bool) -> None:
        alone = " Shift-click shows them alone, or all again." if self._can_be_alone else ""
        self.setToolTip(f"Click to {'hide' if is_shown else 'show'} these samples.{alone}")


def swatch(color: str, *, filled: bool) -> QIcon:
    """A dot of a colour, hollow where its samples are hidden.

    Parameters
    ----------
    color : str
        "#rrggbb".
    filled : bool

    Returns
    -------
    QIcon
    """
    pixmap, painter = _blank()
    painter.setPen(QColor(color))
    if filled:
        painter.setBrush(QColor(color))
    painter.drawEllipse(QRectF(1, 1, _SIDE_PX - 3, _SIDE_PX - 3))
    painter.end()
    return QIcon(pixmap)


def cross(color: Rgb) -> QIcon:
    """The cross that marks samples unlike those trained on.

    Parameters
    ----------
    color : tuple of int
        Red, green and blue in 0..255.

    Returns
    -------
    QIcon
    """
    pixmap, painter = _blank()
    painter.setPen(QPen(QColor(*color), 1.8))
    for start, end in (((2, 2), (10, 10)), ((2, 10), (10, 2))):
        painter.drawLine(QPointF(*start), QPointF(*end))
    painter.end()
    return QIcon(pixmap)


def _blank() -> tuple[QPixmap, QPainter]:
    pixmap = QPixmap(QSize(_SIDE_PX, _SIDE_PX))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return pixmap, painter
