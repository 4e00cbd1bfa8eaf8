"""Links samples that are points to their Points layer, with markers in an overlay."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers import Points

from embedscope.napari_dock.data._layer_places import affine_of
from embedscope.napari_dock.layers._picking import value_at
from embedscope.napari_dock.layers._view_rectangle import ViewRectangle
from embedscope.samples import SampleId, Samples

Codes = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]

_MARKER = 1.6  # times the size of the marked point
_RIM = 0.25  # of a marker's size
_OPACITY = 0.7


class PointLink:
    """A `LayerLink` of points; each is identified by its index when it became a sample.

    Parameters
    ----------
    viewer : napari.Viewer
    samples : Samples
    name : str
        Name of the source.
    layer : napari.layers.Points
    """

    def __init__(self, viewer: Any, samples: Samples, name: str, layer: Any) -> None:
        identities = samples.identities
        self.source = name
        self.rows = np.flatnonzero(identities.source == identities.sources.index(name))
        self._viewer = viewer
        self._layer = weakref.ref(layer)
        self._identities = identities
        points = identities.label[self.rows] - 1
        n_known = int(points.max(initial=-1)) + 1
        # The sample of each point, -1 for none: points are added and removed, so indices change.
        self._of_point = _fitted(np.full(n_known, -1, np.int64), len(layer.data))
        there = points < len(self._of_point)
        self._of_point[points[there]] = np.flatnonzero(there)
        self._palette = np.zeros((256, 4), np.uint8)
        self._codes = np.zeros((2, len(self.rows)), np.uint8)
        self._markers = Points(
            ndim=layer.ndim,
            name=f"{name} on the map",
            opacity=_OPACITY,
            affine=affine_of(layer),
            units=layer.units,
        )
        self._place_markers()
        self._add()
        for event, respond in self._source_events():
            event.connect(respond)

    @property
    def layer(self) -> Any:
        """The user's layer, or None if it was garbage-collected."""
        return self._layer()

    @property
    def own_layer(self) -> Any:
        """The overlay above it."""
        return self._markers

    def set_palette(self, palette: Codes) -> None:
        """Set the colour of each code, shape (254, 4): red, green, blue, opacity."""
        self._palette = palette
        self._paint()

    def set_codes(self, inside: Codes, rim: Codes, stripes: Codes) -> None:
        """Give each of the samples in `rows` a code for each of its parts, 0 for none.

        Points are too small for stripes: their rims are thick instead.
        """
        self._codes = np.stack([inside, rim])
        self._paint()

    def sample_at(self, event: Any) -> SampleId | None:
        """The sample under the mouse."""
        layer = self.layer
        if layer is None or layer.ndim != self._markers.ndim:
            return None
        point = value_at(layer, event, self._viewer.dims.units)
        if point is None or not 0 <= point < len(self._of_point) or self._of_point[point] < 0:
            return None
        return self._identities[int(self.rows[self._of_point[point]])]

    def touched_by(self, rectangle: ViewRectangle) -> Callable[[], IntArray] | None:
        """A function that finds the points whose centre is in a rectangle; None if none can be."""
        layer = self.layer
        if layer is None or not layer.visible or layer.ndim != self._markers.ndim:
            return None
        plane = rectangle.plane_of(layer)
        if plane is None:
            return None
        places, of_point = np.array(layer.data, np.float64), self._of_point.copy()
        is_shown = np.array(layer.shown, np.bool_)
        return lambda: np.sort(
            self.rows[of_point[plane.contains(places) & is_shown & (of_point >= 0)]]
        )

    def remove(self) -> None:
        """Remove the overlay, and disconnect from the user's layer; a second call does nothing."""
        for event, respond in self._source_events():
            with suppress(ValueError):  # is not connected any more
                event.disconnect(respond)
        with suppress(ValueError):  # the user has deleted it already
            self._viewer.layers.remove(self._markers)

    def _source_events(self) -> list[tuple[Any, Callable[..., None]]]:
        layer = self.layer
        if layer is None:
            return []
        moves = ("scale", "translate", "rotate", "shear", "affine", "units")
        events = layer.events
        moved = [(getattr(events, name), self._move) for name in moves]
        return [(events.data, self._follow), *moved]

    def _add(self) -> None:
        """Add the overlay on top, and keep the user's selection of layers."""
        layers = self._viewer.layers
        chosen, active = set(layers.selection), layers.selection.active
        layers.append(self._markers)
        layers.selection = chosen
        layers.selection.active = active

    def _move(self, event: object = None) -> None:
        layer = self.layer
        if layer.ndim == self._markers.ndim:
            self._markers.affine = affine_of(layer)
            self._markers.units = layer.units

    def _follow(self, event: Any) -> None:
        """Follow points that were added, moved or removed."""
        action = str(getattr(event, "action", ""))
        if action.endswith("ing"):  # is about to happen
            return
        if action == "removed" and len(event.data_indices):
            self._of_point = np.delete(self._of_point, list(event.data_indices))
        self._of_point = _fitted(self._of_point, len(self.layer.data))
        self._place_markers()
        self._paint()

    def _place_markers(self) -> None:
        layer = self.layer
        self._marked = np.flatnonzero(self._of_point >= 0)
        if layer.ndim != self._markers.ndim:
            self._marked = self._marked[:0]
        self._markers.data = np.asarray(layer.data)[self._marked].reshape(-1, self._markers.ndim)
        self._markers.size = _MARKER * np.asarray(layer.size)[self._marked]
        self._markers.border_width = _RIM
        self._markers.editable = False

    def _paint(self) -> None:
        inside, rim = self._codes[:, self._of_point[self._marked]]
        markers = self._markers
        markers.shown = (inside > 0) | (rim > 0)
        markers.face_color = self._palette[inside] / 255.0
        markers.border_color = self._palette[rim] / 255.0
        markers.refresh()


def _fitted(of_point: IntArray, n_points: int) -> IntArray:
    """Cut off or filled up with -1, as napari fits features to new data."""
    known = of_point[:n_points]
    return np.pad(known, (0, n_points - len(known)), constant_values=-1)
