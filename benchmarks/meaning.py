"""How well a map tells what cells are, and how well it tells which image they come from.

    DATA=folder python benchmarks/meaning.py                       # all, five seeds
    python benchmarks/meaning.py --data folder --datasets jurkat --choices learned --seeds 1

A seed chooses the fifth of the cells that is unseen, and is that of the training. The class of an
unseen cell is told by its 15 nearest neighbours among the seen cells, on the two coordinates of
the map; the baseline `components` uses 40 principal components of the pictures instead of a map.
Results are added to `results/meaning.json`.

Jurkat cells: the class is the phase of the cell cycle, the source the instrument's file. Each file
has its own phases (the first those of mitosis, the second G1 and G2, the third S), so a score of
the class is in part one of the source. Nuclei have no classes; the source is a kind of image, by
its size and by whether its median is above that of all images, which tells stains and exposures
apart. `turned` is the distance on the map, as a share of its width, between an unseen cell and its
copy turned by 90 degrees (95th percentile).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results" / "meaning.json"
CHOICES = ("components", "pixels", "any orientation", "measurements", "learned")
JURKAT = {"jurkat": (0, 2), "jurkat-all": (0, 1, 2)}
CHANNELS = ("brightfield", "DNA", "darkfield")
NUCLEUS_PX = 32
MOST_NUCLEI = 4_000
NEIGHBORS = 15


@dataclass(frozen=True)
class Cells:
    """Samples, and for each the class (or None) and the source."""

    samples: object
    classes: np.ndarray | None
    sources: np.ndarray


def jurkat(folder: Path, channels: tuple[int, ...]) -> Cells:
    """3,418 cells in one image, as the instrument's software makes montages."""
    from embedscope.samples import samples_from_labels

    stored = np.load(folder / "jurkat_cell_cycle.npz", allow_pickle=False)
    order = np.random.default_rng(0).permutation(len(stored["tiles"]))
    masks = np.unpackbits(stored["cell_mask"], axis=1)[:, :1600].reshape(-1, 40, 40)[order]
    numbers = np.arange(1, len(order) + 1, dtype=np.uint16)
    image = montage(stored["tiles"][order][..., channels])
    labels = montage((masks * numbers[:, None, None])[..., None])[..., 0]
    names = [CHANNELS[channel] for channel in channels]
    samples = samples_from_labels(image, labels, 40, channel_names=names, features=False)
    rows = order[np.asarray(samples.identities.label) - 1]
    return Cells(samples, stored["phase"][rows], stored["montage"][rows])


def montage(tiles: np.ndarray) -> np.ndarray:
    """Tiles of shape (n, side, side, channels) as one image, filled up with zeros."""
    n, side = tiles.shape[:2]
    across = int(np.ceil(np.sqrt(n)))
    whole = np.zeros((across * across, *tiles.shape[1:]), tiles.dtype)
    whole[:n] = tiles
    grid = whole.reshape(across, across, *tiles.shape[1:]).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(grid).reshape(across * side, across * side, -1)


def nuclei(folder: Path) -> Cells:
    """4,000 nuclei of the images of the Data Science Bowl 2018, and the kind of image of each."""
    from embedscope.samples import join_samples, samples_from_labels

    stored = np.load(folder / "nuclei_dsb2018.npz", allow_pickle=False)
    fields = [
        (name, image, labels)
        for name in sorted(stored.files)
        if name.startswith("images_")
        for image, labels in zip(
            stored[name], stored[name.replace("images", "labels")], strict=True
        )
        if labels.any()
    ]
    medians = [float(np.median(image)) for _, image, _ in fields]
    middle = float(np.median(medians))
    parts, kinds = [], []
    for number, ((name, image, labels), median) in enumerate(zip(fields, medians, strict=True)):
        one = [np.unique(labels)[1]] if len(np.unique(labels)) == 2 else None
        options = {"features": False, "source": str(number), "label_ids": one}
        parts.append(samples_from_labels(image, labels, NUCLEUS_PX, **options))
        kinds += [f"{name} {'bright' if median > middle else 'dark'}"] * len(parts[-1])
    samples = join_samples(parts)
    chosen = np.sort(np.random.default_rng(0).permutation(len(samples))[:MOST_NUCLEI])
    _, groups = np.unique(np.array(kinds)[chosen], return_inverse=True)
    return Cells(samples.subset(chosen), None, groups)


