"""Selection, polygons and gates on a map, with undo."""

from embedscope.explorer.marks._outlines import simplify_outline, thin_outline
from embedscope.explorer.marks._palettes import CLASS_PALETTE

__all__ = ["CLASS_PALETTE", "simplify_outline", "thin_outline"]
