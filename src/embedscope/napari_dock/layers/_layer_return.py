"""Links layers again that were deleted and added, or that the viewer has when a dock opens.

A layer is recognised by its pixels or the positions of its points: a name is no proof, and a
renamed layer is still the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from embedscope.explorer import Explorer
from embedscope.explorer.session import ImageReference
from embedscope.napari_dock.data._data_choice import DataChoice, choice_of
from embedscope.napari_dock.data._layer_features import is_points
from embedscope.napari_dock.data._layer_places import finest_of
from embedscope.napari_dock.data._opened_layers import (
    LAYER_KINDS,
    MOST_OPENED,
    SourceLayers,
    image_of,
    integer_labels,
)
from embedscope.napari_dock.data._proxies import layer_class, unwrapped
from embedscope.napari_dock.data._sample_jobs import SampleJobs
from embedscope.napari_dock.layers._decoded_layers import is_decoded
from embedscope.napari_dock.layers._linked_layers import LinkedLayers
from embedscope.napari_dock.widgets._background import Background
from embedscope.samples import Samples
from embedscope.training import Dispatcher


class LayerReturn:
    """Finds the layers of sources that are not linked to any.

    Parameters
    ----------
    viewer : napari.Viewer
    explorer : Explorer
    links : LinkedLayers
    jobs : SampleJobs
    choice : callable
        ``choice()`` returns the current `DataChoice`.
    dispatcher : callable
        Runs callbacks in the main thread.
    show_message : callable
        Shows what was found.
    """

    def __init__(
        self,
        viewer: Any,
        explorer: Explorer,
        links: LinkedLayers,
        jobs: SampleJobs,
        choice: Callable[[], DataChoice],
        dispatcher: Dispatcher,
        show_message: Callable[[str], None],
    ) -> None:
        self._viewer, self._explorer = viewer, explorer
        self._links, self._jobs, self._choice = links, jobs, choice
        self._show_message = show_message
        self._work = Background(dispatcher)
        self._is_new = True  # this dock has linked nothing yet
        self._changed: set[str] = set()  # sources whose layers had changed before they were deleted

    def remember(self, source: str) -> None:
        """Stop watching a source's layer, which was deleted; whether it had changed is kept.

        Parameters
        ----------
        source : str
        """
        if source in self._jobs.watch.outdated_sources:
            self._changed.add(source)
        self._is_new = False
        self._jobs.forget_layer(source)

    def look(self, added: Any = None) -> None:
        """Search in a worker thread, and link the layers that are found.

        Parameters
        ----------
        added : napari.layers.Layer, optional
            A layer just added: it is preferred to copies of it. If it has the name of a source but
            other data, a message says so.
        """
        samples, links = self._explorer.samples, self._links
        missing = self._missing(samples)
        taken = {id(each) for each in (*links.layers.values(), *links.own_layers)}
        layers = [unwrapped(each) for each in self._viewer.layers]
        layers = [each for each in layers if id(each) not in taken and not is_decoded(each)]
        layers.sort(
            key=lambda each: each is not unwrapped(added)
        )  # the new layer before copies of it
        if samples is None or not missing or not layers:
            return

        def link(found: dict[str, Any]) -> None:
            if self._explorer.samples is not samples:
                return
            new = {name: found[name] for name in found if name in self._missing(samples)}
            new = {name: layer for name, layer in new.items() if layer in self._viewer.layers}
            self._link(samples, new)
            name = "" if added is None else str(added.name)
            if name in self._missing(samples) and any(each is unwrapped(added) for each in layers):
                self._show_message(
                    f"{name} is not linked to the samples of that name: its data differ. Train on "
                    "it, or rename it and add it to the map."
                )

        def give_up(error: Exception) -> None:
            """A layer that cannot be read is not linked."""

        self._work.start(lambda: find_layers(samples, missing, layers), link, give_up)

    def close(self) -> None:
        """Ignore the result of a running search."""
        self._work.forget()

    def _missing(self, samples: Samples | None) -> list[str]:
        sources = () if samples is None else samples.sources
        return [name for name in sources if name not in self._links.layers]

    def _link(self, samples: Samples, layers: dict[str, Any]) -> None:
        if not layers:
            return
        among = list(self._viewer.layers)
        if self._is_new and not self._jobs.layers:  # Train then keeps the samples on the map
            shown = {name: SourceLayers(layer, among) for name, layer in layers.items()}
            self._jobs.take_as_prepared(self._choice(), shown)
        else:
            for name, layer in layers.items():
                self._jobs.restore_layer(name, layer, choice_of(samples, name, layer, among))
        for name in self._changed.intersection(layers):
            self._jobs.watch.expire(name)
            self._changed.discard(name)
        self._links.link_more(layers)
        self._is_new = False
        names = " and ".join(str(layer.name) for layer in layers.values())
        self._show_message(f"{names} linked to the map again")


def find_layers(samples: Samples, sources: Sequence[str], layers: Sequence[Any]) -> dict[str, Any]:
    """The layers that samples came from; may take long, and changes nothing.

    Parameters
    ----------
    samples : Samples
    sources : sequence of str
        Names of the sources whose layers are searched.
    layers : sequence of napari.layers.Layer
        Each is used at most once; those with the name of a source are tried first.

    Returns
    -------
    dict of str to napari.layers.Layer
        By the names of the sources that were found.
    """
    found: dict[str, Any] = {}
    for name in sources:
        candidates = sorted(layers, key=lambda layer: layer.name != name)
        if len(sources) > MOST_OPENED:  # to compare each layer with a whole plate would read it all
            candidates = [layer for layer in layers if layer.name == name]
        for layer in candidates:
            if layer not in found.values() and _is_layer_of(samples, name, layer, layers):
                found[name] = layer
                break
    return found


def _is_layer_of(samples: Samples, name: str, layer: Any, layers: Sequence[Any]) -> bool:
    source = samples.sources[name]
    if layer_class(layer) not in LAYER_KINDS.get(source.kind, ("Points",)):
        return False
    if is_points(layer):
        return _are_points_of(samples, name, layer)
    if source.kind == "patches":
        known, given = source.image, image_of(samples, source, layer, layers)
    else:
        known, given = integer_labels(source.labels), finest_of(layer)
    if known is None or given is None or layer.ndim != len(source.axes):
        return False
    return known is given or ImageReference.of(known, None).is_of(given)


def _are_points_of(samples: Samples, name: str, layer: Any) -> bool:
    """Whether the points that became samples are at the same positions."""
    axes, identities = samples.sources[name].axes, samples.identities
    if samples.centroids is None or layer.ndim != len(axes):
        return False
    rows = np.flatnonzero(identities.source == identities.sources.index(name))
    points = identities.label[rows] - 1
    spatial = [place for place, axis in enumerate(axes) if axis != "t"]
    data = np.asarray(layer.data)
    if len(data) <= points.max(initial=-1):
        return False
    return bool(np.allclose(data[points][:, spatial], samples.centroids[rows]))
