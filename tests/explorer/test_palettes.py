"""Colours that can be told apart, also with a colour vision deficiency."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._palettes import (
    CLASS_COLORS,
    DIVERGING_PALETTES,
    MORE_CLASS_COLORS,
    NO_VALUE_COLOR,
    SEQUENTIAL_PALETTES,
    as_hex,
    check_palette,
    class_colors,
    number_colors,
    rgba,
)

ALL_COLORS = (*CLASS_COLORS, *MORE_CLASS_COLORS)
# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB: doi.org/10.1109/TVCG.2009.113
VISION = {
    "typical": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}


def linear(colors):
    """Linear RGB in 0..1 of colours as "#rrggbb"."""
    srgb = np.array([rgba(color)[:3] for color in colors]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def seen(colors, vision):
    """CIELAB of the colours for a kind of colour vision."""
    from skimage.color import rgb2lab

    simulated = (linear(colors) @ VISION[vision].T).clip(0, 1)
    low = simulated <= 0.0031308
    return rgb2lab(np.where(low, 12.92 * simulated, 1.055 * simulated ** (1 / 2.4) - 0.055))


def smallest_difference(colors, vision):
    """Smallest CIEDE2000 difference between any two; about 2 is just noticeable side by side."""
    from skimage.color import deltaE_ciede2000

    lab = seen(colors, vision)
    pairs = np.triu_indices(len(colors), 1)
    return deltaE_ciede2000(lab[pairs[0]], lab[pairs[1]]).min()


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(
    ("n_classes", "least"), [(8, 11.5), (12, 10), (16, 8), (24, 7), (32, 6), (64, 3.8)]
)
def test_classes_can_be_told_apart(vision, n_classes, least):
    assert smallest_difference(ALL_COLORS[:n_classes], vision) > least


def test_red_and_green_would_fail_that_test():
    assert smallest_difference(["#a04000", "#606000"], "deuteranopia") < 8


@pytest.mark.parametrize("vision", VISION)
def test_grey_of_missing_values_is_no_class(vision):
    differences = [smallest_difference([color, NO_VALUE_COLOR], vision) for color in ALL_COLORS]
    assert min(differences[: len(CLASS_COLORS)]) > 8
    assert min(differences) > 3.8


def test_every_class_shows_on_black_and_on_white():
    luminance = linear(ALL_COLORS) @ [0.2126, 0.7152, 0.0722]
    assert ((luminance + 0.05) / 0.05).min() > 2
    assert (1.05 / (luminance + 0.05)).min() > 1.25  # yellow


def test_classes_beyond_the_list_begin_again():
    colors = class_colors(len(ALL_COLORS) + 1)
    assert [as_hex(color) for color in colors] == [*ALL_COLORS, CLASS_COLORS[0]]
    assert len(set(ALL_COLORS)) == 64
    assert (colors[:, 3] == 255).all()
    assert class_colors(0).shape == (0, 4)


@pytest.mark.parametrize("palette", SEQUENTIAL_PALETTES)
@pytest.mark.parametrize("vision", VISION)
def test_sequential_palettes_grow_lighter_for_every_eye(palette, vision):
    colors = [as_hex(color) for color in number_colors(palette, 9)]
    assert (np.diff(seen(colors, vision)[:, 0]) > 0).all()


@pytest.mark.parametrize("palette", DIVERGING_PALETTES)
def test_diverging_palettes_are_lightest_in_the_middle(palette):
    lightness = seen([as_hex(color) for color in number_colors(palette, 9)], "typical")[:, 0]
    assert (np.diff(lightness[:5]) > 0).all()
    assert (np.diff(lightness[4:]) < 0).all()


def test_unknown_palette_is_refused_with_those_offered():
    with pytest.raises(InvalidInputError, match=r"got 'virdis'\. Use one of classes, viridis"):
        check_palette("virdis")
