"""The demo's pictures, one function each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope.cli._style import DARK, INK, PHASE_COLORS, SETTINGS, as_map, as_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Title, colour and line of each loss.
_LOSSES = {
    "loss": ("UMAP cross entropy", "#4145ab", "-"),
    "reconstruction_loss": ("by position, cells trained on", "#2b9cc4", "-"),
    "val_reconstruction_loss": ("by position, cells held out", "#2b9cc4", "--"),
    "style_reconstruction_loss": ("with own style code, cells trained on", "#ea7a2d", "-"),
    "val_style_reconstruction_loss": ("with own style code, cells held out", "#ea7a2d", "--"),
}
_GREY = {"cmap": "gray", "vmin": 0.0, "vmax": 1.0}


def _figure(width: float, height: float) -> Figure:
    """A figure without a window, independent of the user's backend."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def in_style(draw: Any) -> Any:
    """Save the figure of `draw`, made with the demo's settings only for this call."""
    from functools import wraps

    @wraps(draw)
    def styled(path: Path, *args: Any, **kwargs: Any) -> None:
        import matplotlib as mpl

        with mpl.rc_context(SETTINGS):
            draw(*args, **kwargs).savefig(path, dpi=130)

    return styled


@in_style
def draw_map(
    positions: np.ndarray, phase: np.ndarray, phase_names: Sequence[str], total_dna: np.ndarray
) -> Figure:
    """The map twice: coloured by cell-cycle phase and by DNA content."""
    figure = _figure(14, 6.4)
    left, right = figure.subplots(1, 2)
    scatter_phases(left, positions, phase, phase_names)
    as_map(left, "Cell-cycle phase")
    low, high = np.percentile(total_dna, [1, 99])
    drawn = right.scatter(
        positions[:, 0],
        positions[:, 1],
        c=total_dna,
        s=14,
        linewidths=0,
        cmap="viridis",
        vmin=low,
        vmax=high,
    )
    bar = figure.colorbar(drawn, ax=right, fraction=0.035, pad=0.02)
    bar.set_label("total DNA fluorescence (counts)")
    as_map(right, "DNA content")
    return figure


def scatter_phases(
    ax: Axes, positions: np.ndarray, phase: np.ndarray, phase_names: Sequence[str]
) -> None:
    """Cells as points in the colours of their phases, the rare phases larger and on top."""
    for k, name in enumerate(phase_names):
        chosen = phase == k
        is_rare = k >= 3
        ax.scatter(
            positions[chosen, 0],
            positions[chosen, 1],
            color=PHASE_COLORS[k],
            label=f"{name} ({chosen.sum()})",
            s=34 if is_rare else 14,
            linewidths=0.6 if is_rare else 0.0,
            edgecolors="white",
        )
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handletextpad=0.2)


@in_style
def draw_cells_on_map(positions: np.ndarray, crops: np.ndarray, background: np.ndarray) -> Figure:
    """Real cells at their positions, as many as fit without overlap."""
    low, high = np.percentile(positions, [0.2, 99.8], axis=0)
    width, height = 11.0 * (high - low) / np.sqrt(np.prod(high - low))
    figure = _figure(width, height + 0.5)
    ax = figure.subplots()
    ax.set_facecolor(DARK)
    size = float(np.sqrt(np.prod(high - low))) / 21
    shown = _spread_out(positions, size * 0.92)
    for picture, (x, y) in zip(as_picture(crops[shown], background), positions[shown], strict=True):
        ax.imshow(
            picture, extent=(x - size / 2, x + size / 2, y - size / 2, y + size / 2), zorder=2
        )
    ax.scatter(positions[:, 0], positions[:, 1], s=2, color="#5a6270", linewidths=0, zorder=1)
    as_map(ax, f"{len(shown)} of {len(positions)} real cells at their positions")
    ax.set_aspect("equal", adjustable="box")
    ax.set_xlim(low[0] - size, high[0] + size)
    ax.set_ylim(low[1] - size, high[1] + size)
    return figure


