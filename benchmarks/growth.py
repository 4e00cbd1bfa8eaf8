"""How time and memory of a fit grow with the number of samples.

    python benchmarks/growth.py                             # 10,000 to 1,000,000 samples
    python benchmarks/growth.py --sizes 10000 30000 100000
    python benchmarks/growth.py --graph-only                # stops when the graph is built

The samples are pictures of 28 x 28 bytes, each between two neighbouring pictures of Fashion-MNIST,
with noise. Each fit is a process of its own. It imports TensorFlow, loads the samples and makes a
small fit, which fills the caches of compiled code, before time and memory are measured. Memory is
that of the process and its children together. The exponent p of time ~ n^p is the slope of a
straight line through the logarithms of all sizes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import _datasets

RESULTS = Path(__file__).parent / "results" / "growth.json"
SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
BLOCK = 10_000
NOISE = 6.0  # standard deviation of a pixel that is not black, of 255
POLL_S = 0.02


def write_pictures(path: Path, n_pictures: int) -> None:
    """Write pictures to a file of numpy's format; the first n of them are a sample of all."""
    from embedscope.core.graph import NeighborSearch, nearest_neighbors

    scaled = _datasets.fashion_mnist(60_000).train
    neighbors, _ = nearest_neighbors(scaled, NeighborSearch(9))
    originals = np.round(255 * scaled).astype(np.float32)
    rng = np.random.default_rng(0)
    shape = (n_pictures, originals.shape[1])
    pictures = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    for start in range(0, n_pictures, BLOCK):
        n_rows = min(BLOCK, n_pictures - start)
        one = rng.integers(len(originals), size=n_rows)
        other = neighbors[one, rng.integers(1, neighbors.shape[1], size=n_rows)]
        share = rng.random((n_rows, 1), dtype=np.float32)
        mixed = share * originals[one] + (1 - share) * originals[other]
        mixed += (mixed > 0) * rng.normal(0, NOISE, mixed.shape).astype(np.float32)
        pictures[start : start + n_rows] = np.clip(mixed, 0, 255)
    pictures.flush()


def resident_mb() -> float:
    """Memory resident now in this process and its children, in MB."""
    children = [
        child
        for tasks in Path("/proc/self/task").glob("*/children")
        for child in tasks.read_text().split()
    ]
    pages = 0
    for process in ["self", *children]:
        try:
            pages += int(Path(f"/proc/{process}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class PeakMemory:
    """Highest resident memory while it is entered, in MB."""

    def __enter__(self) -> PeakMemory:
        self.peak_mb = self.start_mb = resident_mb()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._ended.wait(POLL_S):
            self.peak_mb = max(self.peak_mb, resident_mb())

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()


def measure(path: Path, n_samples: int, *, graph_only: bool) -> dict:
    """Fit the first samples of a file, and measure each phase."""
    import embedscope.core.fitting._fitting  # noqa: F401 - TensorFlow
    from embedscope import ParametricUMAP
    from embedscope._errors import StoppedError
    from embedscope.core.graph._clustered_search import clustered_neighbors

    X = np.load(path, mmap_mode="r")[:n_samples].copy()
    few = X[:600].astype(np.float32)
    ParametricUMAP().fit(few)
    clustered_neighbors(few, 15, lambda fraction: None)
    began: dict[str, float] = {}

    def note_phase(report) -> bool:
        began.setdefault(report.phase, time.perf_counter())
        return graph_only and report.phase != "graph"

    with PeakMemory() as memory:
        start = time.perf_counter()
        try:
            ParametricUMAP(progress=note_phase).fit(X)
        except StoppedError:
            if not graph_only:
                raise
        end = time.perf_counter()
    names = list(began)
    ends = [*(began[name] for name in names[1:]), end]
    phases = {name: stop - began[name] for name, stop in zip(names, ends, strict=True)}
    return {
        "n_samples": n_samples,
        "fit_s": end - start,
        "seconds": {"graph": phases["graph"]} if graph_only else phases,
        "data_mb": X.nbytes / 1e6,
        "memory_start_mb": memory.start_mb,
        "memory_peak_mb": memory.peak_mb,
        "memory_above_start_mb": memory.peak_mb - memory.start_mb,
    }


def exponent(runs: list[dict], seconds: list[float]) -> float:
    """The p of seconds ~ n_samples^p."""
    sizes = [run["n_samples"] for run in runs]
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--graph-only", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)  # in the process of a fit
    arguments = parser.parse_args()
    if arguments.measure:
        result = measure(arguments.measure, arguments.sizes[0], graph_only=arguments.graph_only)
        sys.stdout.write("\n" + json.dumps(result) + "\n")
        return
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pictures.npy"
        write_pictures(path, max(arguments.sizes))
        for size in sorted(arguments.sizes):
            command = [sys.executable, __file__, "--measure", str(path), "--sizes", str(size)]
            command += ["--graph-only"] if arguments.graph_only else []
            finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            runs.append(json.loads(finished.stdout.splitlines()[-1]))
            sys.stdout.write(json.dumps(runs[-1]) + "\n")
            sys.stdout.flush()
    results = {"n_cores": os.cpu_count(), "graph_only": arguments.graph_only, "runs": runs}
    if len(runs) > 1:
        phases = runs[0]["seconds"]
        results["exponents"] = {
            name: exponent(runs, [run["seconds"][name] for run in runs]) for name in phases
        } | ({} if arguments.graph_only else {"fit": exponent(runs, [r["fit_s"] for r in runs])})
        sys.stdout.write(json.dumps(results["exponents"]) + "\n")
    arguments.out.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
