"""A menu with the size and opacity of the points, and tracks for time series."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSlider,
    QWidget,
    QWidgetAction,
)

from embedscope.napari_dock.map._map_canvas import MapCanvas
from embedscope.napari_dock.map._tracks import has_frames, segments_of, track_segments
from embedscope.samples import Samples

_LARGEST_PX, _OPAQUE = 20, 100
_WIDTH_PX = 160
_OF_SELECTION = 0
_NONE = np.zeros((0, 2), dtype=np.int64)


class PointsMenu(QMenu):
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
        self._segments = _NONE
        self._selected = np.zeros(0, dtype=np.int64)
        points = self._view.points
        self.diameter = _slider(
            "Diameter of the points; 0 chooses it by their number.", 0, _LARGEST_PX
        )
        self.diameter.setValue(0)
        self.diameter.valueChanged.connect(lambda size: points.set_size(float(size) or None))
        self.opacity = _slider("Opacity of the points.", 5, _OPAQUE)
        self.opacity.setValue(_OPAQUE)
        self.opacity.valueChanged.connect(lambda share: points.set_opacity(share / _OPAQUE))
        self.tracks = QCheckBox()
        self.tracks.setToolTip(
            "Join equal labels from frame to frame, where labels were linked over time."
        )
        self.tracks.toggled.connect(self._show_tracks)
        self.shown = QComboBox()
        self.shown.addItems(["of the selection", "all"])
        self.shown.setToolTip("Which tracks are drawn: those of the selected samples, or all.")
        self.shown.currentIndexChanged.connect(self._show_tracks)
        tracks = QHBoxLayout()
        tracks.addWidget(self.tracks)
        tracks.addWidget(self.shown, 1)
        content = QWidget()
        form = QFormLayout(content)
        form.addRow(QLabel("Point size"), self.diameter)
        form.addRow(QLabel("Opacity"), self.opacity)
        form.addRow(QLabel("Tracks"), tracks)
        action = QWidgetAction(self)
        action.setDefaultWidget(content)
        self.addAction(action)
        self.show_samples(None)

    def show_samples(self, samples: Samples | None) -> None:
        """Offer tracks where these samples have more than one frame."""
        self._samples = samples
        self._selected = np.zeros(0, dtype=np.int64)
        has_tracks = samples is not None and has_frames(samples)
        self._segments = track_segments(samples) if samples is not None and has_tracks else _NONE
        self.tracks.setEnabled(has_tracks)
        self.shown.setEnabled(has_tracks)
        self._show_tracks()

    def show_selection(self, rows: npt.NDArray[np.int64]) -> None:
        """Draw the tracks of these samples, if the tracks of the selection are shown."""
        self._selected = rows
        if self.tracks.isChecked() and self.shown.currentIndex() == _OF_SELECTION:
            self._show_tracks()

    def _show_tracks(self) -> None:
        samples, shown = self._samples, _NONE
        if samples is not None and self.tracks.isChecked() and self.tracks.isEnabled():
            shown = self._segments
            if self.shown.currentIndex() == _OF_SELECTION:
                shown = segments_of(shown, samples, self._selected)
        self._view.set_tracks(shown)


def _slider(tooltip: str, low: int, high: int) -> QSlider:
    slider = QSlider(Qt.Orientation.Horizontal)
    slider.setRange(low, high)
    slider.setMinimumWidth(_WIDTH_PX)
    slider.setToolTip(tooltip)
    return slider
