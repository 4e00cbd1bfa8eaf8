"""What a drawn part costs in quality, and what fit and transform of a file take in memory.

python benchmarks/larger_than_memory.py quality    # Fashion-MNIST, 20,000 images, parts of them
python benchmarks/larger_than_memory.py memory     # 300,000 x 784 bytes in a file
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N_TRAIN, PARTS = 20_000, (20_000, 10_000, 5_000, 2_500)
N_LARGE, N_FEATURES = 300_000, 784
STEPS = ("import", "transform", "fit")


def quality() -> None:
    import _datasets
    from _child import scores
    from embedscope import ParametricUMAP

    split = _datasets.fashion_mnist(N_TRAIN)
    for part in PARTS:
        model = ParametricUMAP(random_state=0, max_graph_samples=part)
        start = time.process_time()
        train_map = model.fit_transform(split.train)
        seconds = time.process_time() - start
        found = scores(split, train_map, model.transform(split.held_out))
        print(json.dumps({"drawn": part, "processor_seconds": round(seconds), **found}), flush=True)


def write_large(file: Path) -> None:
    """Noisy mixtures of a few patterns, so that there are neighbours."""
    rng = np.random.default_rng(0)
    patterns = rng.random((10, N_FEATURES), dtype=np.float32) * 200
    stored = np.lib.format.open_memmap(file, "w+", np.uint8, (N_LARGE, N_FEATURES))
    for start in range(0, N_LARGE, 10_000):
        weights = rng.dirichlet(np.full(10, 0.2), 10_000).astype(np.float32)
        noise = rng.integers(0, 40, (10_000, N_FEATURES), dtype=np.uint8)
        stored[start : start + 10_000] = (weights @ patterns).astype(np.uint8) + noise


def measure(step: str, folder: Path) -> None:
    """Run one step in this process, and print its peak memory."""
    from embedscope import ParametricUMAP, load_ParametricUMAP

    X = np.load(folder / "large.npy", mmap_mode="r")
    model = ParametricUMAP(random_state=0, max_graph_samples=10_000, n_epochs=50)
    if step == "import":
        model.fit(X[:10_000]).save(folder / "model")
    elif step == "transform":
        load_ParametricUMAP(folder / "model").transform(X)
    else:
        model.fit(X)
    kib = {}
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        kib[name] = value.split()[0] if value.split() else ""
    anonymous = int(kib["RssAnon"]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "step": step,
                "peak_mib": round(peak),
                "anonymous_mib_at_end": round(anonymous),
                "processor_seconds": round(time.process_time()),
            }
        )
    )


def memory() -> None:
    with tempfile.TemporaryDirectory() as private:
        folder = Path(private)
        write_large(folder / "large.npy")
        size = (folder / "large.npy").stat().st_size / 2**20
        print(json.dumps({"file_mib": round(size), "as_float32_mib": round(4 * size)}))
        for step in STEPS:
            subprocess.run([sys.executable, __file__, step, private], check=True)


if __name__ == "__main__":
    if sys.argv[1] in STEPS:
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        {"quality": quality, "memory": memory}[sys.argv[1]]()
