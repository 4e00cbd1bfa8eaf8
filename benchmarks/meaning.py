"""How well a map tells what cells are, and how well it tells which image they come from.

    DATA=folder python benchmarks/meaning.py                       # all, five seeds
    python benchmarks/meaning.py --data folder --datasets jurkat --choices learned --seeds 1

A seed chooses the fifth of the cells that is unseen, and is that of the training. The class of an
unseen cell is told by its 15 nearest neighbours among the seen cells, on the two coordinates of
the map; the baseline `components` uses 40 principal components of the pictures instead of a map.
Results are added to `results/meaning.json`.

Jurkat cells: the class is the phase of the cell cycle, the source the instrument's file. Each file
has its own phases (the first those of mitosis, the second G1 and G2, the third S), so a score of
the class is in part one of the source. `within` is the accuracy if the neighbours are looked for
among cells of the same file only; `within_chance` that of always naming the file's largest class.

Nuclei (`nuclei`) have no classes; the source is the kind of image. Images have one channel. Their
kind is their size in pixels, which goes with the microscope, and whether the 99th percentile of
the image is above that of most images of this size, which goes with stain and exposure. Images of
larger nuclei are averaged over squares until nuclei are about 12 pixels long, as one size in
micrometres would do, so that size alone tells nothing. Intensities
are scaled within each image; `nuclei-unscaled` has one scale for all.

`same` is the share of the 15 neighbours on the map that are of the same source, `same_chance`
what is expected by chance (each source counts alike; `embedscope.training` says these after
training). The map shows the source if `same` is more than half of the way from chance to 1.
`turned` is the distance on the map, as a share of its width, between an unseen cell and its copy
turned by 90 degrees, `turned_37` turned by 37 degrees (cubic interpolation) and `shifted` shifted
by two pixels (95th percentiles; those that end with `_median` are medians).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import rotate

RESULTS = Path(__file__).parent / "results" / "meaning.json"
CHOICES = ("components", "pixels", "any orientation", "measurements", "learned")
JURKAT = {"jurkat": (0, 2), "jurkat-all": (0, 1, 2)}
CHANNELS = ("brightfield", "DNA", "darkfield")
NUCLEI = {"nuclei": True, "nuclei-unscaled": False}
NUCLEUS_PX = 32
USUAL_LENGTH_PX = 12.0  # square root of the area of most nuclei
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


def nuclei(folder: Path, *, is_scaled: bool) -> Cells:
    """4,000 nuclei of the images of the Data Science Bowl 2018, and the kind of image of each."""
    from embedscope.samples import join_samples, samples_from_labels

    stored = np.load(folder / "nuclei_dsb2018.npz", allow_pickle=False)
    parts, kinds = [], []
    for name in (name for name in sorted(stored.files) if name.startswith("images_")):
        fields = list(zip(stored[name], stored[name.replace("images", "labels")], strict=True))
        fields = [(image, labels) for image, labels in fields if labels.any()]
        counts = [np.unique(labels, return_counts=True)[1][1:] for _, labels in fields]
        length = float(np.sqrt(np.median(np.concatenate(counts))))
        step = max(1, round(length / USUAL_LENGTH_PX))
        brightness = [float(np.percentile(image, 99)) for image, _ in fields]
        for (image, labels), own in zip(fields, brightness, strict=True):
            image = smaller(image, step)
            labels = labels[::step, ::step][: image.shape[0], : image.shape[1]]
            present = np.unique(labels)[1:]
            options = {"features": False, "source": str(len(parts))}
            options["label_ids"] = present if len(present) == 1 else None
            parts.append(samples_from_labels(image, labels, NUCLEUS_PX, **options))
            kind = f"{name} {'bright' if own > np.median(brightness) else 'dark'}"
            kinds += [kind] * len(parts[-1])
    samples = join_samples(parts)
    if is_scaled:
        samples = samples.scaled_within("source")
    chosen = np.sort(np.random.default_rng(0).permutation(len(samples))[:MOST_NUCLEI])
    _, groups = np.unique(np.array(kinds)[chosen], return_inverse=True)
    return Cells(samples.subset(chosen), None, groups)


def smaller(image: np.ndarray, step: int) -> np.ndarray:
    """An image averaged over squares of this side; an incomplete last row or column is left out."""
    height, width = (size // step for size in image.shape[:2])
    whole = image[: height * step, : width * step].astype(np.float32)
    return whole.reshape(height, step, width, step).mean(axis=(1, 3))


def measure(cells: Cells, choice: str, seed: int) -> dict[str, float]:
    """Train on four fifths, and score the rest."""
    order = np.random.default_rng(seed).permutation(len(cells.samples))
    n_seen = round(0.8 * len(order))
    seen, unseen = np.sort(order[:n_seen]), np.sort(order[n_seen:])
    began = time.perf_counter()
    width, copies = 1.0, {}
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
        copies = {
            "turned": np.ascontiguousarray(np.rot90(pictures, axes=(1, 2))),
            "turned_37": rotate(pictures, 37, axes=(1, 2), reshape=False, mode="nearest"),
            "shifted": np.roll(pictures, (2, 1), axis=(1, 2)),
        }
        width = float(np.ptp(places, axis=0).max())
    found = {"seconds": seconds, "first_map_s": first_map}
    if cells.classes is not None:
        told, balanced = scores(places, cells.classes[seen], placed, cells.classes[unseen])
        found |= {"accuracy": told, "balanced": balanced}
        found |= within_sources(cells, seen, unseen, places, placed)
    told, balanced = scores(places, cells.sources[seen], placed, cells.sources[unseen])
    found |= {"source": told, "source_balanced": balanced}
    found["source_chance"] = float(np.bincount(cells.sources).max() / len(order))
    found["same"], found["same_chance"] = same_source(places, cells.sources[seen])
    for name, copy in copies.items():
        away = np.linalg.norm(estimator.transform(np.clip(copy, 0.0, 1.0)) - placed, axis=1)
        found[name] = float(np.percentile(away, 95)) / width
        found[f"{name}_median"] = float(np.median(away)) / width
    return found


def within_sources(
    cells: Cells, seen: np.ndarray, unseen: np.ndarray, places: np.ndarray, placed: np.ndarray
) -> dict[str, float]:
    """Accuracy of the class by neighbours of the same source, and by its largest class."""
    assert cells.classes is not None
    told = chance = 0.0
    for source in np.unique(cells.sources):
        own, asked = cells.sources[seen] == source, cells.sources[unseen] == source
        known, wanted = cells.classes[seen][own], cells.classes[unseen][asked]
        found = guesses(places[own], known, placed[asked])
        told += asked.mean() * float((wanted == found).mean())
        chance += asked.mean() * float((wanted == np.bincount(known).argmax()).mean())
    return {"within": float(told), "within_chance": float(chance)}


def same_source(places: np.ndarray, sources: np.ndarray) -> tuple[float, float]:
    """Share of the neighbours of the same source, and by chance; each source counts alike."""
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=NEIGHBORS).fit(places).kneighbors(return_distance=False)
    share = (sources[near] == sources[:, None]).mean(axis=1)
    kinds, counts = np.unique(sources, return_counts=True)
    chance = (counts - 1) / (len(sources) - 1)
    return float(np.mean([share[sources == kind].mean() for kind in kinds])), float(chance.mean())


def scores(
    places: np.ndarray, known: np.ndarray, placed: np.ndarray, wanted: np.ndarray
) -> tuple[float, float]:
    """Accuracy and balanced accuracy of 15 nearest neighbours."""
    from sklearn.metrics import accuracy_score, balanced_accuracy_score

    guessed = guesses(places, known, placed)
    present = np.isin(wanted, known)
    return (
        float(accuracy_score(wanted[present], guessed[present])),
        float(balanced_accuracy_score(wanted[present], guessed[present])),
    )


def guesses(places: np.ndarray, known: np.ndarray, placed: np.ndarray) -> np.ndarray:
    """What the nearest neighbours say."""
    from sklearn.neighbors import KNeighborsClassifier

    guessed: np.ndarray = KNeighborsClassifier(NEIGHBORS).fit(places, known).predict(placed)
    return guessed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("DATA", "data")))
    parser.add_argument("--datasets", nargs="+", default=[*JURKAT, *NUCLEI])
    parser.add_argument("--choices", nargs="+", default=CHOICES)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    import embedscope.core.fitting._fitting  # noqa: F401 - TensorFlow, before the clock starts

    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for dataset in options.datasets:
        if dataset in JURKAT:
            cells = jurkat(options.data, JURKAT[dataset])
        else:
            cells = nuclei(options.data, is_scaled=NUCLEI[dataset])
        for choice in options.choices:
            runs = [measure(cells, choice, seed) for seed in range(options.seeds)]
            found = {key: float(np.mean([run[key] for run in runs])) for key in runs[0]}
            results.setdefault(dataset, {})[choice] = found | {"n_seeds": options.seeds}
            print(dataset, choice, *(f"{key} {found[key]:.3f}" for key in found), flush=True)
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
