"""Compare embedscope and umap-learn 0.5.12 on the same data, in the same run, as ratios.

    python benchmarks/compare_umap_learn.py                     # digits and 10,000 images
    python benchmarks/compare_umap_learn.py --datasets fashion-mnist-60000
    python benchmarks/compare_umap_learn.py --full              # umap-learn to its end, stored

umap-learn's ParametricUMAP takes minutes, and all batches take the same time. So a few hundred
steps are timed and extrapolated; its preparation (neighbours, graph, network) is timed completely.
Its scores come from one full run, which `--full` stores in `results/umap_learn_full.json`. Each fit
runs in a separate process.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results"
FULL_RUNS = RESULTS / "umap_learn_full.json"
SCORES = {
    "trust_train": "trustworthiness, training",
    "trust_held_out": "trustworthiness, held out",
    "knn_held_out": "15-NN accuracy, held out",
}
PEER = "umap-learn.ParametricUMAP"


def measure(implementation: str, dataset: str, *options: str, python: str = sys.executable) -> dict:
    """Run one fit in a separate process, and read the last line of its output."""
    finished = subprocess.run(
        [
            python,
            "-W",
            "ignore",
            str(HERE / "_child.py"),
            implementation,
            dataset,
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise SystemExit(f"{implementation} failed on {dataset}:\n{finished.stderr[-2000:]}")
    return json.loads(finished.stdout.strip().splitlines()[-1])


def stored_full_runs() -> dict:
    return json.loads(FULL_RUNS.read_text()) if FULL_RUNS.exists() else {}


def compare(dataset: str, steps: int, python: str, *, full: bool) -> dict:
    """Measure both on one data set, embedscope before and after umap-learn."""
    runs = [measure("embedscope", dataset, "--seed", "0")]
    if full:
        theirs = measure(PEER, dataset, python=python)
        stored = stored_full_runs() | {dataset: {PEER: theirs}}
        FULL_RUNS.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")
    else:
        theirs = measure(PEER, dataset, "--max-steps", str(steps), python=python)
    runs.append(measure("embedscope", dataset, "--seed", "1"))
    ours = {key: _mean([run[key] for run in runs]) for key in runs[0]}
    quality = stored_full_runs().get(dataset, {}).get(PEER, {})
    return {
        "dataset": dataset,
        "machine": platform.machine(),
        "embedscope": ours,
        PEER: theirs | {key: quality[key] for key in SCORES if key in quality},
        "ratios": {
            "times_faster": theirs["fit_s"] / ours["fit_s"],
            "peak_memory": ours["memory_peak_mb"] / theirs["memory_peak_mb"],
            "memory_of_fit": (ours["memory_peak_mb"] - ours["memory_before_mb"])
            / (theirs["memory_peak_mb"] - theirs["memory_before_mb"]),
        }
        | {key: ours[key] - quality[key] for key in SCORES if key in quality},
    }


def _mean(values: list) -> object:
    """The mean of the values of some runs, of lists and dicts too."""
    if isinstance(values[0], dict):
        return {key: _mean([each[key] for each in values]) for key in values[0]}
    if isinstance(values[0], list):
        return [_mean(list(each)) for each in zip(*values, strict=True)]
    return sum(values) / len(values)


def show(result: dict) -> None:
    ours, theirs, ratios = result["embedscope"], result[PEER], result["ratios"]
    steps = theirs.get("extrapolated_from_steps")
    note = f" (from {steps} of {theirs['steps_in_all']} steps)" if steps else ""
    print(f"\n{result['dataset']}")
    print(f"  {'':32}{'embedscope':>12}{'umap-learn':>12}")
    print(
        f"  {'fit, seconds':32}{ours['fit_s']:12.1f}{theirs['fit_s']:12.1f}"
        f"   {ratios['times_faster']:.0f} times faster{note}"
    )
    for phase, seconds in ours["seconds"].items():
        print(f"    {phase:30}{seconds:12.1f}")
    print(
        f"  {'peak memory, MB':32}{ours['memory_peak_mb']:12.0f}{theirs['memory_peak_mb']:12.0f}"
        f"   {ratios['peak_memory']:.2f} of it; {ratios['memory_of_fit']:.2f} above the imports"
    )
    for key, title in SCORES.items():
        if key in theirs:
            print(f"  {title:32}{ours[key]:12.4f}{theirs[key]:12.4f}   {ratios[key]:+.4f}")
    print(f"  {'transform, share of products':32}{ours['transform_speed_of_bare_products']:12.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=["digits", "fashion-mnist-10000"])
    parser.add_argument("--steps", type=int, default=300, help="steps to time umap-learn over")
    parser.add_argument(
        "--full", action="store_true", help="run umap-learn to its end and store it"
    )
    parser.add_argument(
        "--peer-python",
        default=sys.executable,
        help="Python of an environment with umap-learn 0.5.12 and TensorFlow",
    )
    parser.add_argument("--out", type=Path, default=RESULTS / "compare_umap_learn.json")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    results = {}
    if arguments.out.exists():
        results = json.loads(arguments.out.read_text())
    for dataset in arguments.datasets:
        results[dataset] = compare(
            dataset, arguments.steps, arguments.peer_python, full=arguments.full
        )
        show(results[dataset])
        arguments.out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
