"""Adds decoded pictures to the viewer when the user asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedscope.explorer import Explorer, MapGrid
from embedscope.napari_dock.layers._decoded_layers import add_film_strip, add_grid
from embedscope.napari_dock.widgets._background import Background


class LayerDecoding:
    """Adds layers with the path that is shown, or with a grid over the map.

    Parameters
    ----------
    viewer : napari.Viewer
    explorer : Explorer
    decoding : Background
        Decodes the grid.
    show_message, show_error : callable
    """

    def __init__(
        self,
        viewer: Any,
        explorer: Explorer,
        decoding: Background,
        show_message: Callable[[str], None],
        show_error: Callable[[Exception], None],
    ) -> None:
        self._viewer, self._explorer, self._decoding = viewer, explorer, decoding
        self._show_message, self._show_error = show_message, show_error

    def add_path(self) -> None:
        """Add the path that is shown."""
        path, samples = self._explorer.reconstruction, self._explorer.samples
        if isinstance(path, tuple) and samples is not None:
            layers = add_film_strip(self._viewer, path, samples)
            self._show_added(layers, f"{len(path)} steps along the path")

    def add_grid(self) -> None:
        """Decode a grid over the map in a worker thread, and add it."""
        samples = self._explorer.samples
        self._show_message("Decoding a grid over the map…")

        def add(grid: MapGrid) -> None:
            if self._explorer.samples is samples and samples is not None:
                n = grid.n_per_side
                self._show_added(add_grid(self._viewer, grid, samples), f"{n} x {n} pictures")

        self._decoding.start(self._explorer.draw_grid, add, self._show_error)

    def _show_added(self, layers: list[Any], what: str) -> None:
        self._show_message(f"Added {', '.join(layer.name for layer in layers)}: {what}")
