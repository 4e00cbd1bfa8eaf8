"""The decoder and the style code, trained separately from the encoder."""
