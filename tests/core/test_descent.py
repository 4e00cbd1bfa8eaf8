"""pynndescent in its own process: it finds neighbours, never blocks, and ends on request."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist

from embedscope._errors import InvalidInputError
from embedscope.core.arrays import _rows
from embedscope.core.graph import _neighbors
from embedscope.core.graph._descent import descent_search
from embedscope.core.graph._distances import NeighborSearch
from embedscope.core.graph._neighbors import nearest_neighbors

# A typical user's script: it defines the metric, and its last lines have no guard against a process
# that imports it again.
SCRIPT = """
import time
from pathlib import Path
import numpy as np
from scipy.spatial.distance import cdist
from embedscope.core.graph._distances import NeighborSearch
from embedscope.core.graph._neighbors import nearest_neighbors

print("script runs")

def city_block(x, y):
    total = 0.0
    for i in range(x.shape[0]):
        total += abs(x[i] - y[i])
    return total

X = np.random.default_rng(0).normal(size=(1500, 5)).astype(np.float32)
times = []
indices, distances = nearest_neighbors(
    X, NeighborSearch(15, city_block), lambda fraction: times.append(time.perf_counter())
)
pairs = cdist(X, X, "cityblock")
nearest = np.argsort(pairs, axis=1)[:, :15]
recall = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(indices, nearest)])
print("recall", recall >= 0.95)
print("own first", (indices[:, 0] == np.arange(1500)).all())
print("distances", np.allclose(distances, np.take_along_axis(pairs, indices, 1), rtol=1e-4))
print("was never blocked", max(np.diff(times)) < 5.0)  # it polls every 0.1 s
"""


def workers() -> set[int]:
    """Child processes of this one that search, without those of joblib's bookkeeping."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            command = (process / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
        if parent == os.getpid() and command and "resource_tracker" not in command:
            found.add(int(process.name))
    return found


def ends(process: int, timeout_s: float) -> bool:
    """Whether a process ends in time: its descriptor then becomes readable."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True  # ended already
    try:
        return bool(select.select([descriptor], [], [], timeout_s)[0])
    finally:
        os.close(descriptor)


class Stop(Exception):
    pass


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="finds and awaits processes as on Linux")
def test_a_report_that_raises_ends_the_search_and_its_process(rng: np.random.Generator) -> None:
    X = rng.normal(size=(3000, 5)).astype(np.float32)
    before = workers()
    seen: set[int] = set()

    def stop_once_it_runs(fraction: float) -> None:
        assert fraction == 0.0
        seen.update(workers() - before)
        if seen:
            raise Stop

    started = time.monotonic()
    with pytest.raises(Stop):
        descent_search(X, NeighborSearch(15, "manhattan"), stop_once_it_runs)
    assert time.monotonic() - started < 30  # the search itself takes longer to compile
    assert seen
    assert all(ends(process, timeout_s=10) for process in seen)


def uncompilable(x: np.ndarray, y: np.ndarray) -> float:
    return float(open("distances.txt").read())


def without_a_number(x: np.ndarray, y: np.ndarray) -> str:
    return "far"


@pytest.mark.parametrize(
    ("metric", "reason"), [(uncompilable, "TypingError: .*open"), (without_a_number, "ValueError")]
)
def test_an_unsuitable_function_is_refused_before_a_process_starts(
    rng: np.random.Generator,
    monkeypatch: pytest.MonkeyPatch,
    metric: Callable[..., float],
    reason: str,
) -> None:
    monkeypatch.setattr(_neighbors, "_FUNCTION_CALLS", 0)
    X = rng.normal(size=(50, 5)).astype(np.float32)
    reports: list[float] = []
    with pytest.raises(InvalidInputError, match=rf"^metric must work on .*{reason}"):
        nearest_neighbors(X, NeighborSearch(5, metric), reports.append)
    assert not reports


@pytest.mark.long
def test_an_error_in_the_process_is_raised_here(rng: np.random.Generator) -> None:
    X = rng.normal(size=(50, 5)).astype(np.float32)
    search = NeighborSearch(5, "no such metric")
    with pytest.raises(InvalidInputError, match=r"'no such metric'.*ValueError.*recognised string"):
        descent_search(X, search, lambda fraction: None)


@pytest.mark.long
def test_a_function_in_a_script_that_nothing_guards(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    source = Path(__file__).parents[2] / "src"
    finished = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(source)},
        timeout=500,
    )
    assert finished.stdout.splitlines() == [
        "script runs",
        "recall True",
        "own first True",
        "distances True",
        "was never blocked True",
    ], finished.stderr
    assert finished.stderr == ""


@pytest.mark.long
def test_sparse_data_with_a_metric_that_scikit_learn_has_for_dense_data_only(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rows, "_DENSE_VALUES", 0)
    dense = (rng.random((400, 60)) < 0.3).astype(np.float32)
    indices, distances = nearest_neighbors(
        sparse.csr_matrix(dense), NeighborSearch(10, "jaccard", seed=3)
    )
    pairs = cdist(dense != 0, dense != 0, "jaccard")
    np.testing.assert_allclose(distances, np.take_along_axis(pairs, indices, axis=1), atol=1e-5)
    # Many are tied, so the distances count and not the names.
    assert distances.mean() <= np.sort(pairs, axis=1)[:, :10].mean() * 1.01
