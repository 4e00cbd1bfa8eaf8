"""The legend of the map: classes and marks, which can be switched off and on."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QMouseEvent, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QLabel, QToolButton, QVBoxLayout, QWidget
from superqt import QFlowLayout

from embedscope.explorer import ColorBy, Coloring, LegendEntry
from embedscope.napari_dock.map._color_scale import ColorScale
from embedscope.napari_dock.widgets._theme import DARK, MapColors, Rgb

_SIDE_PX = 12


class LegendButton(QToolButton):
    """Hides and shows the samples of a class.

    Parameters
    ----------
    label : str
        Name of the class; an entry without a name cannot be shown alone.
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
        """Draw in the colours of a theme, paler while switched off."""
        ink = colors.ink if self.isChecked() else colors.muted
        self.setStyleSheet(
            "QToolButton, QToolButton:checked { border: none; background: transparent;"
            f" padding: 1px 4px; color: rgb({','.join(map(str, ink))}); }}"
            f"QToolButton:hover {{ background: rgba({','.join(map(str, colors.muted))}, 60); }}"
        )

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """With Shift, show this class alone."""
        assert event is not None  # Qt gives one
        if self._can_be_alone and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.isolated.emit()
        else:
            super().mousePressEvent(event)

    def _explain(self, is_shown: bool) -> None:
        alone = " Shift-click shows them alone, or all again." if self._can_be_alone else ""
        self.setToolTip(f"Click to {'hide' if is_shown else 'show'} these samples.{alone}")


def swatch(color: str, *, filled: bool) -> QIcon:
    """A dot in a colour, hollow while its samples are hidden.

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


_MOST_SHOWN = 40  # more classes are a list, not a legend


class Legend(QWidget):
    """The classes of the colours, and the number of novel samples.

    Parameters
    ----------
    parent : QWidget, optional
    """

    toggled = Signal(str, bool)  # class, whether it is shown
    isolated = Signal(str)  # the class to show alone
    novel_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colors = DARK
        self._coloring = Coloring.empty()
        self._by = ColorBy()
        self._entries = QWidget()
        self._flow = QFlowLayout(self._entries)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setSpacing(2)
        self.scale = ColorScale()
        self.novel = LegendButton("", is_shown=True)
        self.novel.toggled.connect(self._toggle_novel)
        self.novel.hide()
        self._note = QLabel()
        self._note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for part in (self._entries, self.scale, self.novel, self._note):
            layout.addWidget(part)

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme."""
        self._colors = colors
        self.scale.set_theme(colors)
        self.show_coloring(self._coloring, self._by)
        self._paint_novel()

    def show_novel(self, count: int) -> None:
        """Show how many samples are unlike those trained on; hidden for 0."""
        self.novel.setText(f"unlike those trained on  {count:,}")
        self.novel.setVisible(count > 0)

    def show_coloring(self, coloring: Coloring, by: ColorBy) -> None:
        """Show the classes, or the limits and the palette of a numeric feature.

        Parameters
        ----------
        coloring : Coloring
        by : ColorBy
            What the points are coloured by.
        """
        self._coloring, self._by = coloring, by
        while self._flow.count():
            item = self._flow.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.hide()  # Qt deletes it later
                widget.deleteLater()
        for entry in coloring.legend[:_MOST_SHOWN]:
            self._flow.addWidget(self._button(entry))
        self._entries.setVisible(bool(coloring.legend))
        self.scale.show_coloring(coloring, by)
        notes = [coloring.note] if coloring.note else []
        if len(coloring.legend) > _MOST_SHOWN:
            notes.append(f"{len(coloring.legend) - _MOST_SHOWN} more classes are not listed.")
        self._note.setText("  ".join(notes))
        self._note.setVisible(bool(notes))

    def _button(self, entry: LegendEntry) -> LegendButton:
        button = LegendButton(entry.label, is_shown=entry.visible)
        button.setIcon(swatch(entry.color, filled=entry.visible))
        button.setText(f"{entry.label}  {entry.count:,}")
        button.set_theme(self._colors)
        button.toggled.connect(lambda on: self.toggled.emit(entry.label, on))
        button.isolated.connect(lambda: self.isolated.emit(entry.label))
        return button

    def _toggle_novel(self, wanted: bool) -> None:
        self._paint_novel()
        self.novel_toggled.emit(wanted)

    def _paint_novel(self) -> None:
        ink = self._colors.ink if self.novel.isChecked() else self._colors.muted
        self.novel.setIcon(cross(ink))
        self.novel.set_theme(self._colors)
