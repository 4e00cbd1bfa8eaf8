"""The training time for pictures of cells, and the quality of map and decoder on unseen ones.

    python benchmarks/train_cells.py                               # 1,280 Jurkat cells
    python benchmarks/train_cells.py --baseline 2ccd93b            # with an earlier version
    python benchmarks/train_cells.py --nuclei nuclei_dsb2018.npz   # 5,000 and 20,000 nuclei

A fifth of the cells is unseen: neither the encoder nor the decoder learns from them. Each run is a
separate process, which imports TensorFlow before the time starts. An earlier version, any commit of
this repository, is checked out to a temporary folder; both versions run alternately. Nuclei come
from a file with arrays `images_*` and `labels_*`, as of the 2018 Data Science Bowl. It has 12,000;
further ones are the same, rotated by quarter turns.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "train_cells.json"
CROP_PX = 48
NUCLEUS_PX = 32


def jurkat_cells() -> tuple[np.ndarray, np.ndarray]:
    """1,600 cells in three channels, and the phase of each."""
    from embedscope.samples import jurkat_cells, samples_from_labels

    field = jurkat_cells()
    cut = samples_from_labels(field.image, field.labels, CROP_PX, features=False)
    phases = dict(zip(field.label_ids.tolist(), field.phase.tolist(), strict=True))
    phase = np.array([phases[int(label)] for label in cut.identities.label])
    # The fifth that is unseen comes last.
    unseen = set(np.random.default_rng(0).permutation(field.label_ids)[:320].tolist())
    last = np.array([int(label) in unseen for label in cut.identities.label])
    order = np.argsort(last, kind="stable")
    return cut.X[order], phase[order]


def nuclei(path: Path, n_crops: int) -> tuple[np.ndarray, None]:
    """Crops of nuclei from all fields of a file, shuffled."""
    from embedscope.samples import samples_from_labels

    crops = []
    with np.load(path, allow_pickle=False) as stored:
        for name in sorted(stored.files):
            if not name.startswith("images_"):
                continue
            labels = stored[name.replace("images", "labels")]
            for image, mask in zip(stored[name], labels, strict=True):
                if mask.any():
                    cut = samples_from_labels(image, mask, NUCLEUS_PX, features=False)
                    crops.append(cut.X)
    all_crops = np.concatenate(crops)
    all_crops = all_crops[np.random.default_rng(0).permutation(len(all_crops))]
    turned = [np.rot90(all_crops, turn, axes=(1, 2)) for turn in range(4)]
    return np.concatenate(turned)[:n_crops].astype(np.float32), None


def measure(X: np.ndarray, phase: np.ndarray | None) -> dict[str, float]:
    """Train on four fifths, and test on the rest."""
    import embedscope.core.fitting._fitting  # noqa: F401 - TensorFlow, before the clock starts
    from embedscope.samples import samples_from_array
    from embedscope.training import TrainingRun

    n_seen = round(0.8 * len(X))
    run = TrainingRun(samples_from_array(X[:n_seen]))
    first_map: list[float] = []
    began = time.perf_counter()
    run.embedding_changed.connect(lambda *_: first_map.append(time.perf_counter() - began))
    run.start()
    status = run.wait()
    seconds = time.perf_counter() - began
    if run.result is None:
        raise SystemExit(status.message)
    estimator = run.result.estimator
    found = {"seconds": seconds, "first_map_s": first_map[0]}
    found |= score_map(X[:n_seen], run.result.embedding, X[n_seen:], estimator.transform)
    if phase is not None:
        from sklearn.neighbors import KNeighborsClassifier

        classifier = KNeighborsClassifier(15).fit(run.result.embedding, phase[:n_seen])
        placed = estimator.transform(X[n_seen:])
        found["phase_accuracy"] = float(classifier.score(placed, phase[n_seen:]))
    return found | score_decoder(X[:n_seen], X[n_seen:], estimator)


def score_map(
    seen: np.ndarray, places: np.ndarray, unseen: np.ndarray, place: Callable
) -> dict[str, float]:
    """Trustworthiness by 15 neighbours, of at most 3,000 seen cells and 3,000 unseen ones."""
    from sklearn.manifold import trustworthiness

    placed = place(unseen)
    found = {}
    for name, cells, positions in (("seen", seen, places), ("unseen", unseen, placed)):
        chosen = np.random.default_rng(0).permutation(len(cells))[:3000]
        flat = cells[chosen].reshape(len(chosen), -1)
        found[f"trust_{name}"] = float(trustworthiness(flat, positions[chosen], n_neighbors=15))
    return found


def score_decoder(seen: np.ndarray, unseen: np.ndarray, estimator: object) -> dict[str, float]:
    """Squared error of unseen cells, as a share of the error of the mean cell."""
    places = estimator.transform(unseen)
    nothing = float(np.square(unseen - seen.mean(axis=0)).sum())

    def share(drawn: np.ndarray) -> float:
        return float(np.square(drawn - unseen).sum()) / nothing

    found = {"error_of_place": share(estimator.inverse_transform(places))}
    if hasattr(estimator, "style"):
        own = estimator.inverse_transform(places, estimator.style(unseen))
        found["error_with_code"] = share(own)
    return found


def run_version(source: Path, arguments: list[str]) -> dict[str, float]:
    """Measure one version of the package in a separate process."""
    environment = os.environ | {"PYTHONPATH": str(source / "src"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--child", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def compare(arguments: list[str], baseline: Path | None, n_runs: int) -> dict[str, dict]:
    """Medians of alternating runs of both versions, and ratios of their times."""
    sources = {"now": ROOT} | ({} if baseline is None else {"before": baseline})
    runs: dict[str, list[dict]] = {name: [] for name in sources}
    for _ in range(n_runs):
        for name, source in sources.items():
            runs[name].append(run_version(source, arguments))
    found = {
        name: {key: float(np.median([run[key] for run in each])) for key in each[0]}
        for name, each in runs.items()
    }
    if baseline is not None:
        ratios = [
            before["seconds"] / now["seconds"]
            for before, now in zip(runs["before"], runs["now"], strict=True)
        ]
        found["times_faster"] = {"median": float(np.median(ratios)), "worst": min(ratios)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--baseline", help="commit to measure beside the present version")
    parser.add_argument("--nuclei", type=Path, help="file of nuclei, for 5,000 and 20,000 of them")
    parser.add_argument("--runs", type=int, default=3, help="of each version (default: 3)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--crops", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        cells = nuclei(options.nuclei, options.crops) if options.nuclei else jurkat_cells()
        print(json.dumps(measure(*cells)))
        return
    sets: dict[str, list[str]] = {}
    if options.nuclei is None:
        sets["1,280 Jurkat cells"] = []
    else:
        # A quarter more, since a fifth is unseen.
        for name, n_crops in (("5,000 nuclei", 6_250), ("20,000 nuclei", 25_000)):
            sets[name] = ["--nuclei", str(options.nuclei.resolve()), "--crops", str(n_crops)]
    with tempfile.TemporaryDirectory() as folder:
        baseline = None
        if options.baseline:
            baseline = Path(folder) / "before"
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(baseline)], check=True)
            subprocess.run(
                ["git", "-C", str(baseline), "checkout", "--quiet", options.baseline], check=True
            )
        results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        for name, arguments in sets.items():
            results[name] = compare(arguments, baseline, options.runs)
            print(name, json.dumps(results[name], indent=2), flush=True)
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
