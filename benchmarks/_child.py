"""Fit one implementation on one data set in a separate process, and print time and memory.

Each implementation fits a few samples before the measured fit, so compilation and imports do not
count. A separate process, because peak memory is known only for a whole process, and because no
implementation should find the caches of the other one filled.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable

import numpy as np

import _datasets

WARM_UP = 300  # samples that each implementation fits before its time is taken


def resident_mb() -> float:
    """Memory resident now, in MB."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_mb() -> float:
    """Highest resident memory so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def scores(split: _datasets.Split, train_map: np.ndarray, held_out_map: np.ndarray) -> dict:
    """Trustworthiness (15 neighbours, 3,000 points) and 15-NN accuracy of held-out points."""
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import KNeighborsClassifier

    def trust(samples: np.ndarray, coordinates: np.ndarray) -> float:
        chosen = np.random.default_rng(0).permutation(len(samples))[:3000]
        return float(trustworthiness(samples[chosen], coordinates[chosen], n_neighbors=15))

    classifier = KNeighborsClassifier(15).fit(train_map, split.train_labels)
    return {
        "trust_train": trust(split.train, train_map),
        "trust_held_out": trust(split.held_out, held_out_map),
        "knn_held_out": float(classifier.score(held_out_map, split.held_out_labels)),
        "distances_held_out": rank_correlation(split.held_out, held_out_map),
    }


def rank_correlation(samples: np.ndarray, coordinates: np.ndarray) -> float:
    """Spearman's correlation of 100,000 distances in the data and on the map."""
    from scipy.stats import spearmanr

    one, other = np.random.default_rng(0).integers(len(samples), size=(2, 100_000))
    return float(
        spearmanr(
            np.linalg.norm(samples[one] - samples[other], axis=1),
            np.linalg.norm(coordinates[one] - coordinates[other], axis=1),
        ).statistic
    )


def run_umap_learn(split: _datasets.Split, *, max_steps: int | None) -> dict:
    """umap-learn's ParametricUMAP; with `max_steps`, time so many and extrapolate."""
    import keras
    from umap.parametric_umap import ParametricUMAP

    class Clock(keras.callbacks.Callback):
        """Records the start of training, and stops it after `max_steps` batches."""

        def on_train_begin(self, logs=None):
            self.began = time.perf_counter()
            self.steps = 0
            self.after_tracing = None

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            if self.steps == 20:
                self.after_tracing = time.perf_counter()
            if max_steps is not None and self.steps >= max_steps:
                self.model.stop_training = True

        def on_train_end(self, logs=None):
            self.ended = time.perf_counter()

    ParametricUMAP(keras_fit_kwargs={"verbose": 0}, n_epochs=11).fit(split.train[:WARM_UP])
    clock = Clock()
    model = ParametricUMAP(keras_fit_kwargs={"callbacks": [clock], "verbose": 0})
    before_mb, start = resident_mb(), time.perf_counter()
    train_map = model.fit_transform(split.train)
    fit_s = time.perf_counter() - start
    fit_peak_mb = peak_mb()
    n_epochs = 500 if len(split.train) <= 10_000 else 200
    weights = model.graph_.tocoo().data
    weights = weights[weights >= weights.max() / n_epochs]
    repeats = int((n_epochs * weights).astype(np.int64).sum())
    all_steps = int(repeats / model.batch_size / 10) * 10
    result = {
        "steps": clock.steps,
        "steps_in_all": all_steps,
        "seconds": {"before_training": clock.began - start, "training": clock.ended - clock.began},
        "fit_s": fit_s,
        "memory_before_mb": before_mb,
        "memory_peak_mb": fit_peak_mb,
    }
    if max_steps is not None and clock.steps < all_steps:
        per_step = (clock.ended - clock.after_tracing) / (clock.steps - 20)
        result["fit_s"] = fit_s + per_step * (all_steps - clock.steps)
        result["extrapolated_from_steps"] = clock.steps
        return result
    start = time.perf_counter()
    held_out_map = model.transform(split.held_out)
    result["transform_s"] = time.perf_counter() - start
    return result | scores(split, train_map, held_out_map)


def run_umap(split: _datasets.Split) -> dict:
    """umap-learn's plain UMAP, for the quality a free layout reaches."""
    import umap

    umap.UMAP().fit(split.train[:WARM_UP])
    model = umap.UMAP()
    return fit_and_place(split, model.fit_transform, model.transform)


def run_opentsne(split: _datasets.Split) -> dict:
    """openTSNE, which places unseen samples by an optimisation of their own."""
    import openTSNE

    openTSNE.TSNE(n_jobs=-1).fit(split.train[:WARM_UP])
    fitted = None

    def fit(samples: np.ndarray) -> np.ndarray:
        nonlocal fitted
        fitted = openTSNE.TSNE(n_jobs=-1).fit(samples)
        return fitted

    return fit_and_place(split, fit, lambda samples: fitted.transform(samples))


