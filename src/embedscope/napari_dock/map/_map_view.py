"""The vispy scene of the map: points, tracks and a camera that keeps both axes at one scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import qtpy
import vispy.app
from psygnal import Signal
from vispy.scene import PanZoomCamera, SceneCanvas
from vispy.scene.visuals import Line

from embedscope.napari_dock.map._pixel_layer import Window
from embedscope.napari_dock.map._point_cloud import PointCloud
from embedscope.napari_dock.widgets._theme import MapColors

Points = npt.NDArray[np.float64]
Pixel = tuple[float, float]

_MARGIN = 0.06  # of the map's extent, left free around it
_SMALL = 0.5  # a live map that fills less of the view than this is shown larger


class MapView:
    """Points under a camera.

    Until the user pans or zooms, the view follows the map as training moves it.
    """

    moved = Signal()

    def __init__(self) -> None:
        # vispy has to use the Qt that the application uses; napari does the same.
        vispy.app.use_app(qtpy.API_NAME)
        # Without keys=None vispy would bind keys of its own, such as Escape to close.
        self._canvas = SceneCanvas(keys=None, show=False)
        self._view = self._canvas.central_widget.add_view()
        self._view.camera = PanZoomCamera(rect=(-1, -1, 2, 2), aspect=1)
        self.points = PointCloud(self._view.scene)
        self._tracks = self._new_tracks()
        self._track_color: tuple[float, ...] = (1.0, 1.0, 1.0, 0.5)
        self._segments = np.zeros((0, 2), np.int64)
        self._follows = True
        self._has_context = False
        self._canvas.events.initialize.connect(self._on_context)
        self._view.scene.transform.changed.connect(self._on_camera_moved)
        self._canvas.events.draw.connect(self._paint, position="first")
        self._canvas.events.mouse_wheel.connect(self._stop_following, position="first")

    @property
    def native(self) -> Any:
        """The Qt widget."""
        return self._canvas.native

    @property
    def rect(self) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of the camera's rectangle, in map units."""
        rect = self._view.camera.rect
        return rect.left, rect.bottom, rect.width, rect.height

    @property
    def map_units_per_pixel(self) -> float:
        """The scale, the same along both axes."""
        first, second = self.to_map((0.0, 0.0)), self.to_map((1.0, 0.0))
        return float(abs(second[0] - first[0]))

    def to_pixels(self, points: Points) -> Points:
        """From map units, shape (k, 2), to pixels of the widget, float64 of shape (k, 2)."""
        return np.asarray(self._view.scene.transform.map(points))[:, :2]

    def to_map(self, pixel: Pixel) -> Points:
        """From a pixel of the widget to map units, float64 of shape (2,)."""
        return np.asarray(self._view.scene.transform.imap(pixel), np.float64)[:2]

    def set_theme(self, colors: MapColors) -> None:
        """Background and outlines in the colours of a theme."""
        self._canvas.bgcolor = tuple(value / 255 for value in colors.background)
        red, green, blue = (value / 255 for value in colors.ink)
        self.points.set_outline((red, green, blue, 1.0))
        self._track_color = (*(value / 255 for value in colors.muted), 0.5)
        self._draw_tracks()

    def set_positions(self, positions: npt.NDArray[np.float32]) -> None:
        """Move the points, float32 of shape (n, 2); those that are not finite are not drawn."""
        is_new = len(positions) != len(self.points.positions)
        self.points.set_positions(positions)
        self._draw_tracks()
        if is_new:
            self._follows = True
        if self._follows and self._needs_fit(is_new):
            self.fit()

    def set_tracks(self, segments: npt.NDArray[np.int64]) -> None:
        """Join pairs of rows by lines, int64 of shape (k, 2); none for an empty array."""
        self._segments = segments
        self._draw_tracks()

    def pan(self, start: Pixel, end: Pixel) -> None:
        """Move the map along with the pointer, by pixels."""
        self._follows = False
        self._view.camera.pan(self.to_map(start) - self.to_map(end))

    def show_all(self) -> None:
        """Bring the whole map into view, and follow it from now on."""
        self._follows = True
        self.fit()

    def fit(self) -> None:
        """Bring the whole map into view."""
        extent = self._extent()
        if extent is None:
            return
        low, high = extent
        size = np.maximum(high - low, 1e-3)
        margin = _MARGIN * size.max()
        left, bottom = low - margin
        width, height = size + 2 * margin
        self._view.camera.rect = (left, bottom, width, height)

    def show_box(self, low: Points, high: Points) -> None:
        """Bring a box into view, two corners of shape (2,) in map units."""
        self._follows = False
        self._view.camera.rect = (*low, *(high - low))

    def _extent(self) -> tuple[Points, Points] | None:
        placed = self.points.positions[np.isfinite(self.points.positions).all(axis=1)]
        if not len(placed):
            return None
        return placed.min(axis=0).astype(np.float64), placed.max(axis=0).astype(np.float64)

    def _needs_fit(self, is_new: bool) -> bool:
        extent = self._extent()
        if extent is None or is_new:
            return extent is not None
        low, high = extent
        left, bottom, width, height = self.rect
        inside = (low >= (left, bottom)).all() and (high <= (left + width, bottom + height)).all()
        fills = float(((high - low) / (width, height)).max())
        return not inside or fills < _SMALL

    def _draw_tracks(self) -> None:
        positions, segments = self.points.positions, self._segments
        placed = np.asarray(np.isfinite(positions).all(axis=1))
        known = (segments < len(positions)).all(axis=1)  # tracks of another map are skipped
        drawn = segments[known][placed[segments[known]].all(axis=1)]
        self._tracks.visible = len(drawn) > 0
        if len(drawn):
            where = np.where(placed[:, None], positions, 0)
            self._tracks.set_data(pos=where, connect=drawn, color=self._track_color)

    def _new_tracks(self) -> Any:
        tracks = Line(parent=self._view.scene, connect="segments", antialias=False, method="gl")
        tracks.order = -1
        tracks.visible = False
        return tracks

    def _on_context(self, event: object = None) -> None:
        """Send everything again to each context after the first.

        A widget that moves into another window, such as a floating dock, gets a new OpenGL context
        without any of the old objects, which vispy does not notice.
        """
        if self._has_context:
            self._canvas.context.glir.clear()  # pending commands are for the old context
            self._canvas.context.shared.parser._objects.clear()
            self._canvas.set_current()
            self.points.send_again()
            self._tracks.parent = None
            self._tracks = self._new_tracks()
            self._draw_tracks()
        self._has_context = True

    def _paint(self, event: object = None) -> None:
        """Paint the points of the current view before it is drawn."""
        columns, rows = self._canvas.physical_size
        left, top = self.to_map((0.0, 0.0))
        right, bottom = self.to_map(self._canvas.size)
        if right > left and top > bottom:
            self.points.paint(Window(left, bottom, right - left, top - bottom, columns, rows))

    def _on_camera_moved(self, event: object = None) -> None:
        self.moved.emit()

    def _stop_following(self, event: object = None) -> None:
        self._follows = False
