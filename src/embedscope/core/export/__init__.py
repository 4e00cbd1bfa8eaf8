"""Export of a trained network to formats of other programs."""
