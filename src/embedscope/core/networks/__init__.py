"""Keras networks: made, copied, traced, run, and what they are trained to do."""
