"""Adds decoded pictures as napari layers: a path as a stack, a grid over the map as one image.

The layers look like the images that the network was trained on, have the units of the viewer, and
lie beside the images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.explorer import MapGrid, Reconstruction, depth_in_words
from embedscope.napari_dock.data._world import sizes_of_units
from embedscope.napari_dock.layers._layer_display import FALLBACK_COLORS, scaled_limits
from embedscope.napari_dock.widgets._drawn_text import caption_of_path
from embedscope.samples import Samples
from embedscope.samples.images import zoom_of

Pixels = npt.NDArray[np.float32]

_GAP = 0.05  # between the existing layers and the new one, as a share of their extent


def add_film_strip(viewer: Any, path: Sequence[Reconstruction], samples: Samples) -> list[Any]:
    """Add the pictures along a path as a stack, one slice per step, one layer per channel.

    Parameters
    ----------
    viewer : napari.Viewer
    path : sequence of Reconstruction
        At least one step, with pictures.
    samples : Samples
        The samples that the network was trained on.

    Returns
    -------
    list of napari.layers.Image
        The new layers, named after the sample that is carried along the path, if any. Their
        metadata hold ``map_points``, the map point of each step, ``support``, and ``style_of``:
        source, frame and label of that sample, or None.
    """
    stack = np.stack([step.sample for step in path])
    about = {
        "map_points": np.array([step.point for step in path]),
        "support": np.array([step.support for step in path]),
        "style_of": None if path[0].style_of is None else tuple(path[0].style_of),
    }
    axes = ("path", *"zyx"[-(stack.ndim - 2) :])
    layers = _add(viewer, stack, samples, caption_of_path(path, samples), axes, about)
    _look_at(viewer, layers[0], share=0.5)
    return layers


def add_grid(viewer: Any, grid: MapGrid, samples: Samples) -> list[Any]:
    """Add a grid of pictures over the map as one image, one layer per channel.

    Parameters
    ----------
    viewer : napari.Viewer
    grid : MapGrid
        With pictures.
    samples : Samples
        The samples that the network was trained on.

    Returns
    -------
    list of napari.layers.Image
        The new layers, oriented like the map. Depth becomes a maximum projection. Their metadata
        hold ``map_box``, the corners of the grid on the map, and ``support``, a number for each
        picture in the order of the image's rows.
    """
    pictures = grid.samples.max(axis=1) if grid.samples.ndim == 5 else grid.samples
    n = grid.n_per_side
    height, width, n_channels = pictures.shape[1:]
    upright = pictures.reshape(n, n, height, width, n_channels)[::-1]  # y grows upwards on the map
    atlas = upright.transpose(0, 2, 1, 3, 4).reshape(n * height, n * width, n_channels)
    about = {
        "map_box": np.stack([grid.low, grid.high]),
        "support": grid.support.reshape(n, n)[::-1],
    }
    shown = depth_in_words(samples)
    title = f"grid over the map, {shown}" if shown else "grid over the map"
    layers = _add(viewer, atlas, samples, title, ("y", "x"), about)
    _look_at(viewer, layers[0], share=0.9)
    return layers


def is_decoded(layer: Any) -> bool:
    """Whether a layer shows decoded pictures, which cannot be embedded."""
    return not {"map_points", "map_box"}.isdisjoint(layer.metadata)


def _add(
    viewer: Any,
    values: Pixels,
    samples: Samples,
    title: str,
    axes: tuple[str, ...],
    about: dict[str, Any],
) -> list[Any]:
    """Add pictures with channels last, values 0..1, beside all existing layers."""
    assert samples.scale is not None  # pictures have one
    low, high = samples.scale.low, samples.scale.high
    known = dict(axis_labels=axes, metadata=about, **_placed(viewer, samples, axes, values.shape))
    if samples.recipe.is_rgb or _is_colored(viewer, samples):
        rgb = np.clip((low + values * (high - low)) * (255 / samples.white), 0, 255)
        rgb = np.rint(rgb).astype(np.uint8)
        return [viewer.add_image(rgb, rgb=True, name=title, **known)]
    names = samples.channel_names
    return [
        viewer.add_image(
            (low[c] + values[..., c] * (high[c] - low[c])).astype(np.float32),
            name=title if len(names) == 1 else f"{title}: {names[c]}",
            **_look_of(viewer, names[c], c, samples),
            **known,
        )
        for c in range(values.shape[-1])
    ]


def _is_colored(viewer: Any, samples: Samples) -> bool:
    """Whether the samples were cut from an RGB layer, by an earlier version."""
    image = next(iter(samples.sources.values())).image
    return any(
        getattr(layer, "rgb", False)
        and (layer.data[0] if layer.multiscale else layer.data) is image
        for layer in viewer.layers
    )


def _look_of(viewer: Any, name: str, channel: int, samples: Samples) -> dict[str, Any]:
    """The display settings of this channel's image layer; without it, those of thumbnails."""
    if name in viewer.layers and hasattr(viewer.layers[name], "contrast_limits"):
        layer = viewer.layers[name]
        return {
            "colormap": layer.colormap,
            "contrast_limits": tuple(layer.contrast_limits),
            "blending": layer.blending,
            "gamma": layer.gamma,
        }
    colors = FALLBACK_COLORS[min(len(samples.channel_names), 3)]
    return {
        "colormap": colors[channel % len(colors)],
        "contrast_limits": scaled_limits(samples, channel),
        "blending": "additive" if channel else "translucent",
    }


