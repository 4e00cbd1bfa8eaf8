"""A slider that turns decoded pictures, for maps that decode them upright."""

from __future__ import annotations

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

_TIP = (
    "Turn decoded pictures by an angle, counter-clockwise. At 0° typical samples are upright, and "
    "a carried sample lies as it does in its image. The angle stays while you move over the map."
)


class TurnSlider(QWidget):
    """A slider of 0 to 360 degrees; hidden while nothing can be turned.

    Parameters
    ----------
    parent : QWidget, optional
    """

    turned = Signal()  # by the user

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 360)
        self.slider.setPageStep(45)
        self.slider.setToolTip(_TIP)
        self.text = QLabel()
        self.text.setMinimumWidth(self.text.fontMetrics().horizontalAdvance("360°"))
        self.slider.valueChanged.connect(self._on_moved)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("Turn"))
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.text)
        self._show_angle()
        self.hide()

    @property
    def angle(self) -> float:
        """The chosen angle in degrees, also while the slider is hidden."""
        return float(self.slider.value())

    def _on_moved(self) -> None:
        self._show_angle()
        self.turned.emit()

    def _show_angle(self) -> None:
        self.text.setText(f"{self.slider.value()}°")
