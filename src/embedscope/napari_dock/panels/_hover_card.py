"""A small card with the hovered sample, in the corner of the map where it covers least."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from embedscope.explorer import depth_in_words, describe_row
from embedscope.napari_dock.widgets._pictures import PictureLabel
from embedscope.napari_dock.widgets._theme import MapColors
from embedscope.samples import Samples

_PICTURE_PX, _MARGIN_PX, _MOST_VALUES = 64, 8, 3
_COUNT_PX = 28  # height of the count of selected samples at the bottom


class HoverCard(QFrame):
    """Picture, identity and some values of a sample; hidden while there is none.

    Parameters
    ----------
    parent : QWidget
        The map; the mouse reaches it through the card.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        parent.installEventFilter(self)
        self.picture = PictureLabel(_PICTURE_PX, "")
        self.text = QLabel()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 6, 8, 6)
        layout.addWidget(self.picture)
        layout.addWidget(self.text)
        self.hide()

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Stay within the map when that shrinks."""
        if event.type() == QEvent.Type.Resize:
            size = event.size()
            x = min(self.x(), size.width() - self.width() - _MARGIN_PX)
            y = min(self.y(), size.height() - self.height() - _COUNT_PX)
            self.move(max(x, _MARGIN_PX), max(y, _MARGIN_PX))
        return False

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme."""
        behind, ink = (",".join(map(str, rgb)) for rgb in (colors.background, colors.ink))
        self.setStyleSheet(
            f"HoverCard {{ background: rgba({behind}, 225); border-radius: 5px;"
            f" border: 1px solid rgba({ink}, 60); }}"
            f"HoverCard QLabel {{ background: transparent; color: rgb({ink}); }}"
        )

    def show_sample(
        self,
        samples: Samples | None,
        row: int | None,
        color_by: str,
        avoided: npt.NDArray[np.float64] | None = None,
    ) -> None:
        """Show a sample, or hide.

        Parameters
        ----------
        samples : Samples or None
        row : int or None
        color_by : str
            Feature that the map is coloured by, which is listed first.
        avoided : ndarray of shape (k, 2), float64, optional
            Pixels of the map that are rather not to be covered, the first above all: the points
            and the names of gates.
        """
        if samples is None or row is None or row >= len(samples):
            self.hide()
            return
        self.picture.setVisible(samples.is_image)
        if samples.is_image:
            self.picture.show_picture(samples.thumbnail(row))
        described = describe_row(samples, row, color_by)
        values = [f"{name}: {value}" for name, value in described.values[:_MOST_VALUES]]
        shown = depth_in_words(samples)
        note = [f"picture: {shown}"] if shown else []
        self.text.setText("\n".join([described.name, *values, *note]))
        self.adjustSize()
        self.move(*self._free_corner(avoided))
        self.show()
        self.raise_()

    def _free_corner(self, avoided: npt.NDArray[np.float64] | None) -> tuple[int, int]:
        """Corner where the card covers least; the first of equal corners, so it rarely moves."""
        parent = self.parentWidget()
        if avoided is None or parent is None or not len(avoided):
            return _MARGIN_PX, _MARGIN_PX
        right = max(parent.width() - self.width() - _MARGIN_PX, 0)
        bottom = max(parent.height() - self.height() - _COUNT_PX, 0)
        corners = [(x, y) for y in (_MARGIN_PX, bottom) for x in (_MARGIN_PX, right)]
        sides = np.array([self.width(), self.height()]) + 2 * _MARGIN_PX
        covered = []
        for corner in corners:
            low = np.array(corner) - _MARGIN_PX
            inside = ((avoided >= low) & (avoided <= low + sides)).all(axis=1)
            covered.append(int(inside.sum()) + len(avoided) * bool(inside[0]))
        return corners[int(np.argmin(covered))]
