"""Live loss curves, each in a band of its own scale: what falls is seen, whatever its units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from embedscope.napari_dock._theme import DARK, MapColors

_COLORS = ("#56b4e9", "#e69f00", "#009e73")
_TITLES = {
    "loss": "map",
    "reconstruction_loss": "drawing",
    "val_reconstruction_loss": "drawing, held out",
}
_MARGIN_PX = 6


class LossPlot(QWidget):
    """Curves of the losses of a run, which grow while it trains.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._losses: dict[str, Sequence[float]] = {}
        self._colors = DARK
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("How the losses fell, each on its own scale: first and latest value.")

    @property
    def losses(self) -> Mapping[str, Sequence[float]]:
        """The curves that are drawn."""
        return self._losses

    def sizeHint(self) -> QSize:
        """Wide and low."""
        return QSize(300, 96)

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme."""
        self._colors = colors
        self.update()

    def show_losses(self, losses: Mapping[str, Sequence[float]]) -> None:
        """Draw these curves, by name."""
        self._losses = {name: values for name, values in losses.items() if len(values)}
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the curves side by side."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._losses:
            painter.setPen(QColor(*self._colors.muted))
            painter.drawText(
                QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, "Loss curves appear here."
            )
        width = self.width() / max(1, len(self._losses))
        for place, (name, values) in enumerate(self._losses.items()):
            box = QRectF(place * width, 0, width, self.height())
            self._paint_curve(painter, box, _TITLES.get(name, name), values, place)
        painter.end()

    def _paint_curve(
        self, painter: QPainter, box: QRectF, title: str, values: Sequence[float], place: int
    ) -> None:
        line_px = painter.fontMetrics().height()
        inner = box.adjusted(_MARGIN_PX, line_px + _MARGIN_PX, -_MARGIN_PX, -_MARGIN_PX)
        painter.setPen(QColor(*self._colors.ink))
        painter.drawText(
            QRectF(box.left() + _MARGIN_PX, 2, box.width() - 2 * _MARGIN_PX, line_px),
            Qt.AlignmentFlag.AlignLeft,
            f"{title}  {values[-1]:.4g}",
        )
        painter.setPen(QPen(QColor(*self._colors.muted), 1.0))
        painter.drawLine(inner.bottomLeft(), inner.bottomRight())
        finite = np.asarray(values, dtype=np.float64)
        finite = finite[np.isfinite(finite)]
        if not len(finite):
            return
        low, high = float(finite.min()), float(finite.max())
        x = np.linspace(inner.left(), inner.right(), max(2, len(finite)))[: len(finite)]
        y = inner.bottom() - (finite - low) / max(high - low, 1e-12) * inner.height()
        color = QColor(_COLORS[place % len(_COLORS)])
        painter.setPen(QPen(color, 2.0))
        painter.drawPolyline(QPolygonF([QPointF(*point) for point in zip(x, y, strict=True)]))
        painter.setBrush(color)
        painter.drawEllipse(QPointF(x[-1], y[-1]), 3.0, 3.0)
