"""How napari's layers show the channels of samples: contrast limits, colormap and visibility."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.samples import Display, Samples

_N_COLORS = 256  # of a table, as many as a picture has levels
FALLBACK_COLORS = {1: ("gray",), 2: ("magenta", "green"), 3: ("red", "green", "blue")}
"""By the number of channels; of channels without a layer."""


def display_of(layers: Iterable[Any], samples: Samples) -> Display | None:
    """The limits and colours that the user has set for the channels of samples.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
    samples : Samples

    Returns
    -------
    Display or None
        None for RGB pictures, which are shown as they are, for tables, and if no channel has a
        layer. A hidden layer is black. Channels without a layer are scaled as for the network.
    """
    if not samples.is_image or samples.recipe.is_rgb or samples.scale is None:
        return None
    by_name = {str(layer.name): layer for layer in layers if hasattr(layer, "contrast_limits")}
    names = samples.channel_names
    if by_name.keys().isdisjoint(names):
        return None
    fallback = FALLBACK_COLORS[min(len(names), 3)]
    limits: list[tuple[float, float]] = []
    colors: list[Any] = []
    for channel, name in enumerate(names):
        layer = by_name.get(name)
        if layer is None:
            limits.append(scaled_limits(samples, channel))
            colors.append(fallback[channel % len(fallback)])
        else:
            low, high = map(float, layer.contrast_limits)
            limits.append((low, high if high > low else low + 1.0))
            colors.append(_table_of(layer))
    return Display(limits, colors)


def scaled_limits(samples: Samples, channel: int) -> tuple[float, float]:
    """The intensities of a channel that the network gets as 0 and 1, as contrast limits."""
    assert samples.scale is not None  # pictures have one
    low, high = float(samples.scale.low[channel]), float(samples.scale.high[channel])
    return low, (high if high > low else low + 1.0)


def _table_of(layer: Any) -> npt.NDArray[np.float64]:
    """The colours of a layer from its lower to its upper limit; black if it is hidden."""
    if not layer.visible:
        return np.zeros((2, 3))
    levels = np.linspace(0, 1, _N_COLORS) ** float(layer.gamma)
    colors = np.asarray(layer.colormap.map(levels), np.float64)[:, :3]
    table: npt.NDArray[np.float64] = np.clip(colors * float(layer.opacity), 0, 1)
    return table
