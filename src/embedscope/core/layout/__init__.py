"""The layout of free positions on the map: their start, and descent of UMAP's objective."""
