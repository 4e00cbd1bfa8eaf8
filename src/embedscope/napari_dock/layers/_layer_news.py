"""What happens to the layers that samples came from, in words, and what that forbids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils.notifications import show_info

from embedscope._errors import InvalidInputError
from embedscope.napari_dock.data._proxies import itself
from embedscope.napari_dock.data._sample_jobs import SampleJobs
from embedscope.napari_dock.layers._linked_layers import LinkedLayers


class LayerNews:
    """Says when linked layers are renamed or gone.

    Parameters
    ----------
    viewer : napari.Viewer
    links : LinkedLayers
    jobs : SampleJobs
    show_message : callable
    """

    def __init__(
        self,
        viewer: Any,
        links: LinkedLayers,
        jobs: SampleJobs,
        show_message: Callable[[str], None],
    ) -> None:
        self._viewer, self._links, self._jobs = viewer, links, jobs
        self._show_message = show_message
        self._names: dict[str, str] = {}  # of the linked layers, by their sources

    def tell_renamed(self) -> None:
        """Say which of the linked layers has another name now."""
        for source, layer in self._links.layers.items():
            before, self._names[source] = self._names.get(source, source), str(layer.name)
            if before != layer.name:
                self._show_message(
                    f"{before} is named {layer.name} now; its samples stay linked, under the name "
                    f"{source}."
                )

    def tell_lost(self, source: str) -> None:
        """Say that a source's layer was deleted."""
        self._show_message(_removed(source))
        show_info(_removed(source))

    def tell_unlinked(self) -> None:
        """Say so of a layer that has gone while its samples were read."""
        for source, layer in self._jobs.layers.items():
            if layer not in self._viewer.layers:
                self._show_message(_removed(source))

    def check_is_new(self, layer: Any) -> None:
        """Raise if a layer has samples on the map already, whatever its name is now.

        Raises
        ------
        InvalidInputError
        """
        known = self._jobs.layers | self._links.layers
        for source, each in known.items():
            if layer is not None and itself(each) is itself(layer):
                raise InvalidInputError(
                    f"the layer must be another one; got {str(layer.name)!r}, whose samples are on "
                    f"the map already, named {source!r}. Choose the layers of another image."
                )


def _removed(source: str) -> str:
    return (
        f"The layer of {source} was removed; its samples stay on the map. Added again, it is "
        "linked again."
    )
