"""Arrays of any kind as checked rows of numbers, read in blocks; principal axes."""

from embedscope.core.arrays._principal_axes import principal_axes
from embedscope.core.arrays._rows import Rows, as_rows

__all__ = ["Rows", "as_rows", "principal_axes"]
