"""Opens the files of a source when one of its samples is visited.

Samples of a manifest are of many files. As layers these would fill the memory and the list of
layers, so each is opened when it is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from embedscope.explorer import Explorer
from embedscope.napari_dock.data._opened_layers import add_layers_of, choice_of_added, is_in_files
from embedscope.napari_dock.data._sample_jobs import SampleJobs
from embedscope.napari_dock.layers._linked_layers import LinkedLayers
from embedscope.napari_dock.widgets._background import Background
from embedscope.samples import Source

_LARGEST_READ = 2**28  # bytes of an image that is read whole; a larger one is read in parts


class SourceOpening:
    """Adds the layers of one source, and links them to the map.

    Parameters
    ----------
    viewer : napari.Viewer
    explorer : Explorer
    links : LinkedLayers
    jobs : SampleJobs
    work : Background
        Reads the files.
    show_message, show_error : callable
    """

    def __init__(
        self,
        viewer: Any,
        explorer: Explorer,
        links: LinkedLayers,
        jobs: SampleJobs,
        work: Background,
        show_message: Callable[[str], None],
        show_error: Callable[[Exception], None],
    ) -> None:
        self._viewer, self._explorer = viewer, explorer
        self._links, self._jobs, self._work = links, jobs, work
        self._show_message, self._show_error = show_message, show_error
        self._opened: dict[str, list[Any]] = {}  # layers by source

    def open(self, name: str, then: Callable[[], None]) -> None:
        """Read the files of a source in a worker thread, and add their layers.

        A layer that the user opened and deleted is not added again.

        Parameters
        ----------
        name : str
            The source, which has no layer.
        then : callable
            Called once it has one.
        """
        samples = self._explorer.samples
        if samples is None:
            return
        source = samples.sources[name]
        if name in samples.absent:
            self._show_message(f"{name} cannot be opened: {samples.absent[name]}")
            return
        if not is_in_files(source) or (self._jobs.is_lost(name) and name not in self._opened):
            return
        self._show_message(f"Opening {name}…")

        def add(read: Source) -> None:
            if self._explorer.samples is not samples or name in self._links.layers:
                return
            self._opened[name] = added = add_layers_of(
                self._viewer, read, is_rgb=samples.recipe.is_rgb
            )
            self._jobs.restore_layer(name, added[-1], choice_of_added(samples, read, added))
            self._links.link_more({name: added[-1]})
            self._show_message(f"{name} opened")
            then()

        self._work.start(lambda: _read(source), add, self._show_error)

    def reveal(self, name: str) -> None:
        """Show the layers of a source, and hide those of others that were opened here.

        Parameters
        ----------
        name : str
            A source; layers that the user has opened stay as they are.
        """
        if name not in self._opened:
            return
        overlays = self._links.overlays
        for source, layers in self._opened.items():
            own = [overlays[source]] if source in overlays else []
            for layer in (*layers, *own):
                layer.visible = source == name


def _read(source: Source) -> Source:
    """The source with its images in memory, if they are not too large."""
    return replace(source, image=_whole(source.image), labels=_whole(source.labels))


def _whole(image: Any) -> Any:
    is_small = hasattr(image, "shape") and (
        np.prod(image.shape, dtype=float) * np.dtype(image.dtype).itemsize <= _LARGEST_READ
    )
    return np.array(image) if is_small else image
