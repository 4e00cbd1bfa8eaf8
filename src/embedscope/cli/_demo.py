"""The demo: from an image with labelled cells to a map, its decoder, and cells of tomorrow."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embedscope.samples import ChannelScale, crops_from_labels, jurkat_cells

_CROP_PX = 40
_HELD_BACK = 0.2
_N_NEIGHBORS = 15
_LABEL_FREE = [0, 2]  # brightfield and darkfield
_BLEND = 0.5  # of the distance between neighbouring cells on the map
_GRID_CELLS = 320  # places of the decoded map, before those without cells are left out
_SEED = 0


@dataclass(frozen=True)
class Cells:
    """Crops with what is known of each cell, split into training cells and cells held back."""

    crops: np.ndarray
    phase: np.ndarray
    total_dna: np.ndarray
    train: np.ndarray
    held_back: np.ndarray
    phase_names: tuple[str, ...]
    channel_names: tuple[str, ...]


def run_demo(out: Path) -> None:
    """Do the whole job and write the pictures.

    Parameters
    ----------
    out : Path
        Folder for the pictures and the model; made if it is missing.
    """
    began = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    with _step("Loading TensorFlow"):
        import embedscope.core._fitting  # noqa: F401 - imported here so that its time shows
    with _step("Cutting crops around the cells of the sample image"):
        cells = _read_cells()
    print(f"   {len(cells.train)} cells to train on, {len(cells.held_back)} held back")
    with _step("Laying out a first map"):
        start = _first_map(cells, cells.crops, blur_px=2.0)
    with _step("Training encoder and decoder together"):
        mapper = _train(cells, start)
    with _step("Saving the model, loading it in a fresh process, placing the cells held back"):
        mapper.save(out / "model")
        placed = _place_in_fresh_process(out / "model", cells.crops[cells.held_back])
    accuracy, balanced = _score(cells, mapper.embedding_, placed)
    with _step("Training on brightfield and darkfield alone"):
        blind = _first_map(cells, cells.crops[..., _LABEL_FREE], blur_px=1.0)
    blind_placed = blind.transform(cells.crops[cells.held_back][..., _LABEL_FREE])
    blind_accuracy, blind_balanced = _score(cells, blind.embedding_, blind_placed)
    with _step("Drawing"):
        _draw(out, cells, mapper, placed, accuracy)
    common = np.bincount(cells.phase[cells.held_back]).max() / len(cells.held_back)
    print("Cell-cycle phase of the cells held back, from their 15 neighbours on the map")
    print(f"   all channels              {accuracy:.2f} accuracy, {balanced:.2f} balanced")
    print(
        f"   brightfield and darkfield {blind_accuracy:.2f} accuracy, {blind_balanced:.2f} balanced"
    )
    print(f"   always the commonest      {common:.2f} accuracy, {1 / 7:.2f} balanced")
    print("   (the phases were gated on DNA content, so the first line is partly circular)")
    print(f"Pictures and model are in {out}. {time.perf_counter() - began:.0f} s in all.")


@contextmanager
def _step(title: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    began = time.perf_counter()
    print(f"{title} ... ", end="", flush=True)
    yield
    print(f"{time.perf_counter() - began:.1f} s")


def _read_cells() -> Cells:
    from sklearn.model_selection import train_test_split

    sample = jurkat_cells()
    cut = crops_from_labels(
        sample.image,
        sample.labels,
        _CROP_PX,
        label_ids=sample.label_ids,
        background="median",
        align=True,
    )
    train, held_back = train_test_split(
        np.arange(len(cut)), test_size=_HELD_BACK, stratify=sample.phase, random_state=_SEED
    )
    scale = ChannelScale.from_images(cut.images[train])
    return Cells(
        scale.apply(cut.images),
        sample.phase,
        sample.total_dna,
        train,
        held_back,
        sample.phase_names,
        sample.channel_names,
    )


def _neighbors(crops: np.ndarray, blur_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours by what cells look like from a little farther away: blurred, 40 components.

    Pixel by pixel, two cells differ most in where their granules happen to lie. How much blur is
    best was found by the phases of these same cells, so the scores are a little too good.
    """
    from scipy.ndimage import gaussian_filter
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    blurred = gaussian_filter(crops, sigma=(0, blur_px, blur_px, 0)).reshape(len(crops), -1)
    components = PCA(40, random_state=_SEED).fit_transform(blurred)
    found = NearestNeighbors(n_neighbors=_N_NEIGHBORS).fit(components)
    distances, indices = found.kneighbors(components)
    return indices, distances


def _first_map(cells: Cells, crops: np.ndarray, blur_px: float) -> Any:
    """A map without a decoder: seconds."""
    from embedscope import ParametricUMAP

    chosen = crops[cells.train]
    return ParametricUMAP(
        _N_NEIGHBORS, precomputed_knn=_neighbors(chosen, blur_px), min_dist=0.3, random_state=_SEED
    ).fit(chosen)


