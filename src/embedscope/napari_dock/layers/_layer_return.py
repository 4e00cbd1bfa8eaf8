"""Links layers again that had been deleted, or that a dock finds in the viewer when it opens.

What is linked is told by its pixels, or by where its points lie: a name is no proof, and a layer
that was renamed is still the same.
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
from embedscope.napari_dock.data._opened_layers import LAYER_KINDS, SourceLayers, image_of
from embedscope.napari_dock.data._proxies import itself, layer_class
from embedscope.napari_dock.data._sample_jobs import SampleJobs
from embedscope.napari_dock.layers._decoded_layers import is_decoded
from embedscope.napari_dock.layers._linked_layers import LinkedLayers
from embedscope.napari_dock.widgets._background import Background
from embedscope.samples import Samples
from embedscope.training import Dispatcher


class LayerReturn:
    """Looks for the layers of sources that are linked to none.

    Parameters
    ----------
    viewer : napari.Viewer
    explorer : Explorer
    links : LinkedLayers
    jobs : SampleJobs
    choice : callable
        ``choice()`` is the `DataChoice` of now.
    dispatcher : callable
        Leads to the main thread.
    show_message : callable
        Says what was found.
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
        self._is_new = True  # nothing was linked by this dock yet
        self._changed: set[str] = set()  # sources whose layers had changed before they went

    def remember(self, source: str) -> None:
        """Let go of a source's layer, which was deleted; what is known of it is kept.

        Parameters
        ----------
        source : str
        """
        if source in self._jobs.watch.outdated_sources:
            self._changed.add(source)
        self._is_new = False
        self._jobs.forget_layer(source)

    def look(self, added: Any = None) -> None:
        """Look for them in a thread, and link what is found.

        Parameters
        ----------
        added : napari.layers.Layer, optional
            That has just come: it is preferred to copies of it, and if it has the name of a source
            and is not its layer, that is said.
        """
        samples, links = self._explorer.samples, self._links
        missing = self._missing(samples)
        taken = {id(each) for each in (*links.layers.values(), *links.own_layers)}
        layers = [itself(each) for each in self._viewer.layers]
        layers = [each for each in layers if id(each) not in taken and not is_decoded(each)]
        layers.sort(key=lambda each: each is not itself(added))  # rather this one than a copy of it
        if samples is None or not missing or not layers:
            return

        def link(found: dict[str, Any]) -> None:
            if self._explorer.samples is not samples:
                return
            new = {name: found[name] for name in found if name in self._missing(samples)}
            new = {name: layer for name, layer in new.items() if layer in self._viewer.layers}
            self._link(samples, new)
            name = "" if added is None else str(added.name)
            if name in self._missing(samples) and any(each is itself(added) for each in layers):
                self._show_message(
                    f"{name} is not linked to the samples of that name: its data are others. Train "
                    "on it, or rename it and add it to the map."
                )

        def give_up(error: Exception) -> None:
            """What cannot be read is no layer of theirs."""

        self._work.start(lambda: find_layers(samples, missing, layers), link, give_up)

    def close(self) -> None:
        """Tell nothing of what is going on."""
        self._work.forget()

    def _missing(self, samples: Samples | None) -> list[str]:
        sources = () if samples is None else samples.sources
        return [name for name in sources if name not in self._links.layers]

    def _link(self, samples: Samples, layers: dict[str, Any]) -> None:
        if not layers:
            return
        among = list(self._viewer.layers)
        if self._is_new and not self._jobs.layers:  # Train trains on what is on the map
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
    """The layers that hold what samples came from; may take long, and only reads.

    Parameters
    ----------
    samples : Samples
    sources : sequence of str
        Whose layers are looked for.
    layers : sequence of napari.layers.Layer
        Each is found at most once, those with the name of a source first.

    Returns
    -------
    dict of str to napari.layers.Layer
        By the names of the sources that were found.
    """
    found: dict[str, Any] = {}
    for name in sources:
        for layer in sorted(layers, key=lambda layer: layer.name != name):
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
        known, given = source.labels, finest_of(layer)
    if known is None or given is None or layer.ndim != len(source.axes):
        return False
    return known is given or ImageReference.of(known, None).is_of(given)


def _are_points_of(samples: Samples, name: str, layer: Any) -> bool:
    """Whether the points that became samples are where they were."""
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