def run_pacmap(split: _datasets.Split) -> dict:
    """PaCMAP, which places unseen samples by an optimisation of their own."""
    import pacmap

    pacmap.PaCMAP().fit(split.train[:WARM_UP].copy())
    model = pacmap.PaCMAP(save_tree=True)
    return fit_and_place(
        split,
        lambda samples: model.fit_transform(samples.copy()),
        lambda samples: model.transform(samples.copy(), basis=split.train.copy()),
    )


def run_glass_box(split: _datasets.Split) -> dict:
    """glass-box-umap, a network of torch without biases."""
    from glass_box_umap import GlassBoxUMAP

    GlassBoxUMAP(epochs=1, quiet=True).fit(split.train[:WARM_UP])
    model = GlassBoxUMAP(quiet=True, random_state=0)
    return fit_and_place(split, model.fit_transform, model.transform)


def run_parametric_umap(split: _datasets.Split) -> dict:
    """parametric-umap, a network of torch with a loss of distances."""
    from parametric_umap import ParametricUMAP

    ParametricUMAP(n_epochs=1).fit(split.train[:WARM_UP], verbose=False)
    model = ParametricUMAP()
    return fit_and_place(
        split, lambda samples: model.fit(samples).transform(samples), model.transform
    )


def fit_and_place(
    split: _datasets.Split,
    fit: Callable[[np.ndarray], np.ndarray],
    place: Callable[[np.ndarray], np.ndarray],
) -> dict:
    """Time, memory and scores of functions that map the training and the held-out samples."""
    before_mb, start = resident_mb(), time.perf_counter()
    train_map = np.asarray(fit(split.train))
    fit_s, fit_peak_mb = time.perf_counter() - start, peak_mb()
    start = time.perf_counter()
    held_out_map = np.asarray(place(split.held_out))
    return {
        "fit_s": fit_s,
        "transform_s": time.perf_counter() - start,
        "memory_before_mb": before_mb,
        "memory_peak_mb": fit_peak_mb,
    } | scores(split, train_map, held_out_map)


def run_embedscope(split: _datasets.Split, *, seed: int, parameters: dict) -> dict:
    """Run embedscope's ParametricUMAP, in a process that has fitted before.

    "first_fit_s" is the time of that fit, of a few samples, with the import of TensorFlow: so much
    longer takes a first fit in a new process.
    """
    began_process = time.perf_counter()
    from embedscope import ParametricUMAP

    began: dict[str, float] = {}

    def note_phase(report) -> None:
        began.setdefault(report.phase, time.perf_counter())

    ParametricUMAP(n_epochs=10, quality="fast").fit(split.train[:WARM_UP])
    first_fit_s = time.perf_counter() - began_process
    model = ParametricUMAP(progress=note_phase, random_state=seed, **parameters)
    before_mb, start = resident_mb(), time.perf_counter()
    train_map = model.fit_transform(split.train)
    end = time.perf_counter()
    fit_peak_mb = peak_mb()
    names = list(began)
    ends = [*(began[name] for name in names[1:]), end]
    result = {
        "seconds": {name: stop - began[name] for name, stop in zip(names, ends, strict=True)},
        "fit_s": end - start,
        "first_fit_s": first_fit_s,
        "memory_before_mb": before_mb,
        "memory_peak_mb": fit_peak_mb,
        "loss": model.history_["loss"],
    }
    start = time.perf_counter()
    held_out_map = model.transform(split.held_out)
    result["transform_s"] = time.perf_counter() - start
    result["transform_speed_of_bare_products"] = compare_with_products(model, split.train)
    return result | scores(split, train_map, held_out_map)


def compare_with_products(model, samples: np.ndarray) -> float:
    """Speed of `transform` as a share of the speed of its bare matrix products in numpy."""
    rows = np.ascontiguousarray(np.resize(samples, (60_000, samples.shape[1])))
    weights = [w for w in model.encoder_.get_weights() if w.ndim == 2]

    def products() -> None:
        for first in range(0, len(rows), 8_192):
            x = rows[first : first + 8_192]
            for w in weights:
                x = x @ w

    def best(action) -> float:
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            action()
            seconds.append(time.perf_counter() - start)
        return min(seconds)

    model.transform(rows)
    return best(products) / best(lambda: model.transform(rows))


PEERS = {
    "umap-learn.UMAP": run_umap,
    "openTSNE": run_opentsne,
    "PaCMAP": run_pacmap,
    "glass-box-umap": run_glass_box,
    "parametric-umap": run_parametric_umap,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "implementation", choices=["embedscope", "umap-learn.ParametricUMAP", *PEERS]
    )
    parser.add_argument("dataset")
    parser.add_argument("--max-steps", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parameters", type=json.loads, default={}, help="of embedscope, as JSON")
    arguments = parser.parse_args()
    split = _datasets.load(arguments.dataset)
    if arguments.implementation == "embedscope":
        result = run_embedscope(split, seed=arguments.seed, parameters=arguments.parameters)
    elif arguments.implementation in PEERS:
        result = PEERS[arguments.implementation](split)
    else:
        result = run_umap_learn(split, max_steps=arguments.max_steps)
    # umap-learn prints on standard output; the result is the last line.
    sys.stdout.write("\n" + json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
