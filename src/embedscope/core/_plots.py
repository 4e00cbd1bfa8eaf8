"""Plots of a fitted map: the loss curves and the map itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.core.arrays._numbers import as_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_CLASSES = 20  # colours of matplotlib's palette tab20
_TITLES = {
    "loss": "UMAP cross entropy",
    "reconstruction_loss": "reconstruction",
    "val_reconstruction_loss": "reconstruction, held out",
}


def plot_loss(history: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """Plot every loss over the entries of the history; see `ParametricUMAP.plot_loss`."""
    ax = _axes(ax)
    for name, values in history.items():
        ax.plot(np.arange(1, len(values) + 1), values, label=_TITLES.get(name, name))
    ax.set_xlabel("report")
    ax.set_ylabel("cross entropy" if len(history) == 1 else "loss")
    if len(history) > 1:
        ax.legend(frameon=False)
    return ax


def plot_map(embedding: np.ndarray, ax: Axes | None = None, labels: Any = None) -> Axes:
    """Plot the first two dimensions of a map; see `ParametricUMAP.plot`."""
    ax = _axes(ax)
    second = embedding[:, 1] if embedding.shape[1] > 1 else np.zeros(len(embedding))
    size = float(np.clip(40_000 / len(embedding), 1.0, 20.0))
    style: dict[str, Any] = {"s": size, "linewidths": 0, "rasterized": len(embedding) > 5_000}
    values = None if labels is None else as_array(labels, "labels").ravel()
    if values is not None and len(values) != len(embedding):
        raise InvalidInputError(
            f"labels must have one entry for each of {len(embedding)} samples; got {len(values)}. "
            "Give the labels of the samples that were fitted."
        )
    if values is None:
        ax.scatter(embedding[:, 0], second, color="0.35", **style)
    elif _are_classes(values):
        _scatter_classes(ax, embedding[:, 0], second, values, style)
    else:
        drawn = ax.scatter(embedding[:, 0], second, c=values, cmap="viridis", **style)
        ax.figure.colorbar(drawn, ax=ax, fraction=0.04)
    ax.set_aspect("equal", adjustable="datalim")
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel("map 1")
    ax.set_ylabel("map 2")
    return ax


def _are_classes(values: np.ndarray) -> bool:
    return values.dtype.kind in "OUSb" or len(np.unique(values)) <= _MOST_CLASSES


def _scatter_classes(
    ax: Axes, x: np.ndarray, y: np.ndarray, values: np.ndarray, style: dict[str, Any]
) -> None:
    import matplotlib as mpl

    if values.dtype.kind == "O":  # mixed types, or text with missing values, cannot be sorted
        values = values.astype(str)
    classes, index = np.unique(values, return_inverse=True)
    palette = mpl.colormaps["tab10" if len(classes) <= 10 else "tab20"]
    colors = np.asarray([palette(k % palette.N) for k in range(len(classes))])
    ax.scatter(x, y, c=colors[index], **style)
    if len(classes) > _MOST_CLASSES:
        return  # colours repeat, and a legend would cover the map
    handles = [
        mpl.lines.Line2D([], [], marker="o", linestyle="", color=color, label=str(name))
        for name, color in zip(classes, colors, strict=True)
    ]
    ax.legend(handles=handles, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]
