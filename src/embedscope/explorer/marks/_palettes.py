"""Colours that users with any colour vision can tell apart: lists for classes, maps for numbers.

The first seven classes have the colours of Okabe and Ito without black, which cannot be seen on a
dark canvas. The next nine are colours of Paul Tol's schemes, and 48 more come from palettes of the
package glasbey. Each was chosen to be as far as possible from all before it, also for deuteranopia
and protanopia. The more classes, the smaller the differences: beyond about 24 classes, some pairs
are told apart only side by side. From 65 classes on colours repeat.

References
----------
Okabe, M. and Ito, K. Color universal design. https://jfly.uni-koeln.de/color/
Tol, P. Colour schemes. SRON technical note, 2021. https://personal.sron.nl/~pault/
Glasbey, C., van der Heijden, G., Toh, V. and Gray, A. Colour displays for categorical images. Color
Research and Application 32 (2007) 304-309. https://doi.org/10.1002/col.20327
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError

CLASS_COLORS = (
    "#e69f00",  # Okabe and Ito: orange
    "#56b4e9",  # sky blue
    "#009e73",  # bluish green
    "#f0e442",  # yellow
    "#0072b2",  # blue
    "#d55e00",  # vermilion
    "#cc79a7",  # reddish purple
    "#882255",  # Tol: muted wine
    "#a5170e",  # rainbow red
    "#cae0ab",  # rainbow pale green
    "#d9cce3",  # rainbow pale violet
    "#ee6677",  # bright red
    "#994f88",  # rainbow purple
    "#ddcc77",  # muted sand
    "#5289c7",  # rainbow blue
    "#ffaabb",  # light pink
)
# fmt: off
# For the 17th class and those after it.
MORE_CLASS_COLORS = (
    "#c3364c", "#7221ff", "#516736", "#26be9d", "#26ffd9", "#9d77ff", "#7d8d3c", "#1b9892",
    "#f4925c", "#a3be82", "#989dbe", "#51626d", "#7767de", "#d9c3ff", "#5c7d62", "#a3510b",
    "#3c6d51", "#ff4c41", "#926d9d", "#b8b8d4", "#d9628d", "#a3beb3", "#c95762", "#ffb810",
    "#d9ef88", "#16ffff", "#006d82", "#ff72e4", "#105cce", "#51c362", "#c37d5c", "#92d9c9",
    "#7d7d7d", "#ce055c", "#c3a3be", "#d40b31", "#d98205", "#989882", "#8da892", "#47aeff",
    "#479d8d", "#0bd99d", "#77d4ce", "#47a83c", "#ffd9c3", "#f4deff", "#aed48d", "#4c7d82",
)
# fmt: on
# The colours that classes use last come first: on a map of up to seven classes, a gate has another
# colour than all of them.
GATE_COLORS = (
    *(CLASS_COLORS[index] for index in (11, 14, 13, 12, 9, 15, 10, 8, 7)),
    *CLASS_COLORS[:7],
)
NO_VALUE_COLOR = "#6e6e6e"  # the grey that is furthest from every class
PLAIN_COLOR = CLASS_COLORS[1]
SELECTED_COLOR = CLASS_COLORS[5]

CLASS_PALETTE = "classes"
SEQUENTIAL_PALETTES = ("viridis", "cividis", "magma", "inferno")
DIVERGING_PALETTES = ("RdBu_r", "PuOr_r", "coolwarm")


def class_colors(n_classes: int) -> npt.NDArray[np.uint8]:
    """Colours of classes in order, repeated where there are more classes than colours.

    Parameters
    ----------
    n_classes : int

    Returns
    -------
    ndarray of shape (n_classes, 4), uint8
        Red, green, blue and an alpha of 255.
    """
    colors = np.array(
        [rgba(color) for color in (*CLASS_COLORS, *MORE_CLASS_COLORS)], dtype=np.uint8
    )
    return colors[np.arange(n_classes) % len(colors)]


def number_colors(palette: str, n_colors: int) -> npt.NDArray[np.uint8]:
    """Colours of a matplotlib colormap, from low to high.

    Parameters
    ----------
    palette : str
        Name of a colormap.
    n_colors : int

    Returns
    -------
    ndarray of shape (n_colors, 4), uint8

    Raises
    ------
    InvalidInputError
        If matplotlib has no colormap of that name.
    """
    check_palette(palette)
    from matplotlib import colormaps  # here, because it is slow to import

    colors: npt.NDArray[np.uint8] = colormaps[palette](np.linspace(0, 1, n_colors), bytes=True)
    return colors


def check_palette(palette: str) -> None:
    """Raise unless `palette` is "classes" or the name of a matplotlib colormap."""
    from matplotlib import colormaps

    if palette != CLASS_PALETTE and palette not in colormaps:
        offered = ", ".join((CLASS_PALETTE, *SEQUENTIAL_PALETTES, *DIVERGING_PALETTES))
        raise InvalidInputError(
            f"palette must be 'classes' or the name of a matplotlib colormap; got {palette!r}. "
            f"Use one of {offered}."
        )


def rgba(color: str) -> tuple[int, int, int, int]:
    """Red, green and blue of "#rrggbb" as 0..255, and an alpha of 255."""
    red, green, blue = bytes.fromhex(color[1:])
    return red, green, blue, 255


def as_hex(color: Any) -> str:
    """Red, green and blue of 0..255 as "#rrggbb"; an alpha is left out."""
    return "#" + bytes(int(part) for part in color[:3]).hex()
