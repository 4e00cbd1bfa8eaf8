"""The layers behind the proxies that napari passes to plugins."""

from __future__ import annotations

from typing import Any


def unwrapped(layer: Any) -> Any:
    """The layer behind a proxy; napari makes a new proxy each time.

    Parameters
    ----------
    layer : napari.layers.Layer or a proxy of one
    """
    return getattr(layer, "__wrapped__", layer)


def layer_class(layer: Any) -> str:
    """The name of a layer's class, such as "Image"; a proxy has another class of its own."""
    return type(unwrapped(layer)).__name__
