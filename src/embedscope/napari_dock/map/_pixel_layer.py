"""Many points as one picture: painted by the processor, shown by the graphics card.

For a million round markers software OpenGL needs a second or more per frame, and a slow graphics
card a tenth of a second. numpy finds the topmost point of each pixel on the screen in a twentieth
of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from vispy.scene import Node
from vispy.scene.visuals import Image
from vispy.visuals.transforms import STTransform

Positions = npt.NDArray[np.float32]
Colors = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Window:
    """The part of the map that is on the screen.

    Attributes
    ----------
    left, bottom, width, height : float
        In map units.
    columns, rows : int
        Pixels of the screen.
    """

    left: float
    bottom: float
    width: float
    height: float
    columns: int
    rows: int


class PixelLayer:
    """Points that are painted again for each view.

    Parameters
    ----------
    parent : vispy.scene.Node
        The scene that the camera looks at.
    order : int
        Layers with a higher order lie above.
    """

    def __init__(self, parent: Node, order: int) -> None:
        self._parent, self._order = parent, order
        self._positions: Positions = np.zeros((0, 2), np.float32)
        self._colors: Picture = np.zeros((0, 4), np.uint8)
        self._size_px, self._opacity, self._strength = 1, 1.0, 1.0
        self._painted: Window | None = None
        self._image = self._new_image()

    @property
    def visible(self) -> bool:
        """Whether it is shown."""
        return bool(self._image.visible)

    @visible.setter
    def visible(self, wanted: bool) -> None:
        self._image.visible = wanted

    def fill(self, positions: Positions, colors: Colors, size: float) -> None:
        """Take points.

        Parameters
        ----------
        positions : ndarray of shape (n, 2), float32
            Finite, in map units.
        colors : ndarray of shape (n, 4), float32
            In 0..1. Opaque points lie above transparent ones, later points above earlier ones.
        size : float
            Diameter in pixels.
        """
        shown = colors[:, 3] > 0
        if not shown.all():
            positions, colors = positions[shown], colors[shown]
        if len(colors) and np.ptp(colors[:, 3]) > 0:
            upwards = np.argsort(colors[:, 3], kind="stable")
            positions, colors = positions[upwards], colors[upwards]
        self._positions = positions
        self._colors = (255 * colors + 0.5).astype(np.uint8)
        self._size_px = max(1, round(size))
        self._painted = None

    def set_opacity(self, opacity: float, strength: float) -> None:
        """Set the opacity of each point, which adds up, and of the whole picture, both 0..1."""
        self._opacity, self._strength = opacity, strength
        self._image.opacity = strength
        self._painted = None

    def paint(self, window: Window) -> None:
        """Paint what is in the window, unless this window was painted last."""
        if not self.visible or window == self._painted:
            return
        self._painted = window
        self._image.set_data(
            paint_points(self._positions, self._colors, self._size_px, self._opacity, window)
        )
        self._image.transform = STTransform(
            scale=(window.width / window.columns, window.height / window.rows),
            translate=(window.left, window.bottom),
        )

    def renew(self) -> None:
        """Recreate the image after the OpenGL context was lost."""
        visible = self.visible
        self._image.parent = None
        self._image = self._new_image()
        self.visible = visible
        self._painted = None

    def _new_image(self) -> Any:
        image = Image(np.zeros((1, 1, 4), np.uint8), parent=self._parent, interpolation="nearest")
        image.set_gl_state("translucent", depth_test=False)
        image.order = self._order
        image.visible = False
        image.opacity = self._strength
        return image


def paint_points(
    positions: Positions, colors: Picture, size_px: int, opacity: float, window: Window
) -> Picture:
    """Paint points as discs.

    Parameters
    ----------
    positions : ndarray of shape (n, 2), float32
        Finite, in map units.
    colors : ndarray of shape (n, 4), uint8
    size_px : int
        Diameter, at least 1.
    opacity : float
        Of each point, 0..1.
    window : Window
        The part to paint; discs with centres a little outside reach into it.

    Returns
    -------
    ndarray of shape (rows, columns, 4), uint8
        The lowest row first, as y grows on the map. Each pixel has the colour of the last point
        that covers it; k points cover a pixel by ``1 - (1 - opacity)^k``.
    """
    room = size_px  # margin for discs whose centre is outside the window
    columns, rows = window.columns + 2 * room, window.rows + 2 * room
    scale = np.array([window.columns / window.width, window.rows / window.height], np.float32)
    x, y = ((positions - np.array([window.left, window.bottom], np.float32)) * scale + room).T
    within = np.flatnonzero((x >= 0) & (x < columns) & (y >= 0) & (y < rows))
    cells = y[within].astype(np.int32) * np.int32(columns) + x[within].astype(np.int32)
    top = np.zeros(rows * columns, np.int32)
    top[cells] = within + 1  # of several in a cell, the last one stays
    disc = _disc(size_px)
    kept = slice(room, -room)
    covering = ndimage.grey_dilation(top.reshape(rows, columns), footprint=disc)[kept, kept]
    picture: Picture = np.concatenate([np.zeros((1, 4), np.uint8), colors])[covering]
    if opacity < 1:
        counts = np.bincount(cells, minlength=rows * columns).reshape(rows, columns)
        depth = ndimage.grey_dilation(counts, footprint=disc)[kept, kept]
        picture[..., 3] = (picture[..., 3] * (1 - (1 - opacity) ** depth) + 0.5).astype(np.uint8)
    return picture


def _disc(size_px: int) -> npt.NDArray[np.bool_]:
    steps = np.arange(size_px) - (size_px - 1) / 2
    return np.asarray(np.hypot(*np.meshgrid(steps, steps)) <= size_px / 2)
