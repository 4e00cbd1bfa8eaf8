"""A note below the map: how well neighbours tell the image of a sample, and what helps."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from embedscope.napari_dock.widgets._buttons import text_button
from embedscope.napari_dock.widgets._theme import DARK, MapColors
from embedscope.training import SourceTold

LEARNED = "learned"
_TIP = (
    "Of the 15 nearest neighbours of a sample on the map, those of its own image or table. Much "
    "more than by chance: the map shows staining, exposure or focus instead of the samples."
)
_SCALING = "scale within images"
_LEARNING = "use learned"


class SourceNote(QWidget):
    """A short text, with a button if it has a remedy; hidden for samples of one source.

    Parameters
    ----------
    parent : QWidget, optional
    """

    scaling_requested = Signal()
    learned_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colors = DARK
        self._told: SourceTold | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setToolTip(_TIP)
        self.scaling = text_button(
            "Scale within images",
            "Give each image on the map its own black and white, which evens out staining and "
            "exposure. Then press Train.",
            self.scaling_requested.emit,
        )
        self.learned = text_button(
            "Use learned",
            "Set What is alike to learned: a small network is trained so that copies of a picture "
            "in other light are alike. Then press Train.",
            self.learned_requested.emit,
        )
        buttons = QHBoxLayout()
        buttons.addWidget(self.scaling)
        buttons.addWidget(self.learned)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        layout.addWidget(self.text)
        layout.addLayout(buttons)
        self.show_told(None)

    def show_told(self, told: SourceTold | None) -> None:
        """Show how well the source is told.

        Parameters
        ----------
        told : SourceTold or None
        """
        self._told = told
        self.setVisible(told is not None)
        if told is None:
            return
        may_learn = told.may_learn
        said = (
            f"{round(100 * told.share)} % of the neighbours share the source "
            f"({round(100 * told.chance)} % by chance)"
        )
        may_scale = told.dominates and told.are_pictures and not told.are_scaled_within
        remedy = _remedy(told, may_scale=may_scale, may_learn=may_learn)
        self.text.setText(f"{said}: {remedy}." if remedy else f"{said}.")
        self.scaling.setVisible(may_scale)
        self.learned.setVisible(may_learn)
        self.set_theme(self._colors)

    def set_theme(self, colors: MapColors) -> None:
        """Write in the accent of a theme if the source dominates."""
        self._colors = colors
        is_warning = self._told is not None and self._told.dominates
        color = colors.accent if is_warning else colors.muted
        self.text.setStyleSheet(f"color: rgb({','.join(map(str, color))})")


def _remedy(told: SourceTold, *, may_scale: bool, may_learn: bool) -> str:
    if not told.dominates:
        return ""
    if not told.are_pictures:
        return "standardise the columns within each source"
    helps = [_SCALING] if may_scale else []
    helps += [_LEARNING] if may_learn else []
    if not helps:
        return "the images may differ in what they show"
    return f"{', or '.join(helps)}; then train again"
