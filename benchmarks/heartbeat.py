"""How long the main thread is blocked while a run trains in its worker thread.

The main thread has a timer of 10 ms, like a window or a kernel, while 60,000 samples of 28 x 28
pixels are trained. For comparison, the same is measured with the training in another process: that
is the share of the machine.

    python benchmarks/heartbeat.py [--samples 60000] [--table] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from _datasets import fashion_mnist
from embedscope.samples import samples_from_array
from embedscope.training import TrainingRun

_BEAT_S = 0.01
_N_WORST = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=60_000)
    parser.add_argument("--table", action="store_true", help="rows of numbers, not pictures")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    parser.add_argument("--train-only", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    run = _make_run(options)
    if options.train_only:
        run.start()
        run.wait()
        return
    beats = _beat_while_training(run)
    command = [sys.executable, __file__, "--train-only", "--samples", str(options.samples)]
    other = subprocess.Popen([*command, *(["--table"] if options.table else [])])
    alone = _beat(lambda: other.poll() is None, lambda: "")
    figures = {
        "samples": options.samples,
        "kind": "table" if options.table else "pictures",
        "training": _summary(beats),
        "beside_another_process": _summary(alone),
        "snapshot_share": run.snapshot_share,
        "phase": run.status.phase.value,
    }
    text = json.dumps(figures, indent=1)
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n")


def _make_run(options: argparse.Namespace) -> TrainingRun:
    import embedscope.core.fitting._fitting  # noqa: F401 - TensorFlow's import is not what is measured

    X = fashion_mnist(options.samples).train
    pictures = X.reshape(-1, 28, 28, 1)
    return TrainingRun(samples_from_array(X if options.table else pictures))


def _beat_while_training(run: TrainingRun) -> list[tuple[float, str]]:
    began = time.perf_counter()
    run.start()

    def where() -> str:
        status = run.status
        seconds = time.perf_counter() - began
        return f"{seconds:.1f} s, {status.phase.value}, {status.fraction:.3f}"

    return _beat(lambda: not run.status.phase.is_finished, where)


def _beat(goes_on: Callable[[], bool], where: Callable[[], str]) -> list[tuple[float, str]]:
    """Seconds between beats, and the phase of the run."""
    beats = []
    last = time.perf_counter()
    while goes_on():
        time.sleep(_BEAT_S)
        now = time.perf_counter()
        beats.append((now - last, where()))
        last = now
    return beats


def _summary(beats: list[tuple[float, str]]) -> dict[str, Any]:
    milliseconds = 1e3 * np.array([seconds for seconds, _ in beats])
    worst = sorted(beats, reverse=True)[:_N_WORST]
    return {
        "seconds": round(float(milliseconds.sum()) / 1e3, 1),
        "median_ms": round(float(np.median(milliseconds)), 1),
        "p99_ms": round(float(np.percentile(milliseconds, 99)), 1),
        "max_ms": round(float(milliseconds.max()), 1),
        "n_above_30_ms": int((milliseconds > 30).sum()),
        "worst": [f"{1e3 * seconds:.0f} ms at {where}" for seconds, where in worst if where],
    }


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
