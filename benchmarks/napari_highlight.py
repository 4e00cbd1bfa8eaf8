"""The time until a lasso is visible on 100,000 objects in napari, completely painted.

    xvfb-run -a -s "-screen 0 1280x1024x24" python benchmarks/napari_highlight.py

For comparison, in the same run: the same highlight by a colormap of the Labels layer with one entry
per object, as in plugins that set `DirectLabelColormap`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median

import napari
import numpy as np
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtWidgets import QApplication

from embedscope.napari_dock.layers._label_overlay import LabelOverlay
from embedscope.napari_dock.layers._label_rows import LabelRows

SIDE_PX = 2048
GRID = 316  # squared: 99,856 objects
REPEATS = 7


def field() -> np.ndarray:
    """Objects on a grid, numbered in random order, with gaps between their ids."""
    cell = np.arange(SIDE_PX) * GRID // SIDE_PX
    place = cell[:, None] * GRID + cell[None, :]
    ids = np.random.default_rng(0).permutation(3 * GRID**2)[: GRID**2] + 1
    labels = ids[place].astype(np.int32)
    edge = np.flatnonzero(np.diff(cell, prepend=-1))
    labels[edge], labels[:, edge] = 0, 0
    return labels


def timed(viewer: napari.Viewer, change: Callable[[int], None], repeats: int) -> float:
    """Median seconds from the change to the frame that shows it."""
    seconds = []
    for turn in range(repeats):
        began = time.perf_counter()
        change(turn)
        viewer.window._qt_viewer.canvas._scene_canvas.render()
        QApplication.processEvents()
        seconds.append(time.perf_counter() - began)
    return median(seconds[1:] or seconds)


def main() -> None:
    """Measure both ways and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--colormap-repeats", type=int, default=2)
    arguments = parser.parse_args()
    labels = field()
    ids = np.unique(labels[labels > 0])
    rng = np.random.default_rng(1)
    lassos = [(rng.random(len(ids)) < 0.3) for _ in range(REPEATS)]

    viewer = napari.Viewer()
    layer = viewer.add_labels(labels, name="cells")
    overlay = LabelOverlay(viewer, layer, LabelRows(ids), "on the map")
    palette = np.zeros((254, 4), np.uint8)
    palette[251] = (255, 179, 71, 255)
    overlay.set_palette(palette)

    def by_overlay(turn: int) -> None:
        overlay.set_codes(np.where(lassos[turn], 251, 0).astype(np.uint8))

    def by_colormap(turn: int) -> None:
        colors = {None: np.zeros(4), 0: np.zeros(4)}
        colors |= {int(k): np.array([1, 0.7, 0.3, 1.0]) for k in ids[lassos[turn]]}
        layer.colormap = DirectLabelColormap(color_dict=defaultdict(lambda: np.zeros(4), colors))

    measured = {
        "n_objects": len(ids),
        "overlay_s": round(timed(viewer, by_overlay, REPEATS), 4),
    }
    overlay.remove()
    measured["layer_colormap_s"] = round(timed(viewer, by_colormap, arguments.colormap_repeats), 4)
    measured["ratio"] = round(measured["layer_colormap_s"] / measured["overlay_s"], 1)
    print(json.dumps(measured))
    viewer.close()


if __name__ == "__main__":
    main()
