"""From rows to the weighted neighbour graph: searches, metrics, the fuzzy set, supervision."""
