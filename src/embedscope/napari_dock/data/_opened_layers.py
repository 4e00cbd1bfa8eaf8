"""Reads a session, and finds or adds the layers that its samples came from.

A name is no proof: if a layer were linked by its name alone, objects of another image could be
selected. A layer of the viewer must hold the pixels that the session was saved with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.explorer.session import ImageReference
from embedscope.napari_dock.data._data_choice import DataChoice, Kind, choice_of
from embedscope.napari_dock.data._layer_places import finest_of
from embedscope.napari_dock.data._layer_samples import stacked_images
from embedscope.napari_dock.data._proxies import layer_class, unwrapped

if TYPE_CHECKING:
    from embedscope.explorer.session import SessionState
    from embedscope.samples import Samples, Source


MOST_OPENED = 8  # sources whose layers are added with a session; of more, when they are looked at
_LARGEST_COPY = 2**30  # bytes of a label image, which are copied in a second
LAYER_KINDS = {"labels": ("Labels",), "patches": ("Image",)}  # of a table, Labels or Points


class SourceLayers(NamedTuple):
    """The layers that a source's samples lie in.

    Attributes
    ----------
    layer : napari.layers.Layer
    images : sequence of napari.layers.Layer
        Layers among which its channels are found.
    made_from : DataChoice or None
        The choice that its samples come from, if the layers were added for it.
    """

    layer: Any
    images: Sequence[Any]
    made_from: DataChoice | None = None


@dataclass(frozen=True)
class OpenedSession:
    """A session that was read, to be shown in the main thread.

    Attributes
    ----------
    state : SessionState
        With the pictures of the viewer's layers.
    layers : dict of str to SourceLayers
        The viewer's layers that samples lie in, by the names of the sources.
    """

    state: SessionState
    layers: dict[str, SourceLayers]


def read_session(path: str, layers: Sequence[Any]) -> OpenedSession:
    """Read a session, and find its images among layers; may take long, and changes nothing.

    Parameters
    ----------
    path : str
    layers : sequence of napari.layers.Layer

    Returns
    -------
    OpenedSession

    Raises
    ------
    InvalidInputError, InvalidModelError
        As `Explorer.read`.
    """
    state = Explorer.read(path)
    found: dict[str, SourceLayers] = {}
    for name, source in state.samples.sources.items():
        for layer in _candidates(source, layers):
            image = image_of(state.samples, source, layer, layers)
            is_taken = any(each.layer is layer for each in found.values())
            if not is_taken and _holds(state, source, layer, image):
                found[name] = SourceLayers(layer, layers)
                state = _with_pictures(state, source, layer, image)
                break
    return OpenedSession(state, found)


def add_source_layers(viewer: Any, opened: OpenedSession) -> dict[str, SourceLayers]:
    """Add the available images and labels of the sources, unless the viewer has them.

    Parameters
    ----------
    viewer : napari.Viewer
    opened : OpenedSession

    Returns
    -------
    dict of str to SourceLayers
        By the names of the sources; without those that lie in no layer, and without files that are
        opened later because there are many.
    """
    shown = {}
    samples = opened.state.samples
    sources = samples.sources
    for name, source in sources.items():
        found = opened.layers.get(name)
        if found is not None and found.layer in viewer.layers:
            shown[name] = found
        elif len(sources) > MOST_OPENED and is_in_files(source):
            continue
        elif added := add_layers_of(viewer, source, is_rgb=samples.recipe.is_rgb):
            shown[name] = SourceLayers(added[-1], added, choice_of_added(samples, source, added))
    return shown


def unlinked_namesakes(
    viewer: Any, samples: Samples, shown: Mapping[str, SourceLayers]
) -> list[str]:
    """Names of sources that are not shown although a layer has their name: its pixels differ."""
    return [name for name in samples.sources if name not in shown and name in viewer.layers]


def _candidates(source: Source, layers: Sequence[Any]) -> list[Any]:
    """Layers that may hold the samples of a source, the one with its name first.

    A renamed layer is recognised by its pixels; the layer of a table only by its name.
    """
    kinds = LAYER_KINDS.get(source.kind, ("Labels", "Points"))
    of_kind = [each for each in layers if layer_class(each) in kinds]
    if source.kind not in LAYER_KINDS:
        of_kind = [each for each in of_kind if each.name == source.name]
    return sorted(of_kind, key=lambda each: bool(each.name != source.name))


def image_of(samples: Samples, source: Source, layer: Any, layers: Sequence[Any]) -> Any:
    """The pixels of all channels of a source, found among layers by the channels' names.

    Parameters
    ----------
    samples : Samples
    source : Source
    layer : napari.layers.Layer
        The layer that the samples lie in.
    layers : sequence of napari.layers.Layer

    Returns
    -------
    array-like or None
        None if a channel is missing, or the layers have different shapes or transforms.
    """
    choice = choice_of(samples, source.name, layer, layers)
    if choice is None or not choice.images:
        return None
    try:
        return stacked_images(layer, choice.images, source.axes)[0]
    except InvalidInputError:  # their shapes or transforms differ
        return None


def _holds(state: SessionState, source: Source, layer: Any, image: Any) -> bool:
    """Whether a layer holds the pixels that the session's samples of a source lie in."""
    role = "image" if source.kind == "patches" else "labels"
    given = image if role == "image" else finest_of(layer)
    known = source.image if role == "image" else integer_labels(source.labels)
    if known is not None:
        reference = ImageReference.of(known, None)
    else:
        absent = {each.role: each for each in state.absences if each.source == source.name}
        if role not in absent:
            return True  # a table, without an image
        reference = absent[role].reference
    return given is not None and reference.is_of(given)