def _placed(
    viewer: Any, samples: Samples, axes: tuple[str, ...], shape: tuple[int, ...]
) -> dict[str, Any]:
    """Scale of a crop's pixel, and a position to the right of all layers."""
    sides = _pixel_sides(viewer, samples)
    scale = np.ones(len(axes))
    n_spatial = sum(axis in "zyx" for axis in axes)
    scale[-n_spatial:] = sides[-n_spatial:]
    translate = np.zeros(len(axes))
    if len(viewer.layers):
        low, high = viewer.layers.extent.world[:, -2:]
        translate[-2] = low[0]
        translate[-1] = high[1] + _GAP * (high[1] - low[1])
    placed: dict[str, Any] = {"scale": scale, "translate": translate}
    if viewer.dims.units is not None:  # with a layer without units, napari ignores all units
        units = viewer.dims.units[-len(axes) :]
        placed["units"] = ("pixel",) * (len(axes) - len(units)) + tuple(units)
    return placed


def _pixel_sides(viewer: Any, samples: Samples) -> npt.NDArray[np.float64]:
    """Sides of a sample's pixel in the world, along z, y and x."""
    source = next(iter(samples.sources.values()))
    sides = np.ones(3)
    if source.affine is not None:
        lengths = np.linalg.norm(source.affine[:-1, :-1], axis=0)
        n_spatial = len(source.spatial_axes)
        sides[-n_spatial:] = lengths[-n_spatial:]
        if source.name in viewer.layers:
            sizes = sizes_of_units(viewer.dims.units, viewer.layers[source.name])
            sides[-n_spatial:] *= sizes[-n_spatial:]
    zoom = zoom_of(samples.recipe, source)
    sides[3 - len(zoom) :] *= zoom
    return sides


def _look_at(viewer: Any, layer: Any, share: float) -> None:
    """Centre and zoom on a new layer: beside a large image it would be out of view."""
    low, high = layer.extent.world[:, -2:]
    center = list(viewer.scene.camera.center)
    center[-2:] = (low + high) / 2
    viewer.scene.camera.center = tuple(center)
    room = np.asarray(viewer.canvas.size, np.float64) / np.maximum(high - low, 1e-9)
    viewer.scene.camera.zoom = share * room.min()
