"""Style of the demo's pictures: colours, fonts, and cells as colour pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# From dark blue to red along the cell cycle; the rare phases at the red end have larger points too.
PHASE_COLORS = ("#30123b", "#4145ab", "#2b9cc4", "#2fb58a", "#e0b93b", "#ea7a2d", "#c5271d")
INK = "#1f2328"
PAPER = "#ffffff"
DARK = "#12141a"
SETTINGS: Any = {  # matplotlib types these as a union of all their names
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "font.size": 11,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": "#b8bec6",
    "axes.labelcolor": INK,
    "text.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}

_DNA_COLOR = np.array([1.0, 0.25, 0.75], dtype=np.float32)
_SCATTER_COLOR = np.array([0.25, 0.85, 1.0], dtype=np.float32)


def as_map(ax: Axes, title: str) -> None:
    """Format axes as a map: equal scales, and no numbers, since they have no meaning."""
    ax.set_title(title)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("map 1")
    ax.set_ylabel("map 2")


def as_picture(crops: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Crops as colour pictures: brightfield grey, DNA pink, darkfield blue, the rest transparent.

    Parameters
    ----------
    crops : ndarray of shape (n, height, width, 3), float32
        Brightfield, DNA and darkfield, 0..1.
    background : ndarray of shape (3,)
        Their values outside of cells.

    Returns
    -------
    ndarray of shape (n, height, width, 4), float32
        Red, green, blue and opacity, 0..1.
    """
    signal = crops - background
    bright = signal[..., 0]
    dna, dark = np.maximum(signal[..., 1], 0.0), np.maximum(signal[..., 2], 0.0)
    grey = np.clip(0.45 + 1.2 * bright, 0.0, 1.0) * (1.0 - 0.6 * np.clip(dna, 0.0, 1.0))
    color = (
        grey[..., None] + 0.8 * dna[..., None] * _DNA_COLOR + 0.5 * dark[..., None] * _SCATTER_COLOR
    )
    # Pixels that differ from the background, after a blur, are the cell.
    inside = _smoothed(np.abs(signal).sum(axis=-1))
    opacity = np.clip((inside - 0.08) / 0.08, 0.0, 1.0)
    return np.asarray(np.clip(np.concatenate([color, opacity[..., None]], axis=-1), 0.0, 1.0))


def _smoothed(values: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(values, sigma=(0, 1.2, 1.2)))
