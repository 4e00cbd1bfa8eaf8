"""Colours of the dock's own drawings, taken from the theme that napari shows."""

from __future__ import annotations

from dataclasses import dataclass

from napari.utils.theme import get_theme

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class MapColors:
    """Colours of a drawing, each red, green, blue in 0..255.

    Attributes
    ----------
    background : tuple of int
        Behind the points.
    ink : tuple of int
        Text, and the outline of what is selected.
    muted : tuple of int
        Axes, hints and secondary lines.
    accent : tuple of int
        What the user is drawing with the mouse.
    """

    background: Rgb
    ink: Rgb
    muted: Rgb
    accent: Rgb


DARK = MapColors((35, 36, 43), (240, 241, 242), (138, 147, 160), (255, 179, 71))
LIGHT = MapColors((255, 255, 255), (30, 30, 33), (110, 116, 126), (192, 96, 0))


def map_colors(theme: str) -> MapColors:
    """Colours that go with a theme of napari.

    Parameters
    ----------
    theme : str
        Its id, such as "dark", "light", or one from a plugin.

    Returns
    -------
    MapColors
        With the theme's background and text: a dark map has the dock's background, a light one the
        canvas's.
    """
    described = get_theme(theme)
    is_light = described.type == "light"
    behind = described.canvas if is_light else described.background
    rest = LIGHT if is_light else DARK
    return MapColors(
        behind.as_rgb_tuple(alpha=False),
        described.text.as_rgb_tuple(alpha=False),
        rest.muted,
        rest.accent,
    )
