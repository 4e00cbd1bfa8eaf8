"""Small images for the command line, and parameters that train quickly."""

from __future__ import annotations

import numpy as np

QUICK = ["--set", "n_neighbors=5", "--set", "encoder=dense", "--set", "reconstruction=false"]


def field(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """An image of two channels and its labels: 60 squares, ids with gaps."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((120, 200), np.uint16)
    for number in range(60):
        row, column = divmod(number, 10)
        labels[20 * row + 4 : 20 * row + 16, 20 * column + 4 : 20 * column + 16] = 7 * number + 3
    image = rng.random((*labels.shape, 2)) * 0.2 + (labels % 5)[..., np.newaxis] / 5
    return image.astype(np.float32), labels
