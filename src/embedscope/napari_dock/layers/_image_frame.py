"""A frame around the object in the image whose point is hovered on the map."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from napari.components.overlays import ZoomOverlay

from embedscope.napari_dock.data._world import to_data, to_world
from embedscope.napari_dock.layers._picking import corners_of
from embedscope.samples import Samples

_ROOM_PX = 3.0  # between object and frame
_SMALLEST_PX = 12.0  # side of the frame of a tiny object


class ImageFrame:
    """Draws a frame on the canvas, until the view or the slice changes.

    Parameters
    ----------
    viewer : napari.Viewer
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._frame = ZoomOverlay(visible=False)
        self._name = f"embedscope_pointed_{id(self)}"  # key in the canvas's overlays
        viewer.canvas.overlays[self._name] = self._frame
        for event in self._view_events():
            event.connect(self.hide)

    def show(self, layer: Any, samples: Samples, row: int) -> None:
        """Frame a sample, if it lies in the displayed slice.

        Parameters
        ----------
        layer : napari.layers.Layer
            The layer that the sample comes from.
        samples : Samples
        row : int
        """
        self._frame.visible = False
        viewer = self._viewer
        corners = corners_of(layer, samples, row)
        if corners is None or viewer.dims.ndisplay != 2 or viewer.canvas.grid.enabled:
            return
        offset = viewer.dims.ndim - layer.ndim
        shown = [axis - offset for axis in viewer.dims.displayed]
        if min(shown) < 0 or not self._is_in_slice(layer, corners, shown, offset):
            return
        units = viewer.dims.units
        world = np.array([to_world(units, layer, corner) for corner in corners])[:, shown]
        self._draw(world.min(axis=0), world.max(axis=0))

    def hide(self, event: object = None) -> None:
        """Hide the frame."""
        self._frame.visible = False

    def close(self) -> None:
        """Remove the frame; a second call does nothing."""
        if self._name in self._viewer.canvas.overlays:
            for event in self._view_events():
                event.disconnect(self.hide)
            del self._viewer.canvas.overlays[self._name]

    def _view_events(self) -> list[Any]:
        camera, dims = self._viewer.scene.camera.events, self._viewer.dims.events
        return [camera.center, camera.zoom, dims.point, dims.ndisplay, dims.order]

    def _is_in_slice(
        self, layer: Any, corners: npt.NDArray[np.float64], shown: list[int], offset: int
    ) -> bool:
        place = to_data(self._viewer.dims.units, layer, self._viewer.dims.point)
        others = [axis for axis in range(layer.ndim) if axis not in shown]
        low, high = corners.min(axis=0), corners.max(axis=0)
        return bool(((low[others] <= place[others]) & (place[others] <= high[others])).all())

    def _draw(self, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> None:
        """Draw from corner to corner, in world units along the two displayed axes."""
        camera, size = self._viewer.scene.camera, np.array(self._viewer.canvas.size)
        center = np.asarray(camera.center, np.float64)[-2:]
        ways = np.array([1 if each in ("down", "right") else -1 for each in _ways(camera)])
        ends = (np.array([low, high]) - center) * camera.zoom * ways + size / 2
        first, last = ends.min(axis=0), ends.max(axis=0)
        room = np.maximum(_ROOM_PX, (_SMALLEST_PX - (last - first)) / 2)
        self._frame.position = (tuple(first - room), tuple(last + room))
        self._frame.visible = True


def _ways(camera: Any) -> list[str]:
    return [str(getattr(way, "value", way)) for way in camera.orientation2d]
