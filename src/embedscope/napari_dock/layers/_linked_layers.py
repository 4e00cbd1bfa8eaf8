"""Links the layers that samples come from to the map, both ways.

Each layer gets an overlay above it; the user's layers are never changed. The layer itself is
linked, not its name: it may be renamed or deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal

from embedscope.explorer import Coloring, Hovered, Selection
from embedscope.napari_dock.data._layer_features import is_points
from embedscope.napari_dock.data._proxies import unwrapped
from embedscope.napari_dock.layers._area_link import AreaLink
from embedscope.napari_dock.layers._image_frame import ImageFrame
from embedscope.napari_dock.layers._image_rectangle import ImageRectangle
from embedscope.napari_dock.layers._layer_link import LayerLink
from embedscope.napari_dock.layers._marked_codes import MarkedCodes
from embedscope.napari_dock.layers._picking import is_click, is_passive, mode_of_keys
from embedscope.napari_dock.layers._point_link import PointLink
from embedscope.napari_dock.layers._view_rectangle import ViewRectangle
from embedscope.napari_dock.widgets._background import Background
from embedscope.samples import SampleId, Samples
from embedscope.training import Dispatcher, immediate


class LinkedLayers:
    """Shows selection and colours on the layers, and emits what is clicked or framed there.

    Parameters
    ----------
    viewer : napari.Viewer
    dispatcher : callable, optional
        Runs callbacks in the main thread.

    Attributes
    ----------
    rectangle : ImageRectangle
        Selects in the image while it is on.
    frame : ImageFrame
        Frames the object that is hovered on the map.
    """

    picked = Signal(object, str)  # SampleId or None for the background, mode
    framed = Signal(object, str)  # rows in a rectangle, int64, and mode
    pointed = Signal(object)  # SampleId or None
    layer_removed = Signal(str)  # name of the source whose layer was deleted

    def __init__(self, viewer: Any, dispatcher: Dispatcher = immediate) -> None:
        self._viewer = viewer
        self._links: list[LayerLink] = []
        self._samples: Samples | None = None
        self._codes = MarkedCodes(0)
        self._searches = Background(dispatcher)
        self._waiting: list[tuple[ViewRectangle, str]] = []
        self._opacities: dict[str, float] = {}  # of the overlays, before they were made opaque
        self.frame = ImageFrame(viewer)
        self.rectangle = ImageRectangle(viewer)
        self.rectangle.drawn.connect(self._on_rectangle)
        viewer.layers.events.removed.connect(self._on_removed)
        # Of the viewer, since napari calls a layer's callbacks only while the layer is active.
        viewer.mouse_drag_callbacks.append(self._on_drag)
        viewer.mouse_move_callbacks.append(self._on_move)

    def link(self, samples: Samples | None, layers: Mapping[str, Any]) -> None:
        """Link samples to layers, by the names of the sources; None unlinks.

        Parameters
        ----------
        samples : Samples or None
        layers : mapping of str to napari.layers.Layer
        """
        self.unlink()
        if samples is None:
            return
        self._samples = samples
        self._codes = self._codes.restarted(len(samples))
        self.link_more(layers)

    def link_more(self, layers: Mapping[str, Any]) -> None:
        """Link the samples to further layers, which show the same colours and marks.

        Parameters
        ----------
        layers : mapping of str to napari.layers.Layer
            By the names of the sources; layers without samples are skipped.
        """
        samples = self._samples
        for name, layer in layers.items():
            if samples is not None and name in samples.sources and layer in self._viewer.layers:
                made = _linked(self._viewer, samples, name, unwrapped(layer))
                if made is not None:
                    made.set_palette(self._codes.palette)
                    self._links.append(made)
                    if self._codes.colors_objects:
                        self._show_pure(made)
        self._repaint()

    def unlink(self) -> None:
        """Remove the overlays, and disconnect from the layers."""
        links, self._links = self._links, []
        self._samples = None
        self._opacities.clear()
        self._searches.forget()
        self._waiting.clear()
        self.frame.hide()
        for link in links:
            link.remove()

    def close(self) -> None:
        """Unlink, and disconnect from the viewer; a second call does nothing."""
        self.unlink()
        self.rectangle.set_on(False)
        self.frame.close()
        if self._on_drag in self._viewer.mouse_drag_callbacks:
            self._viewer.layers.events.removed.disconnect(self._on_removed)
            self._viewer.mouse_drag_callbacks.remove(self._on_drag)
            self._viewer.mouse_move_callbacks.remove(self._on_move)

    @property
    def layers(self) -> dict[str, Any]:
        """The linked layers that still exist, by the names of the sources."""
        return {link.source: link.layer for link in self._links if link.layer is not None}

    @property
    def own_layers(self) -> list[Any]:
        """The overlays."""
        return [link.own_layer for link in self._links]

    @property
    def overlays(self) -> dict[str, Any]:
        """The overlays, by the names of the sources."""
        return {link.source: link.own_layer for link in self._links}

    # -- what is shown ---------------------------------------------------------------------------

    def show_selection(self, selection: Selection) -> None:
        """Mark the selected objects."""
        self._codes.select(selection.rows)
        self._repaint()

    def show_coloring(self, coloring: Coloring) -> None:
        """Set the colours that `set_colors_objects` shows on the objects."""
        self._codes.coloring = coloring
        self._recolor()

    def set_colors_objects(self, wanted: bool) -> None:
        """Show the map's colours on the objects, or only the selection."""
        if wanted != self._codes.colors_objects:
            for link in self._links:
                (self._show_pure if wanted else self._show_mixed)(link)
        self._codes.colors_objects = wanted
        self._recolor()

    def _show_pure(self, link: LayerLink) -> None:
        """Make an overlay opaque: mixed with the image below, two classes may look alike."""
        layers, own = self._viewer.layers, link.own_layer
        self._opacities[link.source] = own.opacity
        own.opacity = 1.0
        if own in layers:
            layers.move(layers.index(own), len(layers))

    def _show_mixed(self, link: LayerLink) -> None:
        link.own_layer.opacity = self._opacities.pop(link.source, link.own_layer.opacity)

    def set_novel(self, novel: npt.NDArray[np.bool_]) -> None:
        """Set which samples are unlike those trained on, shape (n_samples,)."""
        self._codes.novel = np.asarray(novel, bool)
        self._repaint()

    def set_marks_novel(self, wanted: bool) -> None:
        """Mark the samples that are unlike those trained on in the image, or not."""
        self._codes.marks_novel = wanted
        self._repaint()

    def show_hovered(self, hovered: Hovered) -> None:
        """Frame the sample that is hovered outside the image, such as on the map."""
        self.frame.hide()
        if hovered.row is None or self._samples is None or hovered.row >= len(self._samples):
            return
        layer = self.layers.get(self._samples.identities[hovered.row].source)
        if layer is not None and layer.visible:
            self.frame.show(layer, self._samples, hovered.row)

    def _recolor(self) -> None:
        palette = self._codes.palette
        for link in self._links:
            link.set_palette(palette)
        self._repaint()

    def _repaint(self) -> None:
        codes = self._codes.codes()
        for link in self._links:
            link.set_codes(*(of_part[link.rows] for of_part in codes))

    # -- what is clicked -------------------------------------------------------------------------

    def _on_drag(self, viewer: Any, event: Any) -> Iterator[None]:
        """Select a clicked object; dragging still pans, and painting still paints."""
        if event.button != 1 or not is_passive(viewer.layers.selection.active):
            return
        start, mode = event.pos, mode_of_keys(event.modifiers)
        yield
        while event.type == "mouse_move":
            yield
        if is_click(start, event) and self._links:
            self.picked.emit(self._sample(event), mode)

    def _on_move(self, viewer: Any, event: Any) -> None:
        if self._links:
            self.pointed.emit(self._sample(event))

    def _sample(self, event: Any) -> SampleId | None:
        """The sample under the mouse, in the uppermost layer that has one there."""
        by_layer = {id(link.layer): link for link in self._links}
        for layer in reversed(self._viewer.layers):
            link = by_layer.get(id(unwrapped(layer)))
            is_shown = link is not None and (layer.visible or link.own_layer.visible)
            found = link.sample_at(event) if link is not None and is_shown else None
            if found is not None:
                return found
        return None

    def _on_rectangle(self, rectangle: ViewRectangle, mode: str) -> None:
        """Search one rectangle after the other: each may change the selection of the last."""
        self._waiting.append((rectangle, mode))
        if len(self._waiting) == 1:
            self._search()

    def _search(self) -> None:
        rectangle, mode = self._waiting[0]
        searches = [link.touched_by(rectangle) for link in self._links]

        def search() -> npt.NDArray[np.int64]:
            found = [look() for look in searches if look is not None]
            return np.concatenate([np.zeros(0, np.int64), *found])

        def show(rows: npt.NDArray[np.int64]) -> None:
            self._waiting.pop(0)
            self.framed.emit(rows, mode)
            if self._waiting:
                self._search()

        self._searches.start(search, show, self._fail)

    def _fail(self, error: Exception) -> None:
        self._waiting.clear()
        self.rectangle.declined.emit(str(error))

    def _on_removed(self, event: Any) -> None:
        removed = unwrapped(event.value)
        for link in list(self._links):
            if link.layer is removed:
                self._links.remove(link)
                link.remove()
                self.layer_removed.emit(link.source)
            elif link.own_layer is removed:
                link.remove()  # the user has deleted the overlay: do not add it again


def _linked(viewer: Any, samples: Samples, name: str, layer: Any) -> LayerLink | None:
    kind = samples.sources[name].kind
    if kind in ("labels", "patches"):
        return AreaLink(viewer, samples, name, layer)
    return PointLink(viewer, samples, name, layer) if is_points(layer) else None
