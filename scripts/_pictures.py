"""What the scripts that make pictures of maps share: rows of small maps, and small files."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from PIL import Image

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images"
WIDTH = 7.2  # inches, of a row of pictures
DPI = 100


def row_of_axes(n: int, *, height: float = 2.6) -> tuple[Any, Any]:
    """A figure with a row of empty axes."""
    figure, axes = plt.subplots(1, n, figsize=(WIDTH, height), layout="constrained")
    for ax in np.atleast_1d(axes):
        ax.set(xticks=[], yticks=[])
    return figure, axes


def draw_map(
    ax: Any, positions: npt.ArrayLike, values: npt.ArrayLike, title: str, *, size: float = 5.0
) -> None:
    """Points in the colours of their classes; class -1 is grey."""
    places, values = np.asarray(positions), np.asarray(values)
    known = values >= 0
    ax.scatter(*places[~known].T, c="#c8c8c8", s=size, linewidths=0)
    ax.scatter(*places[known].T, c=values[known], cmap="tab10", vmin=0, vmax=9, s=size, lw=0)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_title(title, fontsize=9)


def draw_picture(ax: Any, picture: npt.ArrayLike, title: str = "") -> None:
    """A grey or RGB picture of a sample, without smoothing."""
    ax.imshow(np.asarray(picture), cmap="gray", interpolation="nearest")
    ax.set_title(title, fontsize=8)
    ax.set(xticks=[], yticks=[])


def save(figure: Any, file: Path) -> None:
    """Write a small WebP."""
    pixels = io.BytesIO()
    figure.savefig(pixels, dpi=DPI)
    plt.close(figure)
    with Image.open(pixels) as picture:
        picture.convert("RGB").save(file, quality=80, method=6)


def write_chosen(description: str, pictures: Mapping[str, Callable[[], Any]], prefix: str) -> None:
    """Write the pictures that the command line names, or all."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(pictures))
    parser.add_argument("--folder", type=Path, default=FOLDER)
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(pictures):
        parser.error(f"NAME must be among {', '.join(pictures)}; got {', '.join(sorted(unknown))}")
    for name in chosen.names or pictures:
        save(pictures[name](), chosen.folder / f"{prefix}_{name}.webp")
