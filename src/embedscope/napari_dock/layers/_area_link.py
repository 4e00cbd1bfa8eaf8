"""Links samples that cover pixels to their layer: objects of labels, or patches of an image."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.napari_dock.layers._coded_labels import CodedLabels
from embedscope.napari_dock.layers._label_overlay import LabelOverlay
from embedscope.napari_dock.layers._label_rows import LabelRows
from embedscope.napari_dock.layers._picking import label_at, patch_at
from embedscope.napari_dock.layers._view_rectangle import Plane, ViewRectangle
from embedscope.samples import SampleId, Samples

Codes = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]


class AreaLink:
    """A `LayerLink` of objects or patches.

    Parameters
    ----------
    viewer : napari.Viewer
    samples : Samples
    name : str
        Name of the source, whose kind is "labels" or "patches".
    layer : napari.layers.Labels or napari.layers.Image
    """

    def __init__(self, viewer: Any, samples: Samples, name: str, layer: Any) -> None:
        source, identities = samples.sources[name], samples.identities
        self.source = name
        self.rows = np.flatnonzero(identities.source == identities.sources.index(name))
        self._viewer = viewer
        self._layer = weakref.ref(layer)
        self._grid = source.patch_grid
        self._frame_axis = source.axes.index("t") if "t" in source.axes else None
        self._n_axes = len(source.axes)
        self._overlay = LabelOverlay(
            viewer,
            layer,
            LabelRows(identities.label[self.rows], identities.frame[self.rows]),
            f"{name} on the map",
            self._frame_axis,
            self._grid,
        )

    @property
    def layer(self) -> Any:
        """The user's layer, or None if it was garbage-collected."""
        return self._layer()

    @property
    def own_layer(self) -> Any:
        """The overlay above it."""
        return self._overlay.layer

    def set_palette(self, palette: Codes) -> None:
        """Set the colour of each code, shape (254, 4): red, green, blue, opacity."""
        self._overlay.set_palette(palette)

    def set_codes(self, inside: Codes, rim: Codes, stripes: Codes) -> None:
        """Give each of the samples in `rows` a code for each of its parts, 0 for none."""
        self._overlay.set_codes(inside, rim, stripes)

    def sample_at(self, event: Any) -> SampleId | None:
        """The sample under the mouse."""
        layer = self.layer
        # If the layer's axes have changed, the frame is unknown.
        if layer is None or layer.ndim != self._n_axes:
            return None
        units, levels = self._viewer.dims.units, self._overlay.label_levels()
        if self._grid is None:
            return label_at(layer, event, self.source, self._frame_axis, units)
        return patch_at(layer, event, self.source, self._frame_axis, levels, units)

    def touched_by(self, rectangle: ViewRectangle) -> Callable[[], IntArray] | None:
        """A function, for any thread, that finds the rows in a rectangle; None if none can be."""
        layer = self.layer
        if layer is None or not layer.visible:
            return None
        plane, levels = rectangle.plane_of(layer), self._overlay.coded_levels()
        if plane is None or not levels:
            return None
        return lambda: self.rows[_touched(plane, levels, len(self.rows))]

    def remove(self) -> None:
        """Remove the overlay, and disconnect from the user's layer."""
        self._overlay.remove()


def _touched(plane: Plane, levels: Sequence[CodedLabels], n_rows: int) -> IntArray:
    shapes = [level.shape for level in levels]
    level = levels[plane.level_of(shapes)]
    is_touched = np.zeros(n_rows + 1, np.bool_)
    for key, touched in plane.windows(level.shape, shapes[0]):
        is_touched[level.rows_at(key)[touched]] = True
    return np.flatnonzero(is_touched[1:])
