"""Finds the sample at a click in the viewer, and moves the viewer to a sample."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.napari_dock.data._world import to_data, to_units_of, to_world
from embedscope.samples import SampleId, Samples

_ROOM = 6.0  # size of the view, in sizes of the object
_DRAG_PX = 4.0  # a click may move the mouse so far
_LARGEST_EXACT = 2**53  # writers of pyramids compute coarse levels in double precision
_PASSIVE_MODES = {"pan_zoom", "pick"}  # modes of a layer in which a click changes nothing


def label_at(
    layer: Any, event: Any, source: str, frame_axis: int | None, units: Any = None
) -> SampleId | None:
    """The object under the mouse.

    Parameters
    ----------
    layer : napari.layers.Labels
    event : napari mouse event
    source : str
        Name of the source of the layer's samples.
    frame_axis : int or None
        Axis of the layer along which its frames run.
    units : tuple of pint.Unit or None
        Of the viewer's world.

    Returns
    -------
    SampleId or None
        None on the background, outside, or if the layer is hidden.
    """
    value, pixel = value_at(layer, event, units), _pixel_at(layer, event, units)
    if isinstance(value, tuple):  # of a pyramid: the level, and the value there
        level, value = value
        if value and not _is_exact(layer, level, value, frame_axis):
            value = _finest_value(layer, pixel) if len(event.dims_displayed) == 2 else None
    if not value:
        return None
    frame = 0 if frame_axis is None else pixel[frame_axis]
    return SampleId(source, frame, int(value))


def _is_exact(layer: Any, level: int, value: Any, frame_axis: int | None) -> bool:
    """Whether a pyramid's level has all frames, and the labels of the finest one."""
    if level > 0 and int(value) > _LARGEST_EXACT:
        return False
    shape, finest = layer.data[level].shape, layer.data[0].shape
    return frame_axis is None or bool(shape[frame_axis] == finest[frame_axis])


def _finest_value(layer: Any, pixel: tuple[int, ...]) -> int:
    """The label of the finest level at a pixel, 0 outside."""
    finest = layer.data[0]
    is_inside = all(0 <= place < side for place, side in zip(pixel, finest.shape, strict=True))
    return int(finest[pixel]) if is_inside else 0


def patch_at(
    layer: Any,
    event: Any,
    source: str,
    frame_axis: int | None,
    levels: Sequence[Any],
    units: Any = None,
) -> SampleId | None:
    """The patch under the mouse, like `label_at`.

    Parameters
    ----------
    layer : napari.layers.Image
    event : napari mouse event
    source : str
    frame_axis : int or None
    levels : sequence of array-like
        Numbers of the patches, the finest level first.
    units : tuple of pint.Unit or None
        Of the viewer's world.

    Returns
    -------
    SampleId or None
        Also None in a 3D view, where no patch is in front of the others.
    """
    if not layer.visible or not levels or len(event.dims_displayed) > 2:
        return None
    pixel = _pixel_at(layer, event, units)
    if any(not 0 <= place < side for place, side in zip(pixel, levels[0].shape, strict=True)):
        return None
    number = int(levels[0][pixel])
    frame = 0 if frame_axis is None else pixel[frame_axis]
    return SampleId(source, frame, number) if number else None


def value_at(layer: Any, event: Any, units: Any = None) -> Any:
    """The value of a layer under the mouse; `units` are those of the viewer's world."""
    direction = event.view_direction
    return layer.get_value(
        to_units_of(units, layer, event.position),
        view_direction=None if direction is None else to_units_of(units, layer, direction),
        dims_displayed=event.dims_displayed,
        world=True,
    )


def _pixel_at(layer: Any, event: Any, units: Any) -> tuple[int, ...]:
    """The pixel of the data under the mouse, rounded as napari chooses the slice."""
    place = np.round(to_data(units, layer, event.position))
    return tuple(int(value) for value in place)


def is_passive(layer: Any) -> bool:
    """Whether a click or drag would change nothing in the active layer, or there is none."""
    return layer is None or str(layer.mode) in _PASSIVE_MODES


def is_click(start: Any, event: Any) -> bool:
    """Whether the mouse has hardly moved since it was pressed; positions in screen pixels."""
    return bool(np.linalg.norm(np.subtract(event.pos, start)) <= _DRAG_PX)


def mode_of_keys(modifiers: Any) -> str:
    """How a click changes the selection: shift adds, alt subtracts, control inverts."""
    names = {str(getattr(key, "name", key)).lower() for key in modifiers}
    if names & {"control", "meta"}:
        return "invert"
    if "alt" in names:
        return "subtract"
    return "add" if "shift" in names else "replace"


def go_to(viewer: Any, layer: Any, samples: Samples, row: int) -> bool:
    """Bring a sample into view: its slice and time point, centred, large enough to see.

    Parameters
    ----------
    viewer : napari.Viewer
    layer : napari.layers.Layer
        The layer that the sample comes from.
    samples : Samples
    row : int

    Returns
    -------
    bool
        Whether the sample has a position in an image.
    """
    identity = samples.identities[row]
    axes = samples.sources[identity.source].axes
    if samples.centroids is None or not axes or layer.ndim != len(axes):
        return False
    place = _data_place(axes, identity.frame, samples.centroids[row])
    if np.isnan(place).any():
        return False
    units = viewer.dims.units
    world = to_world(units, layer, place)
    # The layer's axes are the last ones of the viewer's.
    offset = viewer.dims.ndim - layer.ndim
    for axis in viewer.dims.not_displayed:
        if axis >= offset:
            viewer.dims.set_point(axis, world[axis - offset])
    center = np.asarray(viewer.scene.camera.center, dtype=np.float64)
    shown = viewer.dims.displayed
    for place_of_axis, axis in enumerate(shown, start=len(center) - len(shown)):
        if axis >= offset:
            center[place_of_axis] = world[axis - offset]
    viewer.scene.camera.center = tuple(center)
    corners = corners_of(layer, samples, row)
    if corners is not None:
        sides = np.ptp([to_world(units, layer, corner) for corner in corners], axis=0)
        _zoom_in(viewer, max(sides[axis - offset] for axis in shown if axis >= offset))
    return True


def corners_of(layer: Any, samples: Samples, row: int) -> npt.NDArray[np.float64] | None:
    """The corners of the box around a sample; pixel centres are at whole numbers.

    Parameters
    ----------
    layer : napari.layers.Layer
    samples : Samples
    row : int

    Returns
    -------
    ndarray of shape (2 ** n_spatial_axes, n_axes), float64, or None
        In pixels of the layer; None if the sample has no extent in it.
    """
    identity = samples.identities[row]
    axes = samples.sources[identity.source].axes
    if samples.bounding_boxes is None or not axes or layer.ndim != len(axes):
        return None
    box = samples.bounding_boxes[row]
    half = len(box) // 2
    if (box[half:] <= box[:half]).any():
        return None
    sides = zip(box[:half] - 0.5, box[half:] - 0.5, strict=True)
    return np.array([_data_place(axes, identity.frame, corner) for corner in product(*sides)])


def _data_place(axes: str, frame: int, place: Any) -> npt.NDArray[np.float64]:
    coordinates = list(place)
    if "t" in axes:
        coordinates.insert(axes.index("t"), frame)
    return np.asarray(coordinates, dtype=np.float64)


def _zoom_in(viewer: Any, side: float) -> None:
    """Zoom so that the object is a sixth of the view; never zoom out, to keep a closer view."""
    wanted = min(viewer.canvas.size) / (_ROOM * max(side, 1e-9))
    if viewer.scene.camera.zoom < wanted:
        viewer.scene.camera.zoom = wanted
