"""Where a layer's data lie: their axes, their way to the world, and the finest of their levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

_AXES = {2: "yx", 3: "{}yx", 4: "tzyx"}


def affine_of(layer: Any) -> npt.NDArray[np.float64]:
    """The layer's way from pixels to the world: scale, rotation, shear, translation and affine.

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


def axes_of(layer: Any, third_axis: str) -> str:
    """Names of the layer's axes.

    Parameters
    ----------
    layer : napari.layers.Layer
    third_axis : {"t", "z"}
        What the first axis of three is.

    Returns
    -------
    str
        Such as "tyx".

    Raises
    ------
    InvalidInputError
        If the layer has fewer than 2 or more than 4 axes.
    """
    if layer.ndim not in _AXES:
        raise InvalidInputError(
            f"{layer.name!r} must have 2 to 4 axes; got {layer.ndim}. Take a part of it."
        )
    return _AXES[layer.ndim].format(third_axis)


def finest_of(layer: Any) -> Any:
    """The layer's data; of a pyramid, the finest level."""
    return layer.data[0] if layer.multiscale else layer.data


def path_of(layer: Any) -> str | None:
    """Where the layer was read from, if from a file."""
    path = layer.source.path
    return None if path is None else str(path)
