"""From samples back to napari's layers: links, overlays and results."""
