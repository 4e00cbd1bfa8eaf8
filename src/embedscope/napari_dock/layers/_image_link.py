"""Links image and map both ways: clicks, hovering, and moving the view to a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.explorer import Explorer, Hovered
from embedscope.napari_dock.data._world import to_data
from embedscope.napari_dock.layers._linked_layers import LinkedLayers
from embedscope.napari_dock.layers._picking import go_to
from embedscope.napari_dock.layers._source_opening import SourceOpening
from embedscope.napari_dock.widgets._row_of import row_of
from embedscope.samples import SampleId, Samples

_IN_IMAGE = "image"


class ImageLink:
    """Passes clicks and hovering in the viewer to the explorer, and visits to the viewer.

    Parameters
    ----------
    viewer : napari.Viewer
    explorer : Explorer
    links : LinkedLayers
    opening : SourceOpening
        Opens the files of samples that are visited.
    """

    def __init__(
        self, viewer: Any, explorer: Explorer, links: LinkedLayers, opening: SourceOpening
    ) -> None:
        self._viewer, self._explorer, self._links = viewer, explorer, links
        self._opening = opening

    def visit(self, row: int) -> None:
        """Bring a sample into view; its file is opened if it has not been a layer yet."""
        samples = self._explorer.samples
        if samples is None or row >= len(samples):
            return
        source = samples.identities[row].source
        layer = self._links.layers.get(source)
        if layer is None:
            self._opening.open(source, lambda: self.visit(row))
            return
        self._opening.reveal(source)
        go_to(self._viewer, layer, samples, row)

    def pick(self, sample: SampleId | None, mode: str) -> None:
        """Select a sample that was clicked in the image; None for the background."""
        row = row_of(self._explorer.samples, sample)
        if row is not None:
            self._explorer.select_rows([row], mode, origin=_IN_IMAGE)
        elif mode == "replace":
            self._explorer.clear_selection(origin=_IN_IMAGE)

    def frame(self, rows: npt.NDArray[np.int64], mode: str) -> None:
        """Select the samples that a rectangle in the image touches."""
        self._explorer.select_rows(rows, mode, origin=_IN_IMAGE)

    def point(self, sample: SampleId | None) -> None:
        """Mark the sample that is under the mouse in the image as hovered."""
        self._explorer.hover(row_of(self._explorer.samples, sample), origin=_IN_IMAGE)

    def clear_pointed(self) -> None:
        """Clear what the image hovers: under a resting mouse it now shows something else."""
        if self._explorer.hovered.origin == _IN_IMAGE:
            self.point(None)

    def show_hovered(self, hovered: Hovered) -> None:
        """Frame the hovered sample in the image, unless it is hovered there."""
        self._links.show_hovered(Hovered() if hovered.origin == _IN_IMAGE else hovered)

    def in_other_frames(self) -> npt.NDArray[np.bool_]:
        """Which samples of time series are not in the frame on the screen, shape (n_samples,)."""
        samples = self._explorer.samples
        if samples is None:
            return np.zeros(0, dtype=bool)
        others = np.zeros(len(samples), dtype=bool)
        for name, layer in self._links.layers.items():
            axes = samples.sources[name].axes
            if "t" in axes:
                others |= self._of_source(samples, name) & (
                    samples.identities.frame != self._frame_shown(layer, axes.index("t"))
                )
        return others

    def _frame_shown(self, layer: Any, axis: int) -> int:
        place = to_data(self._viewer.dims.units, layer, self._viewer.dims.point)[axis]
        return int(np.floor(place + 0.5))

    def _of_source(self, samples: Samples, name: str) -> npt.NDArray[np.bool_]:
        identities = samples.identities
        return np.asarray(identities.source == identities.sources.index(name))
