"""From rows to the weighted neighbour graph: searches, metrics, the fuzzy set, supervision."""

from embedscope.core.graph._distances import NeighborSearch
from embedscope.core.graph._neighbors import nearest_neighbors

__all__ = ["NeighborSearch", "nearest_neighbors"]
