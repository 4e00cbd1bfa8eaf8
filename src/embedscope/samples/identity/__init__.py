"""Who a sample is, and the source that it comes from."""
