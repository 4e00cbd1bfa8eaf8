"""A fit: from checked parameters and samples to a fitted map."""

from embedscope.core.fitting._fitted_graph import possible_neighbors
from embedscope.core.fitting._fitting import fit_map

__all__ = ["fit_map", "possible_neighbors"]
