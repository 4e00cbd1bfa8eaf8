"""Open napari with the sample cells and the dock ready to train: what `scripts/demo` shows."""

from __future__ import annotations

from embedscope._desktop import require_desktop


def main() -> None:
    """Open the window; return when it is closed."""
    require_desktop("the dock")
    import napari
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer(title="embedscope")
    screen = QApplication.primaryScreen()
    if screen is not None:
        room = screen.availableSize()
        viewer.window.resize(min(1600, room.width()), min(1000, room.height()))
    viewer.open_sample("embedscope", "jurkat_cells")
    viewer.window.add_plugin_dock_widget("embedscope", "Explore embedding")
    viewer.reset_view()  # the dock has taken its part of the window
    napari.run()


if __name__ == "__main__":
    main()
