"""The time of the dock's map to show, recolour, pan and select a million points.

    xvfb-run -a -s "-screen 0 1280x1024x24" python benchmarks/napari_map.py

Each time is from the change to the frame that shows it, median of several, on a map of 384 x 400
pixels. For comparison, in the same run: panning with the markers of vispy, which the map would use
without `PixelLayer`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from statistics import median

import numpy as np
from qtpy.QtWidgets import QApplication
from vispy.scene.visuals import Markers

from embedscope.napari_dock.map._map_view import MapView

SIDES_PX = (384, 400)
REPEATS = 7
SHOWN_BOX = np.array([-3.0, -3.0]), np.array([19.0, 19.0])


def clusters(n_points: int) -> np.ndarray:
    """Eight clouds along a diagonal."""
    rng = np.random.default_rng(0)
    return (rng.normal(size=(n_points, 2)) + 2 * rng.integers(0, 8, (n_points, 1))).astype("f4")


def timed(view: MapView, change: Callable[[int], None]) -> float:
    """Median seconds from a change to its frame."""
    seconds = []
    for turn in range(REPEATS):
        began = time.perf_counter()
        change(turn)
        view.native.grabFramebuffer()
        seconds.append(time.perf_counter() - began)
    return round(median(seconds), 4)


def measure(view: MapView, n_points: int) -> dict[str, float]:
    """All changes on a map of so many points."""
    positions = clusters(n_points)
    colors = np.random.default_rng(1).integers(0, 255, (2, n_points, 4)).astype(np.uint8)
    colors[..., 3] = 255

    def move(turn: int) -> None:
        view.set_positions(positions + np.float32(0.01 * turn))

    def pan(turn: int) -> None:
        view.pan((100, 100), (101 + turn % 2, 100))

    def select(turn: int) -> None:
        view.points.set_selected(np.arange(turn, n_points, 3))

    times = {"move_s": timed(view, move)}
    times["recolour_s"] = timed(view, lambda turn: view.points.set_colors(colors[turn % 2]))
    times["pan_s"] = timed(view, pan)
    times["select_a_third_s"] = timed(view, select)
    view.set_positions(np.zeros((0, 2), np.float32))
    return times


def pan_markers(view: MapView, n_points: int) -> float:
    """The same panning with the markers of vispy."""
    markers = Markers(parent=view.points._every._parent, antialias=0)
    markers.set_gl_state("translucent", depth_test=False)
    markers.set_data(pos=clusters(n_points), face_color=(0.3, 0.6, 0.9, 1), size=2, edge_width=0)
    view.show_box(*SHOWN_BOX)
    seconds = timed(view, lambda turn: view.pan((100, 100), (101 + turn % 2, 100)))
    markers.parent = None
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, nargs="+", default=[100_000, 1_000_000])
    arguments = parser.parse_args()
    application = QApplication([])
    view = MapView()
    view.native.resize(*SIDES_PX)
    view.native.show()
    application.processEvents()
    for n_points in arguments.points:
        times = {"n_points": n_points, **measure(view, n_points)}
        print(json.dumps(times | {"pan_markers_s": pan_markers(view, n_points)}))


if __name__ == "__main__":
    main()