def _spread_out(positions: np.ndarray, distance: float) -> np.ndarray:
    """Rows of cells of which no two are closer than `distance`."""
    chosen: list[int] = []
    for k, position in enumerate(positions):
        taken = positions[chosen]
        if not len(taken) or np.abs(taken - position).max(axis=1).min() >= distance:
            chosen.append(k)
    return np.asarray(chosen)


@in_style
def draw_losses(history: Mapping[str, Sequence[float]]) -> Figure:
    """Each loss over the reports of the run."""
    figure = _figure(12, 4)
    first, second = figure.subplots(1, 2)
    for name, values in history.items():
        ax = first if name == "loss" else second
        title, color, line = _LOSSES[name]
        reports = np.arange(1, len(values) + 1)
        ax.plot(reports, values, line, marker="o", markersize=4, label=title, color=color)
    first.set_title("The map")
    first.set_ylabel("cross entropy")
    second.set_title("The decoder (1: no better than the mean cell)")
    second.set_ylabel("share of the variance not explained")
    second.set_ylim(0.0, None)
    for ax in (first, second):
        ax.set_xlabel("report")
        ax.legend()
    return figure


@in_style
def draw_reconstructions(
    rows: Mapping[str, np.ndarray],
    titles: Sequence[str],
    channel_names: Sequence[str],
    heading: str,
) -> Figure:
    """Unseen cells, and below them the decoded pictures of each, channel by channel.

    Arrays in `rows` have the shape (n_cells, height, width, n_channels); the last are differences.
    """
    n_cells, n_channels = len(titles), len(channel_names)
    figure = _figure(0.82 * n_cells + 2.6, 0.82 * n_channels * len(rows) + 1.2)
    grid = figure.subplots(
        n_channels * len(rows), n_cells, gridspec_kw={"wspace": 0.02, "hspace": 0.02}
    )
    for part, (kind, crops) in enumerate(rows.items()):
        is_difference = part == len(rows) - 1
        look = {"cmap": "RdBu_r", "vmin": -0.25, "vmax": 0.25} if is_difference else _GREY
        for channel, name in enumerate(channel_names):
            row = n_channels * part + channel
            for cell in range(n_cells):
                ax = grid[row, cell]
                ax.imshow(crops[cell, ..., channel], **look)
                ax.set_axis_off()
                if row == 0:
                    ax.set_title(titles[cell], fontsize=9, loc="center")
            _name_row(grid[row, 0], f"{kind}\n{name}")
    figure.suptitle(heading)
    return figure


def _name_row(ax: Axes, text: str) -> None:
    ax.text(
        -0.15, 0.5, text, transform=ax.transAxes, ha="right", va="center", fontsize=8, color=INK
    )


@in_style
def draw_grid(
    corners: np.ndarray, decoded: np.ndarray, supported: np.ndarray, background: np.ndarray
) -> Figure:
    """Cells decoded at the points of a grid, without those far from any real cell."""
    n_rows, n_columns = supported.shape
    figure = _figure(0.62 * n_columns + 0.6, 0.62 * n_rows + 0.9)
    ax = figure.subplots()
    ax.set_facecolor(DARK)
    (left, bottom), (right, top) = corners
    width, height = (right - left) / n_columns, (top - bottom) / n_rows
    pictures = as_picture(decoded.reshape(-1, *decoded.shape[2:]), background)
    for k in np.flatnonzero(supported.ravel()):
        row, column = divmod(int(k), n_columns)
        x, y = left + column * width, top - row * height
        ax.imshow(pictures[k], extent=(x, x + width, y - height, y))
    as_map(ax, "The decoded typical cell at each point of the map")
    ax.set_aspect("equal", adjustable="box")
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    return figure


@in_style
def draw_held_out(
    positions: np.ndarray,
    held_out: np.ndarray,
    phase: np.ndarray,
    phase_names: Sequence[str],
    accuracy: float,
) -> Figure:
    """Cells that were held out, at positions from the model that was loaded from disk."""
    figure = _figure(9.5, 6.8)
    ax = figure.subplots()
    ax.scatter(positions[:, 0], positions[:, 1], s=10, color="#d5d9df", linewidths=0)
    scatter_phases(ax, held_out, phase, phase_names)
    as_map(ax, f"Cells held out, on the same map: phase right for {100 * accuracy:.0f} % (15-NN)")
    return figure
