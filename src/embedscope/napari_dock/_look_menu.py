"""How the points look: a small menu with sliders, and tracks for time series."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QFormLayout, QLabel, QMenu, QSlider, QWidget, QWidgetAction

from embedscope.napari_dock._map_canvas import MapCanvas
from embedscope.napari_dock._tracks import has_frames, track_segments
from embedscope.samples import Samples

_LARGEST_PX, _OPAQUE = 20, 100
_WIDTH_PX = 160


class LookMenu(QMenu):
    """Size and opacity of the points of a map, and lines along tracks.

    Parameters
    ----------
    canvas : MapCanvas
    parent : QWidget
    """

    def __init__(self, canvas: MapCanvas, parent: QWidget) -> None:
        super().__init__(parent)
        self._view = canvas.map_view
        self._samples: Samples | None = None
        points = self._view.points
        self.diameter = _slider(
            "Diameter of the points; 0 suits it to their number.", 0, _LARGEST_PX
        )
        self.diameter.setValue(0)
        self.diameter.valueChanged.connect(lambda size: points.set_size(float(size) or None))
        self.opacity = _slider("Opacity of the points.", 5, _OPAQUE)
        self.opacity.setValue(_OPAQUE)
        self.opacity.valueChanged.connect(lambda share: points.set_opacity(share / _OPAQUE))
        self.tracks = QCheckBox()
        self.tracks.setToolTip(
            "Join the same label from frame to frame, where labels were linked over time."
        )
        self.tracks.toggled.connect(self._show_tracks)
        content = QWidget()
        form = QFormLayout(content)
        form.addRow(QLabel("Point size"), self.diameter)
        form.addRow(QLabel("Opacity"), self.opacity)
        form.addRow(QLabel("Tracks"), self.tracks)
        action = QWidgetAction(self)
        action.setDefaultWidget(content)
        self.addAction(action)
        self.show_samples(None)

    def show_samples(self, samples: Samples | None) -> None:
        """Offer tracks where these samples have more than one frame."""
        self._samples = samples
        self.tracks.setEnabled(samples is not None and has_frames(samples))
        self._show_tracks()

    def _show_tracks(self) -> None:
        samples = self._samples
        wanted = self.tracks.isChecked() and self.tracks.isEnabled() and samples is not None
        none = np.zeros((0, 2), dtype=np.int64)
        self._view.set_tracks(track_segments(samples) if wanted and samples else none)


def _slider(tooltip: str, low: int, high: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(low, high)
    slider.setMinimumWidth(_WIDTH_PX)
    slider.setToolTip(tooltip)
    return slider