def _train(cells: Cells, start: Any) -> Any:
    """A convolutional encoder and a decoder of exemplars, trained jointly from the first map."""
    from sklearn.neighbors import NearestNeighbors

    from embedscope import ParametricUMAP
    from embedscope.cli._cell_networks import cell_encoder, exemplar_decoder

    crops, places = cells.crops[cells.train], start.embedding_
    distances, _ = NearestNeighbors(n_neighbors=3).fit(places).kneighbors(places)
    blend = _BLEND * float(np.median(distances[:, 2]))
    return ParametricUMAP(
        _N_NEIGHBORS,
        precomputed_knn=start.precomputed_knn,
        min_dist=0.3,
        init=places,
        n_epochs=50,
        learning_rate=0.1,  # the exemplars stand where the first map put them
        encoder=cell_encoder(crops.shape[1:], _SEED),
        decoder=exemplar_decoder(places, crops, blend),
        dims=crops.shape[1:],
        parametric_reconstruction=True,
        autoencoder_loss=True,
        reconstruction_validation=cells.crops[cells.held_back],
        random_state=_SEED,
    ).fit(crops)


def _place_in_fresh_process(model: Path, crops: np.ndarray) -> np.ndarray:
    """Positions from a process that knows nothing but the files of the model."""
    with tempfile.TemporaryDirectory() as folder:
        data, positions = Path(folder) / "crops.npy", Path(folder) / "positions.npy"
        np.save(data, crops)
        command = [sys.executable, "-m", "embedscope.cli", "transform", model, data]
        subprocess.run([*map(str, command), "--out", str(positions)], check=True)
        return np.asarray(np.load(positions, allow_pickle=False))


def _score(cells: Cells, places: np.ndarray, placed: np.ndarray) -> tuple[float, float]:
    """Accuracy and balanced accuracy of the phase of the cells held back."""
    from sklearn.metrics import accuracy_score, balanced_accuracy_score
    from sklearn.neighbors import KNeighborsClassifier

    classifier = KNeighborsClassifier(15).fit(places, cells.phase[cells.train])
    predicted, true = classifier.predict(placed), cells.phase[cells.held_back]
    return float(accuracy_score(true, predicted)), float(balanced_accuracy_score(true, predicted))


def _draw(out: Path, cells: Cells, mapper: Any, placed: np.ndarray, accuracy: float) -> None:
    from embedscope.cli import _pictures as pictures

    crops, places = cells.crops[cells.train], mapper.embedding_
    phase, names = cells.phase[cells.train], cells.phase_names
    background = np.median(crops[:, 0, 0], axis=0)  # a corner, outside of the cells
    pictures.draw_map(out / "map.png", places, phase, names, cells.total_dna[cells.train])
    pictures.draw_cells_on_map(out / "cells_on_map.png", places, crops, background)
    pictures.draw_losses(out / "losses.png", mapper.history_)
    shown = _some_of_each_phase(cells)
    pictures.draw_reconstructions(
        out / "reconstructions.png",
        cells.crops[cells.held_back][shown],
        mapper.inverse_transform(placed[shown]),
        [names[k] for k in cells.phase[cells.held_back][shown]],
        cells.channel_names,
    )
    pictures.draw_grid(out / "decoded_map.png", *_decode_grid(mapper, places), background)
    pictures.draw_held_out(
        out / "held_back.png", places, placed, cells.phase[cells.held_back], names, accuracy
    )


def _some_of_each_phase(cells: Cells, n_each: int = 3) -> np.ndarray:
    phase = cells.phase[cells.held_back]
    rng = np.random.default_rng(_SEED)
    return np.concatenate(
        [
            rng.permutation(np.flatnonzero(phase == k))[:n_each]
            for k in range(len(cells.phase_names))
        ]
    )


def _decode_grid(mapper: Any, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners of a grid over the map, the cells decoded on it, and where real cells are near."""
    from sklearn.neighbors import NearestNeighbors

    low, high = np.percentile(places, [0.2, 99.8], axis=0)
    step = float(np.sqrt(np.prod(high - low) / _GRID_CELLS))
    n_columns, n_rows = np.ceil((high - low) / step).astype(int)
    middle = (low + high) / 2
    half = np.array([n_columns, n_rows]) * step / 2
    x = middle[0] - half[0] + step * (np.arange(n_columns) + 0.5)
    y = middle[1] + half[1] - step * (np.arange(n_rows) + 0.5)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    distance, _ = NearestNeighbors(n_neighbors=1).fit(places).kneighbors(points)
    decoded = mapper.inverse_transform(points)
    return (
        np.array([middle - half, middle + half]),
        decoded.reshape(n_rows, n_columns, *decoded.shape[1:]),
        (distance[:, 0] < 0.75 * step).reshape(n_rows, n_columns),
    )
