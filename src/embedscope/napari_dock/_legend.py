"""The legend of the map: what colours and marks mean, to be switched off and on."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget
from superqt import QFlowLayout

from embedscope.explorer import ColorBy, Coloring, LegendEntry
from embedscope.napari_dock._color_scale import ColorScale
from embedscope.napari_dock._legend_button import LegendButton, cross, swatch
from embedscope.napari_dock._theme import DARK, MapColors

_MOST_SHOWN = 40  # more classes than that are a list, not a legend


class Legend(QWidget):
    """What the colours mean, and how many samples are unlike those trained on.

    Parameters
    ----------
    parent : QWidget, optional
    """

    toggled = Signal(str, bool)  # class, whether it is shown
    isolated = Signal(str)  # class that is to be shown alone
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
        """Say how many samples are unlike those trained on; nothing if there are none."""
        self.novel.setText(f"unlike those trained on  {count:,}")
        self.novel.setVisible(count > 0)

    def show_coloring(self, coloring: Coloring, by: ColorBy) -> None:
        """Show the classes, or the limits and the palette of a number.

        Parameters
        ----------
        coloring : Coloring
        by : ColorBy
            What these are the colours of.
        """
        self._coloring, self._by = coloring, by
        while self._flow.count():
            item = self._flow.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.hide()  # it may take a while until it is deleted
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
