"""The demo: from an image with labelled cells to a map, its decoder, and later cells.

It uses an `Explorer`, like a script of a user.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embedscope._errors import MissingDependencyError
from embedscope.explorer import Explorer
from embedscope.samples import Samples, jurkat_cells, samples_from_labels
from embedscope.training import TrainingParameters

if TYPE_CHECKING:
    from embedscope.core import ParametricUMAP

_CROP_PX = 40
_HELD_OUT = 0.2  # share of the cells
_GRID_CELLS = 320  # points of the decoded map, before those without cells are left out
_N_EACH_PHASE = 3
_SEED = 0
_ALL_CHANNELS = TrainingParameters(min_dist=0.3, neighbor_blur_px=2.0, random_state=_SEED)
# The best blur was chosen by the phases of these same cells, so the scores are a little too good.
_LABEL_FREE = _ALL_CHANNELS.replace(neighbor_blur_px=1.0, reconstruction=False)
_LABEL_FREE_CHANNELS = [0, 2]  # brightfield and darkfield


@dataclass(frozen=True)
class Cells:
    """Cells to train on and cells held out, with the phase that gates of an expert gave each."""

    train: Samples
    held_out: Samples
    phase_names: tuple[str, ...]

    @property
    def phase(self) -> np.ndarray:
        """Phase of each training cell, an index into `phase_names`."""
        return self.train.column("phase")

    @property
    def held_out_phase(self) -> np.ndarray:
        """Phase of each cell held out."""
        return self.held_out.column("phase")


def run_demo(out: Path) -> None:
    """Run the demo and write the pictures.

    Parameters
    ----------
    out : Path
        Folder for the pictures and the session; made if it is missing.

    Raises
    ------
    MissingDependencyError
        If scikit-image, which measures the cells, is missing.
    """
    if find_spec("skimage") is None:  # said now, not after TensorFlow is loaded
        raise MissingDependencyError(
            "demo must find scikit-image; it is not installed. Run: pip install "
            '"embedscope[images]"'
        )
    began = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    with _step("Loading TensorFlow"):
        import embedscope.core.fitting  # noqa: F401 - imported here to show how long it takes
    with _step("Cutting crops around the cells of the sample image"):
        cells = _read_cells()
    print(f"   {len(cells.train)} cells to train on, {len(cells.held_out)} held out")
    with _step("Training the map and its decoder"):
        explorer = _explore(cells.train, _ALL_CHANNELS)
    with _step("Drawing a gate around the cells in metaphase, and saving the session"):
        _gate_metaphase(explorer, cells)
        explorer.save(out / "session")
        explorer.to_csv(out / "cells.csv")
    with _step("Mapping the cells held out, in a new process that only reads the saved model"):
        mapped = _map_in_new_process(out / "session" / "model", cells.held_out.X)
    accuracy, balanced = _score(cells, explorer.embedding.positions, mapped)
    with _step("Training on brightfield and darkfield only"):
        blind = _explore(_some_channels(cells.train), _LABEL_FREE)
    blind_mapped, _ = blind.embed(_some_channels(cells.held_out))
    blind_accuracy, blind_balanced = _score(cells, blind.embedding.positions, blind_mapped)
    with _step("Plotting"):
        _draw(out, cells, explorer, mapped, accuracy)
    common = np.bincount(cells.held_out_phase).max() / len(cells.held_out)
    print("Cell-cycle phase of the cells held out, from their 15 neighbours on the map")
    print(f"   all channels              {accuracy:.2f} accuracy, {balanced:.2f} balanced")
    print(
        f"   brightfield and darkfield {blind_accuracy:.2f} accuracy, {blind_balanced:.2f} balanced"
    )
    print(f"   always the most common    {common:.2f} accuracy, {1 / 7:.2f} balanced")
    print("   (the phases were gated on DNA content, so the first line is partly circular)")
    print(f"{len(cells.held_out)} cells held out. {_explained(explorer, cells)}")
    print(f"Pictures and session are in {out}. {time.perf_counter() - began:.0f} s in all.")


@contextmanager
def _step(title: str) -> Iterator[None]:
    """Print what is done, and how long it took."""
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
    # Phase and DNA of each cell are found by its label, since crops may have another order.
    known = np.argsort(field.label_ids)
    rows = known[np.searchsorted(field.label_ids[known], cut.column("label"))]
    known_cells = cut.with_features(phase=field.phase[rows], total_dna=field.total_dna[rows])
    train, held_out = train_test_split(
        np.arange(len(cut)), test_size=_HELD_OUT, stratify=field.phase[rows], random_state=_SEED
    )
    return Cells(known_cells.subset(train), known_cells.subset(held_out), field.phase_names)


def _some_channels(cells: Samples) -> np.ndarray:
    return cells.X[..., _LABEL_FREE_CHANNELS]


def _explore(samples: Samples | np.ndarray, parameters: TrainingParameters) -> Explorer:
    """Train, and wait for the end of the run."""
    explorer = Explorer(samples, parameters=parameters)
    explorer.train()
    status = explorer.wait()
    if status.error is not None:
        raise status.error
    return explorer


def _gate_metaphase(explorer: Explorer, cells: Cells) -> None:
    """Add a gate: the convex hull of the middle half of the cells in metaphase."""
    from scipy.spatial import ConvexHull

    metaphase = explorer.embedding.positions[cells.phase == cells.phase_names.index("Metaphase")]
    distance = np.linalg.norm(metaphase - np.median(metaphase, axis=0), axis=1)
    middle = metaphase[distance <= np.median(distance)]
    explorer.add_gate(middle[ConvexHull(middle).vertices], "metaphase")
    explorer.select_gate("metaphase")


def _map_in_new_process(model: Path, crops: np.ndarray) -> np.ndarray:
    """Positions from a new process, which has only the files of the model."""
    with tempfile.TemporaryDirectory() as folder:
        data, positions = Path(folder) / "crops.npy", Path(folder) / "positions.npy"
        np.save(data, crops)
        command = [sys.executable, "-m", "embedscope", "transform", "--quiet", model, data]
        subprocess.run([*map(str, command), "--out", str(positions)], check=True)
        return np.asarray(np.load(positions, allow_pickle=False))


def _score(cells: Cells, positions: np.ndarray, mapped: np.ndarray) -> tuple[float, float]:
    """Accuracy and balanced accuracy of the phase of the cells held out."""
    from sklearn.metrics import accuracy_score, balanced_accuracy_score
    from sklearn.neighbors import KNeighborsClassifier

    classifier = KNeighborsClassifier(15).fit(positions, cells.phase)
    predicted, true = classifier.predict(mapped), cells.held_out_phase
    return float(accuracy_score(true, predicted)), float(balanced_accuracy_score(true, predicted))


def _draw(out: Path, cells: Cells, explorer: Explorer, mapped: np.ndarray, accuracy: float) -> None:
    from embedscope.cli import _pictures as pictures

    crops, held_out = cells.train.X, cells.held_out.X
    positions, phase, names = explorer.embedding.positions, cells.phase, cells.phase_names
    background = np.median(crops[:, 0, 0], axis=0)  # a corner, outside of the cells
    pictures.draw_map(out / "map.png", positions, phase, names, cells.train.column("total_dna"))
    pictures.draw_cells_on_map(out / "cells_on_map.png", positions, crops, background)
    pictures.draw_losses(out / "losses.png", explorer.losses)
    shown = _some_of_each_phase(cells)
    typical, own = _decoded(explorer, mapped[shown]), _reconstructed(explorer, held_out[shown])
    pictures.draw_reconstructions(
        out / "reconstructions.png",
        {
            "real": held_out[shown],
            "with its own style code": own,
            "typical at its position": typical,
            "own style code minus real": own - held_out[shown],
        },
        [names[k] for k in cells.held_out_phase[shown]],
        cells.train.channel_names,
        f"Cells that were held out. {_explained(explorer, cells)}",
    )
    pictures.draw_grid(out / "decoded_map.png", *_decode_grid(explorer), background)
    pictures.draw_held_out(
        out / "held_back.png", positions, mapped, cells.held_out_phase, names, accuracy
    )
    explorer.save_montage(out / "metaphase.png", "metaphase")


def _decoded(explorer: Explorer, points: np.ndarray) -> np.ndarray:
    """Decoded typical cells, float32 in 0..1."""
    return _estimator(explorer).inverse_transform(points)


def _reconstructed(explorer: Explorer, crops: np.ndarray) -> np.ndarray:
    """Reconstructions of cells, from their positions and their own style codes."""
    estimator = _estimator(explorer)
    return estimator.inverse_transform(estimator.transform(crops), estimator.style(crops))


def _estimator(explorer: Explorer) -> ParametricUMAP:
    model = explorer.model
    assert model is not None
    return model.estimator


def _explained(explorer: Explorer, cells: Cells) -> str:
    """How much is explained of the cells held out, which neither network has seen."""
    real = cells.held_out.X
    nothing = np.square(real - cells.train.X.mean(axis=0)).sum()
    typical = _decoded(explorer, _estimator(explorer).transform(real))
    own = _reconstructed(explorer, real)
    position, code = (
        100 * (1 - np.square(decoded - real).sum() / nothing) for decoded in (typical, own)
    )
    return f"Explained: {position:.0f} % by their position, {code:.0f} % with their own style code."


def _some_of_each_phase(cells: Cells) -> np.ndarray:
    phase = cells.held_out_phase
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

    positions = explorer.embedding.positions
    low, high = np.percentile(positions, [0.2, 99.8], axis=0)
    step = float(np.sqrt(np.prod(high - low) / _GRID_CELLS))
    n_columns, n_rows = np.ceil((high - low) / step).astype(int)
    middle = (low + high) / 2
    half = np.array([n_columns, n_rows]) * step / 2
    x = middle[0] - half[0] + step * (np.arange(n_columns) + 0.5)
    y = middle[1] + half[1] - step * (np.arange(n_rows) + 0.5)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    distance, _ = NearestNeighbors(n_neighbors=1).fit(positions).kneighbors(points)
    decoded = _decoded(explorer, points)
    return (
        np.array([middle - half, middle + half]),
        decoded.reshape(n_rows, n_columns, *decoded.shape[1:]),
        (distance[:, 0] < 0.75 * step).reshape(n_rows, n_columns),
    )
