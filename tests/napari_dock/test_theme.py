"""The dock's drawings follow napari's theme, and can be read in each."""

from __future__ import annotations

import pytest
from napari.utils.theme import available_themes, get_theme

from embedscope.napari_dock.widgets._theme import DARK, LIGHT, MapColors, map_colors


def luminance(color: tuple[int, int, int]) -> float:
    """Relative luminance of sRGB, 0..1 (WCAG 2.2)."""
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in color)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    low, high = sorted([luminance(first), luminance(second)])
    return (high + 0.05) / (low + 0.05)


def all_colors() -> dict[str, MapColors]:
    named = {name: map_colors(name) for name in available_themes() if name != "system"}
    return named | {"DARK": DARK, "LIGHT": LIGHT}


@pytest.mark.parametrize("name", all_colors())
def test_text_and_strokes_can_be_told_from_the_background(name):
    colors = all_colors()[name]
    assert contrast(colors.ink, colors.background) >= 4.5
    assert contrast(colors.muted, colors.background) >= 3
    assert contrast(colors.accent, colors.background) >= 3


def test_backgrounds_are_those_of_the_theme():
    assert map_colors("dark").background == tuple(get_theme("dark").background.as_rgb_tuple())
    assert (
        luminance(map_colors("light").background) > 0.8 > luminance(map_colors("dark").background)
    )
