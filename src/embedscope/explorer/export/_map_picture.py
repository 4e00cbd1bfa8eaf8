"""A picture of the map with colours, legend, gates and selection, for slides and papers."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope.explorer.coloring._colors import Coloring
from embedscope.explorer.marks._gates import GateSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
_SIZE_INCHES = (6.4, 4.8)  # the default of matplotlib
_MOST_LEGEND_LINES = 15
_MOST_SHAPES = 20_000  # more points are rasterized, so that programs can open a vector file
_HIGHLIGHT = "#d55e00"
_INK, _CROSS = "#222222", "x"


def draw_map(
    positions: npt.NDArray[Any],
    coloring: Coloring,
    selected: npt.NDArray[np.bool_],
    novel: npt.NDArray[np.bool_],
    gates: GateSet,
    *,
    kind: str = "png",
    dpi: int = 150,
) -> bytes:
    """Plot the map.

    Without pyplot, whose state belongs to the user and which works in one thread only.

    Parameters
    ----------
    positions : ndarray of shape (n, 2), float32
        Map coordinates; NaN for samples without a position.
    coloring : Coloring
        Of these samples.
    selected : ndarray of shape (n,), bool
        These get a ring.
    novel : ndarray of shape (n,), bool
        These get a cross: they are unlike the training samples.
    gates : GateSet
    kind : {"png", "svg", "pdf"}
    dpi : int, default=150
        Pixels per inch; the picture is 6.4 x 4.8 inches.

    Returns
    -------
    bytes
        The file's contents.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_color("0.8")
    placed = np.isfinite(positions).all(axis=1)
    if placed.any():
        shown = placed & (coloring.rgba[:, 3] > 0)
        _draw_points(axes, positions, coloring, shown, selected)
        crossed = shown & novel
        _draw_crosses(axes, positions[crossed], len(positions))
        _draw_gates(axes, gates)
        _draw_legend(figure, axes, coloring, int(crossed.sum()))
    else:
        axes.text(0.5, 0.5, "No map yet", ha="center", va="center", transform=axes.transAxes)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind)
    return buffer.getvalue()


def _draw_points(
    axes: Axes,
    positions: npt.NDArray[Any],
    coloring: Coloring,
    shown: npt.NDArray[np.bool_],
    selected: npt.NDArray[np.bool_],
) -> None:
    size = _point_area(len(positions))
    many = len(positions) > _MOST_SHAPES
    colors = coloring.rgba[shown] / 255
    x, y = positions.T
    axes.scatter(x[shown], y[shown], s=size, c=colors, linewidths=0, rasterized=many)
    chosen = selected & shown
    if chosen.any():
        axes.scatter(
            x[chosen],
            y[chosen],
            s=size + 12,
            facecolors="none",
            edgecolors=_HIGHLIGHT,
            linewidths=0.7,
            rasterized=many,
        )


def _draw_crosses(axes: Axes, places: npt.NDArray[Any], n_points: int) -> None:
    x, y = places.T
    axes.scatter(
        x,
        y,
        s=_point_area(n_points) + 10,
        c=_INK,
        marker=_CROSS,
        linewidths=0.8,
        rasterized=len(places) > _MOST_SHAPES,
    )


def _point_area(n_points: int) -> float:
    """In square points: small in a large map, so that points do not cover each other."""
    return float(np.clip(20_000 / n_points, 0.2, 20))


def _draw_gates(axes: Axes, gates: GateSet) -> None:
    from matplotlib.patches import Polygon

    for gate in gates:
        if gate.polygon is not None:
            axes.add_patch(Polygon(gate.polygon, fill=False, edgecolor=gate.color, linewidth=1.2))
            top = gate.polygon[gate.polygon[:, 1].argmax()]
            axes.annotate(gate.name, top, color=gate.color, ha="center", va="bottom", fontsize=8)


def _draw_legend(figure: Figure, axes: Axes, coloring: Coloring, n_novel: int) -> None:
    """Classes and crosses beside the map; or a colour bar beside it, and crosses below."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.lines import Line2D

    if coloring.limits is not None:
        mappable = ScalarMappable(Normalize(*coloring.limits), coloring.colormap)
        figure.colorbar(mappable, ax=axes, label=coloring.title, shrink=0.7)
    entries = [entry for entry in coloring.legend if entry.visible]
    listed = entries[:_MOST_LEGEND_LINES] if len(entries) > 1 else []
    marks = [("o", entry.color, entry.label) for entry in listed]
    if n_novel:
        marks.append((_CROSS, _INK, f"unlike those trained on ({n_novel:,})"))
    if not marks:
        return
    handles = [
        Line2D([], [], marker=marker, linestyle="", color=color, label=label)
        for marker, color, label in marks
    ]
    if not listed:
        figure.legend(handles=handles, loc="outside lower center", frameon=False)
        return
    left = len(entries) - len(listed)
    title = f"{coloring.title} (and {left} more)" if left else coloring.title
    figure.legend(handles=handles, title=title, loc="outside right upper", frameon=False)
