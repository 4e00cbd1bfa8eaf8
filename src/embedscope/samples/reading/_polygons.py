"""Outlines of objects drawn as a label image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.samples.reading._needed import needed

Outline = npt.NDArray[np.float64]

_ASIDE = 1e-6  # pixels


def draw_labels(
    outlines: Sequence[Sequence[Outline]], shape: tuple[int, int]
) -> npt.NDArray[np.int32]:
    """Draw outlines as labels 1, 2, 3 and so on, later ones over earlier ones.

    A pixel belongs to an object if its centre lies inside. A centre on an outline counts on the
    right and lower sides only, as in `spatialdata.rasterize`: objects that touch share no pixel,
    and an outline through the centres on all sides makes no object larger.

    Parameters
    ----------
    outlines : sequence of sequence of ndarray of shape (n, 2), float64
        The polygons of each object, as y and x in pixels; the centre of the first pixel is at 0.
    shape : tuple of int
        Height and width of the image.
    """
    draw: Any = needed("skimage.draw", "images")
    labels = np.zeros(shape, np.int32)
    for number, parts in enumerate(outlines, start=1):
        for part in parts:
            # scikit-image counts the centres on all sides of an outline.
            rows, columns = draw.polygon(part[:, 0] + _ASIDE, part[:, 1] + _ASIDE, shape)
            labels[rows, columns] = number
    return labels


def circle(y: float, x: float, radius: float) -> Outline:
    """The outline of a circle, as y and x."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return np.column_stack([y + radius * np.sin(angle), x + radius * np.cos(angle)])
