"""The colour scale of a numeric feature: limits, colour bar and palette."""

from __future__ import annotations

import numpy as np
from psygnal import Signal
from qtpy.QtGui import QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from embedscope.explorer import ColorBy, Coloring
from embedscope.explorer.marks import CLASS_PALETTE
from embedscope.napari_dock.widgets._buttons import IconButton
from embedscope.napari_dock.widgets._theme import MapColors

_BAR_PX, _LIMIT_PX, _PALETTE_PX = 10, 74, 88


class ColorScale(QWidget):
    """Two editable limits, the colours between them, and a choice of palettes.

    Parameters
    ----------
    parent : QWidget, optional
    """

    limits_chosen = Signal(object)  # two numbers, or None for those of the data
    palette_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._limits: tuple[float, float] | None = None
        self.low = self._limit_entry("Value with the first colour.")
        self.high = self._limit_entry("Value with the last colour.")
        self.bar = _ColorBar()
        self.own_limits = IconButton(
            "undo", "Reset the limits to those of the data.", lambda: self.limits_chosen.emit(None)
        )
        self.palettes = QComboBox()
        self.palettes.setFixedWidth(_PALETTE_PX)
        self.palettes.setToolTip(
            "Palette of the values; all palettes are safe for colour-blind users."
        )
        self.palettes.textActivated.connect(self.palette_chosen.emit)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.low)
        row.addWidget(self.bar, 1)
        for part in (self.high, self.own_limits, self.palettes):
            row.addWidget(part)

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme."""
        self.own_limits.set_theme(colors)

    def show_coloring(self, coloring: Coloring, by: ColorBy) -> None:
        """Show limits and palette; hidden if there is neither."""
        self._limits = coloring.limits
        has_limits = coloring.limits is not None
        for part in (self.low, self.bar, self.high):
            part.setVisible(has_limits)
        self.own_limits.setVisible(has_limits and by.limits is not None)
        self.palettes.setVisible(bool(coloring.palettes))
        self.palettes.clear()
        self.palettes.addItems(coloring.palettes)
        self.palettes.setCurrentText(by.palette or coloring.colormap or CLASS_PALETTE)
        self.setVisible(has_limits or bool(coloring.palettes))
        self._show_limits()
        self.bar.show_colors(coloring.palette[1:-1], coloring.title)

    def _show_limits(self) -> None:
        for entry, limit in zip((self.low, self.high), self._limits or (), strict=False):
            entry.setText(_as_text(limit))

    def _limit_entry(self, tooltip: str) -> QLineEdit:
        entry = QLineEdit()
        entry.setFixedWidth(_LIMIT_PX)
        entry.setToolTip(tooltip)
        entry.editingFinished.connect(self._choose_limits)
        return entry

    def _choose_limits(self) -> None:
        """Emit the typed limits; restore the previous ones if they are no valid range."""
        typed = (self.low.text(), self.high.text())
        if self._limits is None or typed == tuple(map(_as_text, self._limits)):
            return
        try:
            low, high = map(float, typed)
        except ValueError:
            low, high = np.nan, np.nan
        if np.isfinite([low, high]).all() and low < high:
            self.limits_chosen.emit((low, high))
        else:
            self._show_limits()


class _ColorBar(QWidget):
    """The colours from the first to the last."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self.setFixedHeight(_BAR_PX)

    def show_colors(self, colors: np.ndarray, tooltip: str) -> None:
        """Draw these, uint8 of shape (k, 4), from left to right."""
        pixels = colors.tobytes()
        image = QImage(pixels, len(colors), 1, len(pixels), QImage.Format.Format_RGBA8888)
        self._image = image.copy()  # the copy owns its pixels
        self.setToolTip(tooltip)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.drawImage(self.rect(), self._image)
        painter.end()


def _as_text(limit: float) -> str:
    return f"{limit:.4g}"
