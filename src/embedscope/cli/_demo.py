"""The demo: from an image with labelled cells to a map, its decoder, and cells of tomorrow.

All of it goes through an `Explorer`, as a script of a user's would.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embedscope.explorer import Explorer
from embedscope.samples import Samples, jurkat_cells, samples_from_labels
from embedscope.training import TrainingParameters

if TYPE_CHECKING:
    from embedscope.core import ParametricUMAP

_CROP_PX = 40
_HELD_BACK = 0.2
_GRID_CELLS = 320  # places of the decoded map, before those without cells are left out
_N_EACH_PHASE = 3
_SEED = 0
_ALL_CHANNELS = TrainingParameters(min_dist=0.3, neighbor_blur_px=2.0, random_state=_SEED)
# How much blur is best was found by the phases of these same cells, so the scores are a little too
# good.
_LABEL_FREE = _ALL_CHANNELS.replace(neighbor_blur_px=1.0, reconstruction=False)
_LABEL_FREE_CHANNELS = [0, 2]  # brightfield and darkfield


@dataclass(frozen=True)
class Cells:
    """Cells to train on and cells held back, with the phase that an expert's gates gave each."""

    train: Samples
    held_back: Samples
    phase_names: tuple[str, ...]

    @property
    def phase(self) -> np.ndarray:
        """Phase of each training cell, an index into `phase_names`."""
        return self.train.column("phase")

    @property
    def held_back_phase(self) -> np.ndarray:
        """Phase of each cell held back."""
        return self.held_back.column("phase")


def run_demo(out: Path) -> None:
    """Do the whole job and write the pictures.

    Parameters
    ----------
    out : Path
        Folder for the pictures and the session; made if it is missing.
    """
    began = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    with _step("Loading TensorFlow"):
        import embedscope.core.fitting  # noqa: F401 - imported here so that its time shows
    with _step("Cutting crops around the cells of the sample image"):
        cells = _read_cells()
    print(f"   {len(cells.train)} cells to train on, {len(cells.held_back)} held back")
    with _step("Training the map and its decoder"):
        explorer = _explore(cells.train, _ALL_CHANNELS)
    with _step("Drawing a gate around the cells in metaphase, and saving the session"):
        _gate_metaphase(explorer, cells)
        explorer.save(out / "session")
        explorer.to_csv(out / "cells.csv")
    with _step("Placing the cells held back, in a fresh process that knows the session's files"):
        placed = _place_in_fresh_process(out / "session" / "model", cells.held_back.X)
    accuracy, balanced = _score(cells, explorer.embedding.positions, placed)
    with _step("Training on brightfield and darkfield alone"):
        blind = _explore(_some_channels(cells.train), _LABEL_FREE)
    blind_placed, _ = blind.embed(_some_channels(cells.held_back))
    blind_accuracy, blind_balanced = _score(cells, blind.embedding.positions, blind_placed)
    with _step("Drawing"):
        _draw(out, cells, explorer, placed, accuracy)
    common = np.bincount(cells.held_back_phase).max() / len(cells.held_back)
    print("Cell-cycle phase of the cells held back, from their 15 neighbours on the map")
    print(f"   all channels              {accuracy:.2f} accuracy, {balanced:.2f} balanced")
    print(
        f"   brightfield and darkfield {blind_accuracy:.2f} accuracy, {blind_balanced:.2f} balanced"
    )
    print(f"   always the commonest      {common:.2f} accuracy, {1 / 7:.2f} balanced")
    print("   (the phases were gated on DNA content, so the first line is partly circular)")
    print(f"{len(cells.held_back)} cells held back. {_explained(explorer, cells)}")
    print(f"Pictures and session are in {out}. {time.perf_counter() - began:.0f} s in all.")


