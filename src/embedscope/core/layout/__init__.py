"""Free positions on the map: where they start, and how UMAP's objective moves them."""
