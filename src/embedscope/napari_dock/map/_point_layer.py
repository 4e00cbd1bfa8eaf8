"""Points that are drawn together: few as markers, many as a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from vispy.scene import Node
from vispy.scene.visuals import Markers

from embedscope.napari_dock.map._pixel_layer import Colors, PixelLayer, Positions, Window

MOST_MARKERS = 20_000  # software rendering draws this many about thirty times a second
_SMOOTHING_PX = 0.7


class PointLayer:
    """Points of one kind.

    Parameters
    ----------
    parent : vispy.scene.Node
        The scene that the camera looks at.
    order : int
        Layers with a higher order lie above.
    """

    def __init__(self, parent: Node, order: int) -> None:
        self._parent, self._order = parent, order
        self._markers = self._new_markers()
        self._pixels = PixelLayer(parent, order)
        self._marker_opacity = 1.0

    def fill(self, positions: Positions, colors: Colors, size: float, **look: Any) -> None:
        """Draw these, and nothing else.

        Parameters
        ----------
        positions : ndarray of shape (n, 2), float32
            In map units; those that are not finite are not drawn.
        colors : ndarray of shape (n, 4), float32
            In 0..1.
        size : float
            Diameter in pixels.
        **look
            Outline and symbol as vispy's markers take them; many points have neither.
        """
        placed = np.isfinite(positions).all(axis=1)
        if not placed.all():  # where such points are drawn depends on the driver
            positions, colors = positions[placed], colors[placed]
        are_many = len(positions) > MOST_MARKERS
        self._pixels.visible = are_many
        self._markers.visible = 0 < len(positions) <= MOST_MARKERS  # vispy cannot draw 0 markers
        if are_many:
            self._pixels.fill(positions, colors, size)
        elif len(positions):
            self._markers.set_data(pos=positions, face_color=colors, size=size, **look)

    def set_opacity(self, opacity: float, strength: float = 1.0) -> None:
        """Set how far points cover what is below.

        Parameters
        ----------
        opacity : float
            Of each point, 0..1.
        strength : float
            Of all points together, 0..1: overlapping faded points must not add up to opaque.
        """
        self._marker_opacity = opacity * strength
        self._markers.opacity = (
            self._marker_opacity
        )  # not `alpha`, which only spherical markers use
        self._pixels.set_opacity(opacity, strength)

    def paint(self, window: Window) -> None:
        """Paint what is in the window, if the points are drawn as a picture."""
        self._pixels.paint(window)

    def renew(self) -> None:
        """Recreate everything after the OpenGL context was lost. `fill` must follow."""
        self._markers.parent = None
        self._markers = self._new_markers()
        self._markers.opacity = self._marker_opacity
        self._pixels.renew()

    def _new_markers(self) -> Any:
        markers = Markers(parent=self._parent, antialias=_SMOOTHING_PX)
        # All points have the same depth, so the drawing order decides which lies above.
        markers.set_gl_state("translucent", depth_test=False)
        markers.order = self._order
        markers.visible = False
        return markers