@contextmanager
def _step(title: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    began = time.perf_counter()
    print(f"{title} ... ", end="", flush=True)
    yield
    print(f"{time.perf_counter() - began:.1f} s")


def _read_cells() -> Cells:
    from sklearn.model_selection import train_test_split

    field = jurkat_cells()
    cut = samples_from_labels(
        field.image,
        field.labels,
        _CROP_PX,
        source="Jurkat cells",
        channel_names=field.channel_names,
        label_ids=field.label_ids,
        background="median",
        align=True,
    )
    # What is known of each cell goes by its label, in whatever order the crops come.
    known = np.argsort(field.label_ids)
    place = known[np.searchsorted(field.label_ids[known], cut.column("label"))]
    known_cells = cut.with_features(phase=field.phase[place], total_dna=field.total_dna[place])
    train, held_back = train_test_split(
        np.arange(len(cut)), test_size=_HELD_BACK, stratify=field.phase[place], random_state=_SEED
    )
    return Cells(known_cells.subset(train), known_cells.subset(held_back), field.phase_names)


def _some_channels(cells: Samples) -> np.ndarray:
    return cells.X[..., _LABEL_FREE_CHANNELS]


def _explore(samples: Samples | np.ndarray, parameters: TrainingParameters) -> Explorer:
    """Train, and wait for the end."""
    explorer = Explorer(samples, parameters=parameters)
    explorer.train()
    status = explorer.wait()
    if status.error is not None:
        raise status.error
    return explorer


def _gate_metaphase(explorer: Explorer, cells: Cells) -> None:
    """The convex hull of the middle half of the cells in metaphase, as a gate."""
    from scipy.spatial import ConvexHull

    chosen = explorer.embedding.positions[cells.phase == cells.phase_names.index("Metaphase")]
    distance = np.linalg.norm(chosen - np.median(chosen, axis=0), axis=1)
    middle = chosen[distance <= np.median(distance)]
    explorer.add_gate(middle[ConvexHull(middle).vertices], "metaphase")
    explorer.select_gate("metaphase")


def _place_in_fresh_process(model: Path, crops: np.ndarray) -> np.ndarray:
    """Positions from a process that knows nothing but the files of the model."""
    with tempfile.TemporaryDirectory() as folder:
        data, positions = Path(folder) / "crops.npy", Path(folder) / "positions.npy"
        np.save(data, crops)
        command = [sys.executable, "-m", "embedscope", "transform", "--quiet", model, data]
        subprocess.run([*map(str, command), "--out", str(positions)], check=True)
        return np.asarray(np.load(positions, allow_pickle=False))


def _score(cells: Cells, places: np.ndarray, placed: np.ndarray) -> tuple[float, float]:
    """Accuracy and balanced accuracy of the phase of the cells held back."""
    from sklearn.metrics import accuracy_score, balanced_accuracy_score
    from sklearn.neighbors import KNeighborsClassifier

    classifier = KNeighborsClassifier(15).fit(places, cells.phase)
    predicted, true = classifier.predict(placed), cells.held_back_phase
    return float(accuracy_score(true, predicted)), float(balanced_accuracy_score(true, predicted))


def _draw(out: Path, cells: Cells, explorer: Explorer, placed: np.ndarray, accuracy: float) -> None:
    from embedscope.cli import _pictures as pictures

    crops, held_back = cells.train.X, cells.held_back.X
    places, phase, names = explorer.embedding.positions, cells.phase, cells.phase_names
    background = np.median(crops[:, 0, 0], axis=0)  # a corner, outside of the cells
    pictures.draw_map(out / "map.png", places, phase, names, cells.train.column("total_dna"))
    pictures.draw_cells_on_map(out / "cells_on_map.png", places, crops, background)
    pictures.draw_losses(out / "losses.png", explorer.losses)
    shown = _some_of_each_phase(cells)
    typical, own = _decoded(explorer, placed[shown]), _reconstructed(explorer, held_back[shown])
    pictures.draw_reconstructions(
        out / "reconstructions.png",
        {
            "real": held_back[shown],
            "with its own code": own,
            "typical at its place": typical,
            "own code less real": own - held_back[shown],
        },
        [names[k] for k in cells.held_back_phase[shown]],
        cells.train.channel_names,
        f"Cells that nothing was learned from. {_explained(explorer, cells)}",
    )
    pictures.draw_grid(out / "decoded_map.png", *_decode_grid(explorer), background)
    pictures.draw_held_out(
        out / "held_back.png", places, placed, cells.held_back_phase, names, accuracy
    )
    explorer.save_montage(out / "metaphase.png", "metaphase")


def _decoded(explorer: Explorer, points: np.ndarray) -> np.ndarray:
    """Typical cells as the decoder draws them, float32 in 0..1."""
    return _estimator(explorer).inverse_transform(points)


def _reconstructed(explorer: Explorer, crops: np.ndarray) -> np.ndarray:
    """Cells as the decoder draws them from their places and their own codes."""
    estimator = _estimator(explorer)
    return estimator.inverse_transform(estimator.transform(crops), estimator.style(crops))


def _estimator(explorer: Explorer) -> ParametricUMAP:
    model = explorer.model
    assert model is not None
    return model.estimator


def _explained(explorer: Explorer, cells: Cells) -> str:
    """What is explained of the cells held back, which neither network has seen."""
    real = cells.held_back.X
    nothing = np.square(real - cells.train.X.mean(axis=0)).sum()
    typical = _decoded(explorer, _estimator(explorer).transform(real))
    own = _reconstructed(explorer, real)
    place, code = (100 * (1 - np.square(drawn - real).sum() / nothing) for drawn in (typical, own))
    return f"Explained: {place:.0f} % by their place, {code:.0f} % with their own code."


def _some_of_each_phase(cells: Cells) -> np.ndarray:
    phase = cells.held_back_phase
    rng = np.random.default_rng(_SEED)
    return np.concatenate(
        [
            rng.permutation(np.flatnonzero(phase == k))[:_N_EACH_PHASE]
            for k in range(len(cells.phase_names))
        ]
    )


def _decode_grid(explorer: Explorer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners of a grid over the map, the cells decoded on it, and where real cells are near."""
    from sklearn.neighbors import NearestNeighbors

    places = explorer.embedding.positions
    low, high = np.percentile(places, [0.2, 99.8], axis=0)
    step = float(np.sqrt(np.prod(high - low) / _GRID_CELLS))
    n_columns, n_rows = np.ceil((high - low) / step).astype(int)
    middle = (low + high) / 2
    half = np.array([n_columns, n_rows]) * step / 2
    x = middle[0] - half[0] + step * (np.arange(n_columns) + 0.5)
    y = middle[1] + half[1] - step * (np.arange(n_rows) + 0.5)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    distance, _ = NearestNeighbors(n_neighbors=1).fit(places).kneighbors(points)
    decoded = _decoded(explorer, points)
    return (
        np.array([middle - half, middle + half]),
        decoded.reshape(n_rows, n_columns, *decoded.shape[1:]),
        (distance[:, 0] < 0.75 * step).reshape(n_rows, n_columns),
    )