def measure(cells: Cells, choice: str, seed: int) -> dict[str, float]:
    """Train on four fifths, and score the rest."""
    order = np.random.default_rng(seed).permutation(len(cells.samples))
    n_seen = round(0.8 * len(order))
    seen, unseen = np.sort(order[:n_seen]), np.sort(order[n_seen:])
    began = time.perf_counter()
    width, turned = 1.0, None
    if choice == "components":
        from sklearn.decomposition import PCA

        flat = cells.samples.X.reshape(len(order), -1)
        reduced = PCA(40, random_state=seed).fit(flat[seen])
        places, placed = reduced.transform(flat[seen]), reduced.transform(flat[unseen])
        seconds, first_map = time.perf_counter() - began, float("nan")
    else:
        from embedscope.training import TrainingParameters, TrainingRun

        run = TrainingRun(
            cells.samples.subset(seen), TrainingParameters(alike=choice, random_state=seed)
        )
        shown: list[float] = []
        run.embedding_changed.connect(lambda *_: shown.append(time.perf_counter() - began))
        run.start()
        status = run.wait()
        if run.result is None:
            raise SystemExit(status.traceback or status.message)
        seconds, first_map = time.perf_counter() - began, shown[0]
        estimator = run.result.estimator
        pictures = cells.samples.inputs(unseen)
        places, placed = run.result.embedding, estimator.transform(pictures)
        turned = estimator.transform(np.ascontiguousarray(np.rot90(pictures, axes=(1, 2))))
        width = float(np.ptp(places, axis=0).max())
    found = {"seconds": seconds, "first_map_s": first_map}
    if cells.classes is not None:
        told, balanced = scores(places, cells.classes[seen], placed, cells.classes[unseen])
        found |= {"accuracy": told, "balanced": balanced}
    told, balanced = scores(places, cells.sources[seen], placed, cells.sources[unseen])
    found |= {"source": told, "source_balanced": balanced}
    found["source_chance"] = float(np.bincount(cells.sources).max() / len(order))
    if turned is not None:
        found["turned"] = float(np.percentile(np.linalg.norm(turned - placed, axis=1), 95)) / width
    return found


def scores(
    places: np.ndarray, known: np.ndarray, placed: np.ndarray, wanted: np.ndarray
) -> tuple[float, float]:
    """Accuracy and balanced accuracy of 15 nearest neighbours."""
    from sklearn.metrics import accuracy_score, balanced_accuracy_score
    from sklearn.neighbors import KNeighborsClassifier

    guessed = KNeighborsClassifier(NEIGHBORS).fit(places, known).predict(placed)
    present = np.isin(wanted, known)
    return (
        float(accuracy_score(wanted[present], guessed[present])),
        float(balanced_accuracy_score(wanted[present], guessed[present])),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("DATA", "data")))
    parser.add_argument("--datasets", nargs="+", default=[*JURKAT, "nuclei"])
    parser.add_argument("--choices", nargs="+", default=CHOICES)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    import embedscope.core.fitting._fitting  # noqa: F401 - TensorFlow, before the clock starts

    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for dataset in options.datasets:
        cells = jurkat(options.data, JURKAT[dataset]) if dataset in JURKAT else nuclei(options.data)
        for choice in options.choices:
            runs = [measure(cells, choice, seed) for seed in range(options.seeds)]
            found = {key: float(np.mean([run[key] for run in runs])) for key in runs[0]}
            results.setdefault(dataset, {})[choice] = found | {"n_seeds": options.seeds}
            print(dataset, choice, *(f"{key} {found[key]:.3f}" for key in found), flush=True)
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
