"""Layers behind the proxies that napari hands to plugins."""

from __future__ import annotations

from typing import Any


def itself(layer: Any) -> Any:
    """The layer behind a proxy, of which napari makes a new one each time.

    Parameters
    ----------
    layer : napari.layers.Layer or a proxy of one
    """
    return getattr(layer, "__wrapped__", layer)


def layer_class(layer: Any) -> str:
    """The name of a layer's class: "Image", "Labels", "Points" and so on; a proxy is of another."""
    return type(itself(layer)).__name__
