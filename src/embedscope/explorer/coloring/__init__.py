"""What the samples are coloured by, and the colours that they get."""

from embedscope.explorer.coloring._coloring import color_samples

__all__ = ["color_samples"]
