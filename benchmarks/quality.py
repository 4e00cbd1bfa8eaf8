"""Scores and times of the qualities on all data sets, from which the defaults are chosen.

    MNIST=folder python benchmarks/quality.py                     # all sets, three seeds
    python benchmarks/quality.py --datasets digits --seeds 1
    python benchmarks/quality.py --parameters '{"encoder": "reference"}' --name reference

Each fit runs in a separate process. Results are added to `results/quality.json`; the picture
`docs/images/quality.svg` shows each quality on the plane of time and held-out trustworthiness.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from compare_umap_learn import RESULTS, measure

DATASETS = [
    "digits",
    "blood-cells",
    "cell-measurements",
    "cell-crops",
    "mnist-10000",
    "fashion-mnist-10000",
    "mnist-60000",
    "fashion-mnist-60000",
]
QUALITIES = ("fast", "balanced", "best")
SHOWN = ("fit_s", "trust_train", "trust_held_out", "knn_held_out", "distances_held_out")
OUT = RESULTS / "quality.json"
PICTURE = Path(__file__).parent.parent / "docs" / "images" / "quality.svg"


def run(dataset: str, parameters: dict, n_seeds: int) -> dict[str, float]:
    """The mean of some seeds; the least time, since other programs can only add to it."""
    runs = [
        measure("embedscope", dataset, "--seed", str(seed), "--parameters", json.dumps(parameters))
        for seed in range(n_seeds)
    ]
    found = {key: float(np.mean([each[key] for each in runs])) for key in SHOWN}
    return found | {"fit_s": min(each["fit_s"] for each in runs), "n_seeds": n_seeds}


def draw(results: dict) -> None:
    """Each quality on the plane of time and held-out trustworthiness."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "embedscope", "font.size": 9}):
        figure = Figure((7, 4.2), layout="constrained")
        axes = figure.subplots()
        for dataset, entries in results.items():
            points = [entries[name] for name in QUALITIES if name in entries]
            if len(points) < len(QUALITIES):
                continue
            axes.plot(
                [each["fit_s"] for each in points],
                [each["trust_held_out"] for each in points],
                "o-",
                label=dataset,
            )
        axes.set_xscale("log")
        axes.set_xlabel("fit, seconds (fast, balanced, best)")
        axes.set_ylabel("trustworthiness of unseen samples")
        axes.legend(loc="lower right", fontsize=7)
        figure.savefig(PICTURE, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--parameters", type=json.loads, help="instead of the three qualities")
    parser.add_argument("--name", default="other", help="of the entry for --parameters")
    arguments = parser.parse_args()
    chosen = {name: {"quality": name} for name in QUALITIES}
    if arguments.parameters is not None:
        chosen = {arguments.name: arguments.parameters}
    results = json.loads(OUT.read_text()) if OUT.exists() else {}
    for dataset in arguments.datasets:
        for name, parameters in chosen.items():
            found = run(dataset, parameters, arguments.seeds)
            results.setdefault(dataset, {})[name] = found
            print(dataset, name, *(f"{key} {found[key]:.4f}" for key in SHOWN), flush=True)
            OUT.write_text(json.dumps(results, indent=1) + "\n")
    draw(results)


if __name__ == "__main__":
    main()
