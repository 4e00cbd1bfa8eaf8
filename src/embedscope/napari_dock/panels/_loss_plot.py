"""Live loss curves, each kind in a band with its own scale, so that all can be read.

Losses of held-out samples are dashed, those of the training samples solid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from embedscope.napari_dock.widgets._theme import DARK, MapColors

_COLORS = ("#56b4e9", "#e69f00", "#009e73")
_KINDS = (
    ("map", "loss"),
    ("by position", "reconstruction_loss"),
    ("with own code", "style_reconstruction_loss"),
)
_HELD_OUT = "val_"
_MARGIN_PX, _GAP_PX = 6, 2
_SMALLEST_FONT = 0.7  # of the usual size
_NARROWEST = 0.6  # of the widest band

Values = Sequence[float]


@dataclass(frozen=True)
class _Band:
    """One small plot: a kind of loss, of the training samples and of the held-out ones."""

    title: str
    learned: Values
    held_out: Values

    @property
    def summary(self) -> str:
        """The latest values."""
        said = [f"{self.learned[-1]:.3g}"] if len(self.learned) else []
        if len(self.held_out):
            said.append(f"held out {self.held_out[-1]:.3g}")
        return ", ".join(said)


class LossPlot(QWidget):
    """Curves of the losses of a run, which grow while it trains.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._losses: dict[str, Values] = {}
        self._colors = DARK
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "The losses of the run, each kind on its own scale, with the latest values. Solid: "
            "training samples. Dashed: held-out samples, which the decoder was not trained on. "
            "Losses of the decoder: 0 is exact, 1 is no better than the mean sample."
        )

    @property
    def losses(self) -> Mapping[str, Values]:
        """The curves that are drawn."""
        return self._losses

    def sizeHint(self) -> QSize:
        """Wide and low."""
        return QSize(300, 112)

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme."""
        self._colors = colors
        self.update()

    def show_losses(self, losses: Mapping[str, Values]) -> None:
        """Draw these curves, by name."""
        self._losses = {name: values for name, values in losses.items() if len(values)}
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the bands side by side."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        bands = _sort_into_bands(self._losses)
        if not bands:
            painter.setPen(QColor(*self._colors.muted))
            painter.drawText(
                QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, "Loss curves appear here."
            )
        left, shares = 0.0, _widths(painter, bands)
        widths = [share * self.width() for share in shares]
        painter.setFont(_fitting_font(painter, bands, widths))
        for place, (band, width) in enumerate(zip(bands, widths, strict=True)):
            box = QRectF(left, 0, width, self.height())
            self._paint_band(painter, box, band, QColor(_COLORS[place % len(_COLORS)]))
            left += width
        painter.end()

    def _paint_band(self, painter: QPainter, box: QRectF, band: _Band, color: QColor) -> None:
        metrics = painter.fontMetrics()
        inner = box.adjusted(_MARGIN_PX, _GAP_PX, -_MARGIN_PX, -_MARGIN_PX)
        for text, ink in ((band.title, self._colors.ink), (band.summary, self._colors.muted)):
            painter.setPen(QColor(*ink))
            line = QRectF(inner.left(), inner.top(), inner.width(), metrics.height())
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(inner.width()))
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, shown)
            inner.setTop(inner.top() + metrics.height())
        inner.setTop(inner.top() + _MARGIN_PX)
        painter.setPen(QPen(QColor(*self._colors.muted), 1.0))
        painter.drawLine(inner.bottomLeft(), inner.bottomRight())
        everything = _finite([*band.learned, *band.held_out])
        if not len(everything):
            return
        limits = float(everything.min()), float(everything.max())
        _paint_curve(painter, inner, band.held_out, limits, QPen(color, 1.5, _DASHED))
        _paint_curve(painter, inner, band.learned, limits, QPen(color, 2.0))


_DASHED = Qt.PenStyle.DashLine


def _sort_into_bands(losses: Mapping[str, Values]) -> list[_Band]:
    """The kinds that are there, those known by name first, the rest as they come."""
    kinds = {name: title for title, name in _KINDS}
    found = [name.removeprefix(_HELD_OUT) for name in losses]
    names = [name for name in kinds if name in found]
    names += [name for name in dict.fromkeys(found) if name not in kinds]
    return [
        _Band(kinds.get(name, name), losses.get(name, ()), losses.get(_HELD_OUT + name, ()))
        for name in names
    ]


def _widths(painter: QPainter, bands: Sequence[_Band]) -> list[float]:
    """Shares of the width: a band with longer text gets more."""
    texts = [_text_px(painter, band) for band in bands]
    wanted = [max(text, _NARROWEST * max(texts)) for text in texts]
    return [width / sum(wanted) for width in wanted]


def _fitting_font(painter: QPainter, bands: Sequence[_Band], widths: Sequence[float]) -> QFont:
    """A font in which each band's text is no wider than it, unless it would be too small."""
    font = QFont(painter.font())
    scales = [
        (width - 2 * _MARGIN_PX) / _text_px(painter, band)
        for band, width in zip(bands, widths, strict=True)
    ]
    scale = min(1.0, max(_SMALLEST_FONT, min(scales, default=1.0)))
    if font.pixelSize() > 0:  # as style sheets give it
        font.setPixelSize(max(1, int(font.pixelSize() * scale)))
    else:
        font.setPointSizeF(font.pointSizeF() * scale)
    return font


def _text_px(painter: QPainter, band: _Band) -> int:
    metrics = painter.fontMetrics()
    return max(1, *(metrics.horizontalAdvance(text) for text in (band.title, band.summary)))


def _paint_curve(
    painter: QPainter, box: QRectF, values: Values, limits: tuple[float, float], pen: QPen
) -> None:
    """A curve from side to side of a box, and a dot at its end."""
    shown = _finite(values)
    if not len(shown):
        return
    low, high = limits
    x = np.linspace(box.left(), box.right(), max(2, len(shown)))[: len(shown)]
    y = box.bottom() - (shown - low) / max(high - low, 1e-12) * box.height()
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline(QPolygonF([QPointF(*point) for point in zip(x, y, strict=True)]))
    painter.setPen(QPen(pen.color(), 1.0))
    painter.setBrush(pen.color())
    painter.drawEllipse(QPointF(x[-1], y[-1]), 3.0, 3.0)


def _finite(values: Values) -> np.ndarray:
    numbers = np.asarray(values, dtype=np.float64)
    return numbers[np.isfinite(numbers)]
