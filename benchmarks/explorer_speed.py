"""The time of commands of the explorer at 100,000 samples, in milliseconds.

    python benchmarks/explorer_speed.py
    python benchmarks/explorer_speed.py --samples 1000000

Median and worst of repeated runs. Promised at 100,000 samples: lasso to selection under 20 ms,
nearest under 1 ms, undo under 20 ms. The lasso is also measured with matplotlib's polygon test.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.path import Path

from embedscope.explorer.answers._places import PlaceIndex
from embedscope.explorer.coloring._coloring import color_samples
from embedscope.explorer.coloring._colors import ColorBy
from embedscope.explorer.marks._gates import Gate, GateSet, gate_counts
from embedscope.explorer.marks._regions import in_polygon
from embedscope.explorer.marks._selection import Selection, combine
from embedscope.explorer.marks._undo import UndoStack, UndoState
from embedscope.samples import samples_from_array


def measure(name: str, work: Callable[[], object], n_times: int = 15) -> None:
    work()  # once before, to exclude what is loaded or built only once
    durations = []
    for _ in range(n_times):
        start = time.perf_counter()
        work()
        durations.append(1000 * (time.perf_counter() - start))
    print(f"{name:<45}{np.median(durations):10.2f}{max(durations):10.2f}")


def lasso(n_corners: int) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, n_corners, endpoint=False)
    radius = 1.5 + 0.3 * np.sin(7 * angle)
    return radius[:, np.newaxis] * np.column_stack([np.cos(angle), np.sin(angle)])


def measure_selecting(positions: np.ndarray) -> None:
    current = np.zeros(len(positions), bool)
    for n_corners in (30, 300, 2000):
        polygon = lasso(n_corners)

        def select(polygon: np.ndarray = polygon) -> Selection:
            return Selection.of_mask(combine(current, in_polygon(positions, polygon), "add"))

        measure(f"lasso of {n_corners} corners to selection", select)
        path = Path(np.vstack([polygon, polygon[:1]]))
        measure(
            "   the same test by matplotlib", lambda path=path: path.contains_points(positions), 3
        )
    measure("index of places, built", lambda: PlaceIndex(positions).nearest((0, 0)), 3)
    places = PlaceIndex(positions)
    measure("nearest 1", lambda: places.nearest((0.1, 0.2)), 200)
    measure("nearest 15", lambda: places.nearest((0.1, 0.2), 15), 200)


def measure_undo(positions: np.ndarray, gates: GateSet) -> None:
    mask = in_polygon(positions, lasso(100))
    stack = UndoStack()
    for _ in range(100):
        stack.record("select", UndoState.of(mask, gates))

    def there_and_back() -> Selection:
        undone = stack.undo(UndoState.of(mask, gates))
        again = stack.redo(undone)
        return Selection.of_mask(again.mask)

    measure("undo and redo, 100 deep", there_and_back)


def measure_colors(positions: np.ndarray, gates: GateSet) -> None:
    rng = np.random.default_rng(1)
    n_samples = len(positions)
    features = pd.DataFrame(
        {
            "number": rng.normal(size=n_samples),
            "cluster": rng.integers(0, 12, n_samples),
            "text": rng.choice(["B cell", "T cell", "NK cell"], n_samples),
        }
    )
    samples = samples_from_array(positions, features=features)
    for name in features:
        measure(
            f"colour by a {name}",
            lambda name=name: color_samples(ColorBy("feature", name), samples),
        )
    memberships = gates.memberships(positions)
    by_gate = ColorBy("gate")
    measure("colour by gates", lambda: color_samples(by_gate, samples, memberships, gates=gates))
    measure("counts of 10 gates", lambda: gate_counts(memberships, samples.identities))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100_000)
    n_samples = parser.parse_args().samples
    positions = np.random.default_rng(0).normal(size=(n_samples, 2)).astype(np.float32)
    gates = GateSet(tuple(Gate(f"gate {i}", polygon=lasso(50) * (i + 1) / 10) for i in range(10)))
    print(f"{f'{n_samples:,} samples, milliseconds':<45}{'median':>10}{'worst':>10}")
    measure_selecting(positions)
    measure("memberships of 10 gates", lambda: gates.memberships(positions))
    measure_undo(positions, gates)
    measure_colors(positions, gates)


if __name__ == "__main__":
    main()
