"""A small session of every kind of part, to be saved, damaged and opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from embedscope import ParametricUMAP
from embedscope.explorer.coloring._colors import ColorBy
from embedscope.explorer.marks._gates import Gate, GateSet
from embedscope.explorer.session._session_state import SessionState
from embedscope.samples import Samples, samples_from_labels
from embedscope.training import Replay, TrainedMap, TrainingParameters
from embedscope.training._replay import ReplayRecorder

SIDE = 96
NAMES = ("T cells, CD4+", 'Größe "µm"', "a/b", "細胞", "gate:x", "Yes")


def cells(seed: int = 0, n_lines: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """An image (y, x, 2) of uint16 and labels with gaps, one square cell in each field."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((SIDE, SIDE), np.int32)
    for number in range(n_lines**2):
        y, x = 16 * np.array(divmod(number, n_lines)) + rng.integers(2, 6, 2)
        labels[y : y + 8, x : x + 7] = 10 + 7 * number
    image = rng.integers(0, 4000, (SIDE, SIDE, 2)).astype(np.uint16)
    image[labels > 0] += (labels[labels > 0] % 13 * 300)[:, None].astype(np.uint16)
    return image, labels


def cell_samples(folder: Path, seed: int = 0, source: str = "day 1", **options: Any) -> Samples:
    """Samples of cells whose image and labels lie in `folder`, as .npy files."""
    image, labels = cells(seed)
    paths = {role: folder / f"{source} {role}.npy" for role in ("image", "labels")}
    folder.mkdir(parents=True, exist_ok=True)
    np.save(paths["image"], image)
    np.save(paths["labels"], labels)
    return samples_from_labels(
        image,
        labels,
        8,
        source=source,
        channel_names=("DNA", "actin"),
        affine=np.diag([0.5, 0.25, 1.0]),
        image_path=str(paths["image"]),
        labels_path=str(paths["labels"]),
        **options,
    )


def gates(names: Sequence[str] = NAMES) -> GateSet:
    """Squares on the map and a combination of them."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    polygons = [Gate(name, polygon=corners + 0.3 * k) for k, name in enumerate(names)]
    both = Gate("both", "#123abc", operation="union", members=tuple(names[:2]))
    return GateSet((*polygons, both))


def replay(n_samples: int) -> Replay:
    recorder = ReplayRecorder(2**20)
    rng = np.random.default_rng(1)
    for epoch in range(4):
        places = rng.normal(size=(n_samples, 2)).astype(np.float32)
        recorder.add(epoch, epoch / 4, places)
    return recorder.replay


@cache
def estimator(n_features: int = 128) -> ParametricUMAP:
    """Trained on noise, as small as can be."""
    X = np.random.default_rng(0).random((40, n_features), dtype=np.float32)
    fitted = ParametricUMAP(n_neighbors=5, n_epochs=20, random_state=0, dims=(n_features,))
    return fitted.fit(X)


def session(samples: Samples, *, n_trained: int | None = None, **changes: Any) -> SessionState:
    """A session without a model, or with one that knows the first `n_trained` samples."""
    n_samples = len(samples)
    rng = np.random.default_rng(2)
    positions = rng.random((n_samples, 2), dtype=np.float32)
    in_training = np.arange(n_samples) < (n_trained or 0)
    model = None
    if n_trained is not None:
        model = TrainedMap(
            estimator=estimator(),
            samples=samples.subset(in_training),
            parameters=TrainingParameters(n_neighbors=5),
            embedding=positions[in_training],
            losses={"loss": [0.5, float("nan"), 0.25]},
            run_id=7,
        )
    state = SessionState(
        samples=samples,
        positions=positions,
        parameters=TrainingParameters(n_neighbors=20, target="day"),
        gates=gates(),
        color_by=ColorBy("feature", "area", limits=(1.5, 9.0), hidden=frozenset({"x"})),
        selected=rng.random(n_samples) < 0.3,
        in_training=in_training,
        novelty=np.where(in_training, np.nan, rng.random(n_samples)).astype(np.float32),
        losses={"loss": [1.0, 0.5], "reconstruction_loss": [0.1]},
        model=model,
        replay=None if n_trained is None else replay(n_trained),
        novelty_model={"mean": rng.random(4), "units": np.ones(4)},
    )
    return replace(state, **changes)
