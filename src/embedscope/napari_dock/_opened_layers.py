"""The layers that a session's samples came from, put back into the viewer."""

from __future__ import annotations

from typing import Any

from embedscope.samples import Samples, Source


def add_source_layers(viewer: Any, samples: Samples) -> dict[str, Any]:
    """Add images and labels of the sources that are at hand, or find them among the layers.

    Parameters
    ----------
    viewer : napari.Viewer
    samples : Samples

    Returns
    -------
    dict of str to napari.layers.Layer
        The layer that each source's samples lie in.
    """
    found = {}
    for name, source in samples.sources.items():
        layer = viewer.layers[name] if name in viewer.layers else _add(viewer, source)
        if layer is not None:
            found[name] = layer
    return found


def _add(viewer: Any, source: Source) -> Any:
    transform = {} if source.affine is None else {"affine": source.affine}
    image = None
    if source.image is not None:
        channel_axis = source.image_axes.find("c")
        image = viewer.add_image(
            source.image,
            channel_axis=channel_axis if channel_axis >= 0 else None,
            name=[str(name) for name in source.channel_names]
            if channel_axis >= 0
            else f"{source.name} image",
            **transform,
        )
    if source.labels is not None:
        return viewer.add_labels(source.labels, name=source.name, **transform)
    return image[0] if isinstance(image, list) else image
