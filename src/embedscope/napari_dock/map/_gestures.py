"""What a drag of the mouse on the map means; independent of Qt.

A gesture keeps screen pixels, which distinguish a click from a drag, and map coordinates, so that
zooming in the middle of a lasso does not distort it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import numpy.typing as npt

Pixel = tuple[float, float]

CLICK_RADIUS_PX = 4.0
_STROKE_STEP_PX = 2.0


class Tool(Enum):
    """What dragging with the left button does; a click always picks the nearest sample."""

    NAVIGATE = "navigate"
    LASSO = "lasso"
    RECTANGLE = "rectangle"
    GATE = "gate"
    DECODE = "decode"
    PATH = "path"


def mode_of(*, shift: bool, alt: bool, control: bool) -> str:
    """How a gesture combines with the current selection.

    Parameters
    ----------
    shift, alt, control : bool
        Keys held down when the gesture began.

    Returns
    -------
    {"replace", "add", "subtract", "invert"}
    """
    if control:
        return "invert"
    if alt:
        return "subtract"
    return "add" if shift else "replace"


@dataclass
class Gesture:
    """One drag from press to release.

    Attributes
    ----------
    tool : Tool
    mode : {"replace", "add", "subtract", "invert"}
    start_px : tuple of two float
        Where the button went down, in pixels of the widget.
    stroke : list of ndarray of shape (2,), float64
        The path of the pointer, in map units.
    """

    tool: Tool
    mode: str
    start_px: Pixel
    stroke: list[npt.NDArray[np.float64]]
    is_click: bool = True
    _last_px: Pixel = field(init=False)

    def __post_init__(self) -> None:
        self._last_px = self.start_px

    def move_to(self, pixel: Pixel, point: npt.NDArray[np.float64]) -> None:
        """Follow the pointer; steps shorter than two pixels are skipped.

        Parameters
        ----------
        pixel : tuple of two float
            Current position in pixels.
        point : ndarray of shape (2,), float64
            The same position in map units.
        """
        if _distance(pixel, self.start_px) > CLICK_RADIUS_PX:
            self.is_click = False
        if _distance(pixel, self._last_px) >= _STROKE_STEP_PX:
            self._last_px = pixel
            self.stroke.append(point)

    @property
    def outline(self) -> npt.NDArray[np.float64]:
        """The stroke, or the four corners of a rectangle: float64 of shape (k, 2), map units."""
        points = np.asarray(self.stroke, dtype=np.float64)
        if self.tool is not Tool.RECTANGLE:
            return points
        (left, bottom), (right, top) = points[0], points[-1]
        return np.array([[left, bottom], [right, bottom], [right, top], [left, top]])

    @property
    def encloses(self) -> bool:
        """Whether the outline has an inside that can be selected."""
        outline = self.outline
        return len(outline) >= 3 and bool(np.all(np.ptp(outline, axis=0) > 0))


def _distance(first: Pixel, second: Pixel) -> float:
    return float(np.hypot(first[0] - second[0], first[1] - second[1]))
