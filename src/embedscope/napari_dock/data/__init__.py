"""From napari's layers to samples."""
