"""The code of each sample in the image: from its colour on the map, and its marks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from embedscope.explorer import Coloring
from embedscope.napari_dock.layers._label_overlay import N_CODES

Codes = npt.NDArray[np.uint8]

SELECTED_CODE, NOVEL_CODE, _INSIDE_CODE = 251, 252, 253  # beyond the levels of a coloring
_NO_VALUE_CODE = 250  # level of samples without a value in a `Coloring`
_SELECTED_RGBA = (255, 255, 255, 255)
_HIGHLIGHT_RGBA = (255, 179, 71, 255)
_INSIDE_RGBA = (255, 179, 71, 120)  # half transparent, so that the object below can be seen
NOVEL_RGBA = (213, 94, 0, 255)  # vermilion, distinct from the others for the colour-blind too


class MarkedCodes:
    """Colours and marks of the samples, from which `codes` and `palette` are computed.

    Parameters
    ----------
    n_samples : int

    Attributes
    ----------
    coloring : Coloring or None
        The map's colours.
    colors_objects : bool
        Whether the map's colours are shown.
    novel : ndarray of shape (n_samples,), bool
        Which samples are unlike those trained on.
    marks_novel : bool
        Whether `novel` is shown.
    """

    def __init__(self, n_samples: int) -> None:
        self.coloring: Coloring | None = None
        self.colors_objects = False
        self.novel: npt.NDArray[np.bool_] = np.zeros(n_samples, dtype=bool)
        self.marks_novel = False
        self._selected = np.zeros(n_samples, dtype=bool)

    def restarted(self, n_samples: int) -> MarkedCodes:
        """A copy for other samples: same display options, no marks and no colours yet."""
        other = MarkedCodes(n_samples)
        other.colors_objects, other.marks_novel = self.colors_objects, self.marks_novel
        return other

    def select(self, rows: npt.NDArray[np.int64]) -> None:
        """Set the selected rows."""
        self._selected = np.zeros(len(self._selected), dtype=bool)
        self._selected[rows] = True

    @property
    def palette(self) -> Codes:
        """Red, green, blue and opacity of each code, shape (254, 4)."""
        palette = np.zeros((N_CODES, 4), np.uint8)
        if self.coloring is not None:
            palette[: len(self.coloring.palette)] = self.coloring.palette
        palette[0] = 0
        palette[SELECTED_CODE] = _SELECTED_RGBA if self.colors_objects else _HIGHLIGHT_RGBA
        palette[NOVEL_CODE] = NOVEL_RGBA
        palette[_INSIDE_CODE] = _INSIDE_RGBA
        return palette

    def codes(self) -> tuple[Codes, Codes, Codes]:
        """Codes of the insides, of the rims and of the stripes, each of shape (n_samples,).

        The rim shows the selection, the stripes samples unlike those trained on, the inside colours
        and selection. So all can be seen at once, and the cell below as well.
        """
        insides = self._levels()
        if not self.colors_objects:
            insides = np.where(self._selected, np.uint8(_INSIDE_CODE), np.uint8(0))
        stripes = insides
        if self.marks_novel and len(self.novel) == len(insides):
            stripes = np.where(self.novel, np.uint8(NOVEL_CODE), insides)
        return insides, np.where(self._selected, np.uint8(SELECTED_CODE), stripes), stripes

    def _levels(self) -> Codes:
        """The colour level of each sample; 0 if colours are off or belong to other samples."""
        coloring, n_samples = self.coloring, len(self._selected)
        if coloring is None or not self.colors_objects or len(coloring.levels) != n_samples:
            return np.zeros(n_samples, np.uint8)
        return np.where(coloring.levels == _NO_VALUE_CODE, np.uint8(0), coloring.levels)
