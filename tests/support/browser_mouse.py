"""The mouse on a page with the widget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class MouseOnMap:
    """Drags by real mouse events, through points of the map."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def drag(self, points: Sequence[tuple[float, float]], *keys: str) -> None:
        """A drag through points of the screen, with keys held down."""
        for key in keys:
            self.page.keyboard.down(key)
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point, steps=4)
        self.page.mouse.up()
        for key in keys:
            self.page.keyboard.up(key)

    def camera(self) -> tuple[float, float, float]:
        """The middle of the first map in view, and pixels for one unit of the map."""
        drawn = self.page.locator(".es-map").first.get_attribute("data-camera")
        x, y, scale = map(float, drawn.split())
        return x, y, scale

    def on_screen(self, x: float, y: float) -> tuple[float, float]:
        """The point of the screen of a point of the first map."""
        box = self.page.locator(".es-map").first.bounding_box()
        cx, cy, scale = self.camera()
        return (
            box["x"] + box["width"] / 2 + (x - cx) * scale,
            box["y"] + box["height"] / 2 - (y - cy) * scale,
        )

    def corners(self, x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
        """The corners of a rectangle on the map as points of the screen, closed."""
        around = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
        return [self.on_screen(x, y) for x, y in around]
