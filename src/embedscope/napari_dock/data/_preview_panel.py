"""Preview of the samples: up to sixteen pictures, and a line that describes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from embedscope.napari_dock.data._previewing import N_PREVIEWED
from embedscope.napari_dock.widgets._pictures import PictureLabel

_CROP_PX, _COLUMNS = 34, 8


class PreviewPanel(QWidget):
    """A line of text over two rows of pictures.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setToolTip(
            "Samples as they are cut with the choice above, for the objects in view."
        )
        self.crops = [PictureLabel(_CROP_PX, "A sample as it is cut") for _ in range(N_PREVIEWED)]
        self._pictures = QWidget()
        grid = QGridLayout(self._pictures)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(3)
        for place, label in enumerate(self.crops):
            grid.addWidget(label, *divmod(place, _COLUMNS))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.text)
        layout.addWidget(self._pictures, 0, Qt.AlignmentFlag.AlignHCenter)
        self.show_pictures(())

    def show_text(self, text: str) -> None:
        """Show what the samples are, or what is wrong with the choice."""
        self.text.setText(text)
        self.text.setVisible(bool(text))

    def show_pictures(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> None:
        """Show these pictures.

        Parameters
        ----------
        pictures : sequence of ndarray of shape (h, w, 3), uint8
            At most sixteen.
        """
        self._pictures.setVisible(len(pictures) > 0)
        for place, label in enumerate(self.crops):
            label.show_picture(pictures[place] if place < len(pictures) else None)
