"""The weighted neighbour graph of rows: searches, metrics, fuzzy simplicial set, supervision."""

from embedscope.core.graph._distances import NeighborSearch
from embedscope.core.graph._neighbors import nearest_neighbors

__all__ = ["NeighborSearch", "nearest_neighbors"]
