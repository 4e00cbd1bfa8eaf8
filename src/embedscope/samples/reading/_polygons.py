"""Outlines of objects drawn as a label image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.samples.reading._needed import needed

Outline = npt.NDArray[np.float64]


def draw_labels(
    outlines: Sequence[Sequence[Outline]], shape: tuple[int, int]
) -> npt.NDArray[np.int32]:
    """Draw outlines as labels 1, 2, 3 and so on, later ones over earlier ones.

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
            rows, columns = draw.polygon(part[:, 0], part[:, 1], shape)
            labels[rows, columns] = number
    return labels


def circle(y: float, x: float, radius: float) -> Outline:
    """The outline of a circle, as y and x."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return np.column_stack([y + radius * np.sin(angle), x + radius * np.cos(angle)])
