"""Converts between the pixels of a layer and the world of its viewer.

A layer's own transform to the world gives the layer's units. A viewer with layers in different
units, such as micrometres and nanometres, shows all of them in one of these.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def to_world(units: Any, layer: Any, place: Any) -> FloatArray:
    """Convert a position in a layer to the world of its viewer.

    Parameters
    ----------
    units : tuple of pint.Unit or None
        Of the viewer's world, ``viewer.dims.units``; None if the layers' units are incompatible,
        which napari then does not convert.
    layer : napari.layers.Layer
    place : sequence of float
        In pixels of the finest level, one for each axis of the layer.

    Returns
    -------
    ndarray of shape (layer.ndim,), float64
    """
    return np.asarray(layer.data_to_world(place), np.float64) * sizes_of_units(units, layer)


def to_data(units: Any, layer: Any, world: Any) -> FloatArray:
    """Convert a position in the world to a position in a layer.

    Parameters
    ----------
    units : tuple of pint.Unit or None
        As for `to_world`.
    layer : napari.layers.Layer
    world : sequence of float
        One for each axis of the viewer, of which the layer's axes are the last.

    Returns
    -------
    ndarray of shape (layer.ndim,), float64
        In pixels of the finest level.
    """
    return np.asarray(layer.world_to_data(to_units_of(units, layer, world)), np.float64)


def to_units_of(units: Any, layer: Any, world: Any) -> FloatArray:
    """Convert a position or direction in the viewer's world to a layer's units.

    Parameters
    ----------
    units : tuple of pint.Unit or None
        As for `to_world`.
    layer : napari.layers.Layer
    world : sequence of float
        One for each axis of the viewer.

    Returns
    -------
    ndarray, float64
        With the length of `world`; axes that the layer does not have are unchanged.
    """
    changed = np.array(world, np.float64)
    sizes = sizes_of_units(units, layer)[-len(changed) :]
    changed[len(changed) - len(sizes) :] /= sizes
    return changed


def sizes_of_units(units: Any, layer: Any) -> FloatArray:
    """Size of a layer's unit in the viewer's unit, along each axis of the layer.

    Parameters
    ----------
    units : tuple of pint.Unit or None
        As for `to_world`.
    layer : napari.layers.Layer

    Returns
    -------
    ndarray of shape (layer.ndim,), float64
    """
    own = layer.units
    if units is None or len(units) < len(own):
        return np.ones(layer.ndim)
    pairs = zip(own, units[-len(own) :], strict=True)
    return np.array([_ratio(mine, shown) for mine, shown in pairs], np.float64)


def _ratio(mine: Any, shown: Any) -> float:
    if mine == shown or not mine.is_compatible_with(shown):
        return 1.0
    return float((1.0 * mine).to(shown).magnitude)
