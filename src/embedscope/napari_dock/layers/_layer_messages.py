"""Messages about renamed and removed layers, and a check that a layer is new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils.notifications import show_info

from embedscope._errors import InvalidInputError
from embedscope.napari_dock.data._proxies import layer_class, unwrapped
from embedscope.napari_dock.data._sample_jobs import SampleJobs
from embedscope.napari_dock.layers._decoded_layers import is_decoded
from embedscope.napari_dock.layers._linked_layers import LinkedLayers


class LayerMessages:
    """Shows messages when linked layers are renamed or removed.

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
        self._names: dict[str, str] = {}  # of the linked layers, by source

    def show_renamed(self) -> None:
        """Show which linked layer was renamed."""
        for source, layer in self._links.layers.items():
            before, self._names[source] = self._names.get(source, source), str(layer.name)
            if before != layer.name:
                self._show_message(
                    f"{before} is named {layer.name} now; its samples stay linked, under the name "
                    f"{source}."
                )

    def show_removed(self, source: str) -> None:
        """Show that a source's layer was deleted."""
        self._show_message(_removed(source))
        show_info(_removed(source))

    def show_unlinked(self) -> None:
        """Show which layers were deleted while their samples were read."""
        for source, layer in self._jobs.layers.items():
            if layer not in self._viewer.layers:
                self._show_message(_removed(source))

    def check_is_new(self, layer: Any) -> None:
        """Raise if a layer has samples on the map already, whatever its name is now.

        Parameters
        ----------
        layer : napari.layers.Layer or None

        Raises
        ------
        InvalidInputError
        """
        known = self._jobs.layers | self._links.layers
        for source, each in known.items():
            if layer is not None and unwrapped(each) is unwrapped(layer):
                raise InvalidInputError(
                    f"the layer must be another one; got {str(layer.name)!r}, whose samples are on "
                    f"the map already, named {source!r}. {self._remedy(layer, known)}"
                )

    def _remedy(self, layer: Any, known: dict[str, Any]) -> str:
        """Names the layers of this kind that have no samples on the map."""
        on_map = [unwrapped(each) for each in known.values()]
        own = self._links.own_layers
        others = [
            repr(str(each.name))
            for each in self._viewer.layers
            if layer_class(each) == layer_class(layer)
            and unwrapped(each) not in on_map
            and each not in own
            and not is_decoded(each)
        ]
        if not others:
            return "Open another image first."
        return f"Choose the layers of another image under Data, such as {others[-1]}."


def _removed(source: str) -> str:
    return (
        f"The layer of {source} was removed; its samples stay on the map. If it is added again, it "
        "is linked again."
    )