def _with_pictures(state: SessionState, source: Source, layer: Any, image: Any) -> SessionState:
    """The session with pictures from the viewer, if it was opened without them."""
    is_absent = any(each.source == source.name for each in state.absences)
    if image is None or not is_absent or not state.samples.is_image:
        return state
    labels = None if source.kind == "patches" else finest_of(layer)
    try:
        return state.attach_images(source.name, image, labels)
    except InvalidInputError:  # the labels are the same, but the image differs
        return state


def is_in_files(source: Source) -> bool:
    """Whether the layers of a source can be opened again from its files."""
    is_of_files = source.image_path is not None or source.labels_path is not None
    return is_of_files and (source.image is not None or source.labels is not None)


def add_layers_of(viewer: Any, source: Source, *, is_rgb: bool) -> list[Any]:
    """Add the layers of a source; returns them, the one that the samples lie in last."""
    transform = {} if source.affine is None else {"affine": source.affine}
    added: list[Any] = []
    if source.image is not None:
        channel_axis = source.image_axes.find("c")
        is_rgb = is_rgb and source.image_axes.endswith("c")  # as napari needs it
        channel_axis = -1 if is_rgb else channel_axis
        image = viewer.add_image(
            source.image,
            rgb=is_rgb,
            channel_axis=channel_axis if channel_axis >= 0 else None,
            name=[str(name) for name in source.channel_names]
            if channel_axis >= 0
            else f"{source.name} image",
            **transform,
        )
        added.extend(reversed(image) if isinstance(image, list) else [image])
    if source.labels is not None:
        labels = _writeable(integer_labels(source.labels))
        added.append(viewer.add_labels(labels, name=source.name, **transform))
    return added


def choice_of_added(samples: Samples, source: Source, added: Sequence[Any]) -> DataChoice | None:
    """The choice that samples of a source come from, of the layers that were added for it.

    Parameters
    ----------
    samples : Samples
    source : Source
    added : sequence of napari.layers.Layer
        From `add_layers_of`.

    Returns
    -------
    DataChoice or None
        For `make_again`; None for a table, or if the image or the labels are missing.
    """
    # The watch of a choice needs the layers themselves.
    layers = [unwrapped(each) for each in reversed(added)]
    if not samples.is_image or source.image is None:
        return None
    if source.kind == "patches":
        return DataChoice(Kind.PATCHES, images=tuple(layers))
    if source.labels is None:
        return None
    return DataChoice(Kind.OBJECTS, layers[0], tuple(layers[1:]))


def integer_labels(labels: Any) -> Any:
    """Labels as napari takes them: whole numbers in floats become integers, if lazy then lazily.

    Parameters
    ----------
    labels : array, list of arrays (a pyramid) or None
    """
    if isinstance(labels, Sequence):
        return [integer_labels(level) for level in labels]
    if labels is None or labels.dtype.kind != "f":
        return labels
    if isinstance(labels, np.ndarray):
        return labels.astype(np.int64)
    import dask.array as da

    lazy: Any = labels if isinstance(labels, da.Array) else da.from_array(labels)  # type: ignore[no-untyped-call]
    return lazy.astype(np.int64)


def _writeable(labels: Any) -> Any:
    """Labels that can be painted: a mapped file is read-only, and painting never changes it."""
    if not isinstance(labels, np.ndarray) or labels.flags.writeable:
        return labels
    return labels.copy() if labels.nbytes <= _LARGEST_COPY else labels
