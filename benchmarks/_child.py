"""Fit one implementation on one data set in a separate process, and print time and memory.

A separate process, because peak memory is known only for a whole process, and because no
implementation should find the caches of the other one filled.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time

import numpy as np

import _datasets


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
    }


def run_umap_learn(split: _datasets.Split, max_steps: int | None) -> dict:
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


def run_umap(split: _datasets.Split, max_steps: int | None) -> dict:
    """umap-learn's plain UMAP, for the quality a free layout reaches."""
    import umap

    before_mb, start = resident_mb(), time.perf_counter()
    model = umap.UMAP()
    train_map = model.fit_transform(split.train)
    fit_s, fit_peak_mb = time.perf_counter() - start, peak_mb()
    start = time.perf_counter()
    held_out_map = model.transform(split.held_out)
    return {
        "fit_s": fit_s,
        "transform_s": time.perf_counter() - start,
        "memory_before_mb": before_mb,
        "memory_peak_mb": fit_peak_mb,
    } | scores(split, train_map, held_out_map)


def run_embedscope(split: _datasets.Split, max_steps: int | None) -> dict:
    """Run embedscope's ParametricUMAP with its defaults; imports are timed separately."""
    import embedscope.core.fitting._fitting  # noqa: F401 - TensorFlow, which umap-learn imports up front
    from embedscope import ParametricUMAP

    began: dict[str, float] = {}

    def note_phase(report) -> None:
        began.setdefault(report.phase, time.perf_counter())

    model = ParametricUMAP(progress=note_phase)
    before_mb, start = resident_mb(), time.perf_counter()
    train_map = model.fit_transform(split.train)
    end = time.perf_counter()
    fit_peak_mb = peak_mb()
    names = list(began)
    ends = [*(began[name] for name in names[1:]), end]
    result = {
        "seconds": {name: stop - began[name] for name, stop in zip(names, ends, strict=True)},
        "fit_s": end - start,
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


IMPLEMENTATIONS = {
    "embedscope": run_embedscope,
    "umap-learn.ParametricUMAP": run_umap_learn,
    "umap-learn.UMAP": run_umap,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("implementation", choices=sorted(IMPLEMENTATIONS))
    parser.add_argument("dataset")
    parser.add_argument("--max-steps", type=int, default=None)
    arguments = parser.parse_args()
    split = _datasets.load(arguments.dataset)
    result = IMPLEMENTATIONS[arguments.implementation](split, arguments.max_steps)
    # umap-learn prints on standard output; the result is the last line.
    sys.stdout.write("\n" + json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
