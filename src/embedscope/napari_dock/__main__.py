"""Open napari with the sample cells and the dock ready to train: what `scripts/demo` shows."""

from __future__ import annotations


def main() -> None:
    """Open the window; return when it is closed."""
    import napari

    viewer = napari.Viewer(title="embedscope")
    viewer.open_sample("embedscope", "jurkat_cells")
    viewer.window.add_plugin_dock_widget("embedscope", "Explore embedding")
    napari.run()


if __name__ == "__main__":
    main()
