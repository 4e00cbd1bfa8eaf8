"""The data of all benchmarks: scaled to 0..1, float32, with labels and a held-out part."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist


@dataclass(frozen=True)
class Split:
    """Training and held-out samples with their class labels."""

    name: str
    train: np.ndarray
    train_labels: np.ndarray
    held_out: np.ndarray
    held_out_labels: np.ndarray


def _read_idx(path: Path) -> np.ndarray:
    """Read one gzipped IDX file (the MNIST format) of unsigned bytes."""
    raw = gzip.decompress(path.read_bytes())
    n_dims = raw[3]
    shape = np.frombuffer(raw, dtype=">i4", count=n_dims, offset=4)
    return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * n_dims).reshape(shape)


def fashion_mnist(n_train: int) -> Split:
    """Fashion-MNIST: the first `n_train` training images, all 10,000 test images held out."""
    if not FASHION_MNIST.is_dir():
        raise SystemExit(
            f"Fashion-MNIST not found in {FASHION_MNIST}. apt-get install dataset-fashion-mnist."
        )

    def images(part: str) -> np.ndarray:
        pixels = _read_idx(FASHION_MNIST / f"{part}-images-idx3-ubyte.gz")
        return (pixels.reshape(len(pixels), -1) / np.float32(255)).astype(np.float32)

    def labels(part: str) -> np.ndarray:
        return _read_idx(FASHION_MNIST / f"{part}-labels-idx1-ubyte.gz").astype(np.int64)

    return Split(
        f"fashion-mnist-{n_train}",
        images("train")[:n_train],
        labels("train")[:n_train],
        images("t10k"),
        labels("t10k"),
    )


def digits() -> Split:
    """scikit-learn's 8 x 8 digits: 1,437 to train on, 360 held out."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    train, held_out, y_train, y_held_out = train_test_split(
        (pixels / 16).astype(np.float32), labels, test_size=360, random_state=0, stratify=labels
    )
    return Split("digits", train, y_train, held_out, y_held_out)


def load(name: str) -> Split:
    """Load a data set by its benchmark name: `digits`, `fashion-mnist-10000`, ..."""
    if name == "digits":
        return digits()
    return fashion_mnist(int(name.rsplit("-", 1)[1]))
