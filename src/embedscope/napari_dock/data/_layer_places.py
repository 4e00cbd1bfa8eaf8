"""Geometry of a layer's data: axes, affine transform to the world, and the finest level."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

_AXES = {2: "yx", 3: "{}yx", 4: "tzyx"}
_AXIS_NAMES = {
    "t": ("t", "time", "times", "frame", "frames", "timepoint", "time point", "timestep"),
    "z": ("z", "depth", "plane", "planes", "slice", "slices", "stack"),
}


def affine_of(layer: Any) -> npt.NDArray[np.float64]:
    """The layer's transform from pixels to the world: scale, rotation, shear, translation, affine.

    Parameters
    ----------
    layer : napari.layers.Layer

    Returns
    -------
    ndarray of shape (n_axes + 1, n_axes + 1), float64
        Pixels to world units.
    """
    n_axes = layer.ndim
    origin = np.array(layer.data_to_world(np.zeros(n_axes)), dtype=np.float64)
    matrix = np.eye(n_axes + 1)
    for axis, unit in enumerate(np.eye(n_axes)):
        matrix[:-1, axis] = np.array(layer.data_to_world(unit)) - origin
    matrix[:-1, -1] = origin
    return matrix


def micrometres_of(layer: Any, axes: str) -> list[float] | None:
    """Length of a pixel along each spatial axis, if the layer's units are lengths.

    Parameters
    ----------
    layer : napari.layers.Layer
    axes : str
        The layer's axes.

    Returns
    -------
    list of float or None
        Micrometres; None if a unit is not a length, such as napari's default, the pixel.
    """
    steps = np.linalg.norm(affine_of(layer)[:-1, :-1], axis=0)
    lengths = []
    for axis, step, unit in zip(axes, steps, layer.units, strict=True):
        if axis != "t":
            if not unit.is_compatible_with("micrometer"):
                return None
            lengths.append(float((step * unit).to("micrometer").magnitude))
    return lengths


def pixel_size_of(layer: Any, axes: str, size_um: float | None) -> list[float] | None:
    """`micrometres_of`, for crops that may have a size in micrometres.

    Raises
    ------
    InvalidInputError
        If they have one, and the layer has neither units of length nor a scale.
    """
    lengths = micrometres_of(layer, axes)
    if size_um is not None and lengths is None and (np.asarray(layer.scale) == 1).all():
        raise InvalidInputError(
            f"{layer.name!r} must have a scale for crops of {size_um:g} µm; got pixels. Set "
            'layer.scale to micrometres a pixel and layer.units to "um", or choose a size in px.'
        )
    return lengths


def axes_of(layer: Any, third_axis: str = "") -> str:
    """Names of the layer's axes.

    Parameters
    ----------
    layer : napari.layers.Layer
    third_axis : {"t", "z", ""}
        What the first of three axes is; "" leaves it to the layer.

    Returns
    -------
    str
        Such as "tyx".

    Raises
    ------
    InvalidInputError
        If the layer has fewer than 2 or more than 4 axes, or three and it is unknown what the first
        one is.
    """
    if layer.ndim not in _AXES:
        raise InvalidInputError(
            f"{layer.name!r} must have 2 to 4 axes; got {layer.ndim}. Take a part of it."
        )
    first = (third_axis or declared_axis(layer)) if layer.ndim == 3 else ""
    if layer.ndim == 3 and not first:
        raise InvalidInputError(
            f"the first axis of {layer.name!r} must be time or depth; got neither, and the layer "
            'does not say. Choose one under "First axis".'
        )
    return _AXES[layer.ndim].format(first)


def declared_axis(layer: Any) -> str:
    """What a layer with three axes says its first axis is.

    Parameters
    ----------
    layer : napari.layers.Layer

    Returns
    -------
    {"t", "z", ""}
        By its axis labels, or a unit of time. A scale or a unit of length is no sign of depth: time
        series have them too.
    """
    name = str(layer.axis_labels[0]).strip().lower()
    named = next((axis for axis, known in _AXIS_NAMES.items() if name in known), "")
    is_timed = "[time]" in dict(layer.units[0].dimensionality)
    return named or ("t" if is_timed else "")


def finest_of(layer: Any) -> Any:
    """The layer's data; the finest level of a pyramid."""
    return layer.data[0] if layer.multiscale else layer.data


def path_of(layer: Any) -> str | None:
    """The path of the file that the layer was read from, if any."""
    path = layer.source.path
    return None if path is None else str(path)
