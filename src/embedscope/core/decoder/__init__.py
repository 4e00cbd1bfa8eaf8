"""The decoder and the style code, which train beside the encoder."""
