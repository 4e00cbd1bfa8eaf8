"""A mouse for a viewer's model: what napari's canvas tells the viewer and the active layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils._test_utils import read_only_mouse_event
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)


def world_at(viewer: Any, layer: Any, place: Any) -> tuple[float, ...]:
    """Where a place of a layer's data is under the mouse, in the slice that is shown."""
    return (0.0,) * (viewer.dims.ndim - layer.ndim) + tuple(layer.data_to_world(place))


def _event(viewer: Any, kind: str, world: Any, pixel: tuple[float, float], **more: Any) -> Any:
    shown = list(viewer.dims.displayed)
    direction = np.zeros(viewer.dims.ndim)
    direction[shown[0]] = 1.0  # in three dimensions: along the first axis that is shown
    return read_only_mouse_event(
        type=kind,
        is_dragging=more.pop("is_dragging", False),
        position=world,
        pos=np.array(pixel),
        view_direction=direction if len(shown) == 3 else None,
        dims_displayed=shown,
        **more,
    )


def drag(
    viewer: Any, world: Any, *, by_px: float = 0.0, button: int = 1, modifiers: Any = ()
) -> None:
    """Press at a place, move on the screen, release; a click if it does not move."""
    about = {"button": button, "modifiers": modifiers}
    press = _event(viewer, "mouse_press", world, (50, 50), **about)
    move = _event(viewer, "mouse_move", world, (50 + by_px, 50), is_dragging=True, **about)
    release = _event(viewer, "mouse_release", world, (50 + by_px, 50), **about)
    told = [viewer, viewer.layers.selection.active]
    for target in filter(None, told):
        mouse_press_callbacks(target, press)
        if by_px:
            mouse_move_callbacks(target, move)
        mouse_release_callbacks(target, release)


def hover(viewer: Any, world: Any) -> None:
    """Move to a place without a button."""
    mouse_move_callbacks(viewer, _event(viewer, "mouse_move", world, (50, 50)))
