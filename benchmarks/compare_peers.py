"""Compare embedscope with other programs that make maps, on the same data in the same run.

    python benchmarks/compare_peers.py --datasets mnist-60000 fashion-mnist-10000
    python benchmarks/compare_peers.py --peers glass-box-umap --python other/bin/python

Each program has its own defaults and a process of its own. Not all of them can be installed
together, so `--python` names the environment of the peers of one call; the results of all calls
are kept in one file. embedscope runs at the start of each call, so each row is compared with a run
beside it. umap-learn's ParametricUMAP has a benchmark of its own, `compare_umap_learn.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from _child import PEERS
from compare_umap_learn import RESULTS, measure

COLUMNS = {
    "fit_s": "fit, s",
    "beside_s": "embedscope, s",
    "transform_s": "place unseen, s",
    "trust_train": "trustworthiness",
    "trust_held_out": "unseen",
    "knn_held_out": "15-NN, unseen",
    "distances_held_out": "distances",
}


def row(name: str, run: dict) -> str:
    cells = [f"{run[key]:.1f}" if key.endswith("_s") else f"{run[key]:.3f}" for key in COLUMNS]
    return f"| {name} | {' | '.join(cells)} |"


def show(dataset: str, runs: dict[str, dict]) -> None:
    print(f"\n{dataset}\n\n| | {' | '.join(COLUMNS.values())} |\n|---{'|---' * len(COLUMNS)}|")
    for name, run in runs.items():
        print(row(name, run))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", nargs="+", default=["digits", "fashion-mnist-10000"])
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=list(PEERS))
    parser.add_argument("--python", default=sys.executable, help="Python that has the peers")
    parser.add_argument("--out", type=Path, default=RESULTS / "compare_peers.json")
    arguments = parser.parse_args()
    results = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    for dataset in arguments.datasets:
        runs = results.setdefault(dataset, {})
        ours = measure("embedscope", dataset)
        runs["embedscope"] = ours | {"beside_s": ours["fit_s"]}
        for peer in arguments.peers:
            theirs = measure(peer, dataset, python=arguments.python)
            runs[peer] = theirs | {"beside_s": ours["fit_s"]}
            arguments.out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
        arguments.out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
        show(dataset, runs)


if __name__ == "__main__":
    main()
