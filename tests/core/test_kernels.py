"""The parallel kernels release the interpreter lock, and only one runs at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pytest
from scipy import sparse

from embedscope.core.graph._exact_search import smallest, squared_distances
from embedscope.core.layout._layout import Layout, Objective

SOURCE = Path(__file__).parents[2] / "src"

# Without turns, workqueue ends the process: "Concurrent access has been detected".
TWO_THREADS = """
import threading
import numba, numpy as np
from scipy import sparse
from embedscope.core.graph._exact_search import euclidean_neighbors
from embedscope.core.layout._layout import Layout, Objective

rng = np.random.default_rng(0)
X = rng.normal(size=(1500, 8)).astype(np.float32)
graph = sparse.random(1500, 1500, 0.01, format="csr", dtype=np.float32, random_state=0)
wanted = euclidean_neighbors(X, 10, lambda fraction: None)[0]
layout = Layout(graph, Objective(1.5, 0.9), 0)
layout.epoch(X[:, :2], 1.0)  # compiled before the race begins
same = []

def search():
    for _ in range(20):
        found = euclidean_neighbors(X, 10, lambda fraction: None)[0]
        same.append((found == wanted).all())

def lay_out():
    for _ in range(300):
        layout.epoch(X[:, :2], 1.0)

threads = [threading.Thread(target=work) for work in (search, lay_out, search, lay_out)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(numba.threading_layer(), all(same), len(same))
"""


def test_two_threads_at_once_do_not_end_the_process() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", TWO_THREADS],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "NUMBA_THREADING_LAYER": "workqueue",
            "NUMBA_NUM_THREADS": "2",
        },
        timeout=300,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == ["workqueue", "True", "40"]


def beats_during(work: Callable[[], object]) -> tuple[int, float]:
    """How often another thread ran while `work` ran in this one, and the seconds that it took."""
    n_beats = 0
    stop = threading.Event()

    def beat() -> None:
        nonlocal n_beats
        while not stop.wait(0.002):
            n_beats += 1

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        started = time.perf_counter()
        before = n_beats
        work()
        beats = n_beats - before
        return beats, time.perf_counter() - started
    finally:
        stop.set()
        heart.join()


def lay_out_long() -> Callable[[], object]:
    n_samples, degree = 300_000, 20
    rng = np.random.default_rng(0)
    tails = rng.integers(n_samples, size=(n_samples, degree)).astype(np.int32)
    indptr = np.arange(n_samples + 1) * degree
    ones = np.ones(n_samples * degree, dtype=np.float32)
    graph = sparse.csr_matrix((ones, tails.ravel(), indptr), (n_samples, n_samples))
    layout = Layout(graph, Objective(1.5, 0.9), 0)
    positions = rng.normal(size=(n_samples, 2)).astype(np.float32)
    return lambda: layout.epoch(positions, 1.0)


def select_long() -> Callable[[], object]:
    # Descending, so that every score takes the place of another.
    scores = np.tile(np.arange(10_000.0, 0.0, -1.0, dtype=np.float32), (300, 1))
    chosen = np.empty((300, 100), dtype=np.int32)
    return lambda: smallest(scores, 100, chosen)


def measure_long() -> Callable[[], object]:
    X = np.random.default_rng(0).normal(size=(2000, 1000)).astype(np.float32)
    candidates = np.tile(np.arange(1500, dtype=np.int32), (2000, 1))
    squared = np.empty(candidates.shape, dtype=np.float32)
    return lambda: squared_distances(X, np.arange(2000), candidates, squared)


@pytest.mark.speed
@pytest.mark.parametrize("prepare", [lay_out_long, select_long, measure_long])
def test_other_threads_go_on_while_a_kernel_runs(
    prepare: Callable[[], Callable[[], object]],
) -> None:
    work = prepare()
    work()  # compiles, which holds the lock
    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)  # longer, and one core is left for the other thread
    try:
        beats, seconds = beats_during(work)
    finally:
        numba.set_num_threads(n_threads)
    assert seconds > 0.05
    # A kernel that held the lock would allow one beat at most.
    assert beats > max(2, 30 * seconds)
