"""What the decoder has drawn, put into the viewer when that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedscope.explorer import Explorer, MapGrid
from embedscope.napari_dock.layers._decoded_layers import add_film_strip, add_grid
from embedscope.napari_dock.widgets._background import Background


class DrawnLayers:
    """Adds layers of the path that is shown, or of a grid over the map.

    Parameters
    ----------
    viewer : napari.Viewer
    explorer : Explorer
    drawing : Background
        Draws the grid.
    show_message, show_error : callable
    """

    def __init__(
        self,
        viewer: Any,
        explorer: Explorer,
        drawing: Background,
        show_message: Callable[[str], None],
        show_error: Callable[[Exception], None],
    ) -> None:
        self._viewer, self._explorer, self._drawing = viewer, explorer, drawing
        self._show_message, self._show_error = show_message, show_error

    def add_path(self) -> None:
        """Add the path that is shown."""
        path, samples = self._explorer.reconstruction, self._explorer.samples
        if isinstance(path, tuple) and samples is not None:
            layers = add_film_strip(self._viewer, path, samples)
            self._tell_added(layers, f"{len(path)} steps along the path")

    def draw_grid(self) -> None:
        """Draw a grid over the map in a thread, and add it."""
        samples = self._explorer.samples
        self._show_message("Drawing a grid over the map…")

        def add(grid: MapGrid) -> None:
            if self._explorer.samples is samples and samples is not None:
                n = grid.n_per_side
                self._tell_added(add_grid(self._viewer, grid, samples), f"{n} x {n} pictures")

        self._drawing.start(self._explorer.draw_grid, add, self._show_error)

    def _tell_added(self, layers: list[Any], what: str) -> None:
        self._show_message(f"Added {', '.join(layer.name for layer in layers)}: {what}")
