"""Pictures of samples as Qt shows them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel, QWidget


def to_pixmap(picture: npt.NDArray[np.uint8], side_px: int) -> QPixmap:
    """A picture, enlarged without blur.

    Parameters
    ----------
    picture : ndarray of shape (h, w, 3), uint8
    side_px : int
        Length of the longer side.

    Returns
    -------
    QPixmap
    """
    pixels = np.ascontiguousarray(picture)
    height, width = pixels.shape[:2]
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image).scaled(
        side_px,
        side_px,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.FastTransformation,
    )


class PictureLabel(QLabel):
    """A label that shows one picture.

    Parameters
    ----------
    side_px : int
    tooltip : str
    parent : QWidget, optional
    """

    def __init__(self, side_px: int, tooltip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side_px = side_px
        self.setFixedSize(side_px, side_px)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setToolTip(tooltip)

    def show_picture(self, picture: npt.NDArray[np.uint8] | None) -> None:
        """Show a picture of shape (h, w, 3), uint8, or nothing."""
        if picture is None:
            self.clear()
        else:
            self.setPixmap(to_pixmap(picture, self._side_px))
