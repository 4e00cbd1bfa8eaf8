"""The film strip: the samples decoded along a path on the map, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QScrollArea, QToolButton, QWidget

from embedscope.explorer import Reconstruction
from embedscope.napari_dock.widgets._pictures import to_pixmap
from embedscope.napari_dock.widgets._theme import DARK, MapColors

_STEP_PX, _SCROLL_BAR_PX = 56, 16


class FilmStrip(QScrollArea):
    """A row of pictures, each with its support; a click on one shows its details.

    Parameters
    ----------
    parent : QWidget, optional
    """

    chosen = Signal(int)  # number of the step

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps: list[QToolButton] = []
        self._colors = DARK
        self._group = QButtonGroup(self)
        self._inside = QWidget()
        self._row = QHBoxLayout(self._inside)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._row.addStretch(1)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(self._inside)
        self.setToolTip("Samples decoded along the path, from its start to its end.")
        self.hide()

    def show_path(self, path: Sequence[Reconstruction]) -> None:
        """Show these steps; hidden where they have no pictures."""
        for button in self.steps:
            self._group.removeButton(button)
            self._row.removeWidget(button)
            button.deleteLater()
        pictured = [step for step in path if step.picture is not None]
        self.steps = [self._button(number, step) for number, step in enumerate(pictured)]
        for number, button in enumerate(self.steps):
            self._group.addButton(button)
            self._row.insertWidget(number, button)
        if self.steps:
            self.setFixedHeight(self.steps[0].sizeHint().height() + _SCROLL_BAR_PX)
        self.setVisible(bool(self.steps))

    def mark(self, number: int) -> None:
        """Frame a step."""
        if number < len(self.steps):
            self.steps[number].setChecked(True)

    def set_theme(self, colors: MapColors) -> None:
        """Frame the chosen step in the accent of a theme."""
        self._colors = colors
        for button in self.steps:
            self._paint(button)

    def _button(self, number: int, step: Reconstruction) -> QToolButton:
        button = QToolButton()
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        assert step.picture is not None  # others have no button
        button.setIcon(QIcon(to_pixmap(step.picture, _STEP_PX)))
        button.setIconSize(QSize(_STEP_PX, _STEP_PX))
        button.setText(f"{100 * step.support:.0f} %")
        button.setCheckable(True)
        button.setToolTip(
            f"Step {number + 1}, support {100 * step.support:.0f} %: click to see it with its "
            "nearest real samples, and where it is on the map."
        )
        button.clicked.connect(lambda: self.chosen.emit(number))
        self._paint(button)
        return button

    def _paint(self, button: QToolButton) -> None:
        ink, accent = (",".join(map(str, rgb)) for rgb in (self._colors.muted, self._colors.accent))
        button.setStyleSheet(
            "QToolButton { border: 1px solid transparent; padding: 1px; background: transparent;"
            f" color: rgb({ink}); font-size: 9px; }}"
            f"QToolButton:checked {{ border: 1px solid rgb({accent}); }}"
        )


def values_along(path: Sequence[Reconstruction], names: Sequence[str], most: int) -> list[str]:
    """The features that change most along a path, from its first step to its last, as lines.

    Parameters
    ----------
    path : sequence of Reconstruction
        Steps of samples that are rows of a table.
    names : sequence of str
        Of the features.
    most : int
        Lines at most.

    Returns
    -------
    list of str
        Such as "area: 0.2 → 1.4"; the largest change comes first.
    """
    values = np.stack([np.asarray(step.sample, dtype=np.float64) for step in path])
    order: Any = np.argsort(-np.ptp(values, axis=0), kind="stable")[:most]
    return [
        f"{names[k] if k < len(names) else k}: {values[0, k]:.3g} → {values[-1, k]:.3g}"
        for k in order
    ]
