"""What a map canvas shows, as an array."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication


def settle() -> None:
    """Let Qt do what is waiting."""
    for _ in range(5):
        QApplication.processEvents()


def as_array(image: QImage) -> np.ndarray:
    """Pixels of shape (h, w, 3), int."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    data = image.constBits()
    if hasattr(data, "setsize"):  # PyQt's pointers do not know how long they are
        data.setsize(image.sizeInBytes())
    rows = np.frombuffer(data, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), -1, 3).astype(int)


def pixels(view: Any) -> np.ndarray:
    """What the graphics card has drawn of a `MapView`, without what lies over it."""
    settle()
    return as_array(view.native.grabFramebuffer())


def inked(view: Any) -> np.ndarray:
    """Where something is drawn: bool of shape (h, w)."""
    shown = pixels(view)
    return (np.abs(shown - shown[1, 1]) > 12).any(axis=-1)
