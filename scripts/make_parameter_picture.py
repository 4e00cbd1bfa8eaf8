"""Make the picture of n_neighbors and min_dist for docs/choosing.md.

    python scripts/make_parameter_picture.py [FILE]

It trains nine maps of 600 digits, which takes half a minute.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from embedscope import ParametricUMAP

ROOT = Path(__file__).resolve().parents[1]
N_NEIGHBORS = (5, 15, 50)
MIN_DIST = (0.0, 0.1, 0.5)


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "docs" / "images" / "choosing.png"
    parser.add_argument("file", type=Path, nargs="?", default=default)
    images, digit = load_digits(return_X_y=True)
    figure, axes = plt.subplots(3, 3, figsize=(8, 8), layout="constrained")
    for row, n_neighbors in zip(axes, N_NEIGHBORS, strict=True):
        for ax, min_dist in zip(row, MIN_DIST, strict=True):
            mapper = ParametricUMAP(n_neighbors, min_dist=min_dist, random_state=0)
            x, y = mapper.fit_transform(images[:600] / 16).T
            ax.scatter(x, y, c=digit[:600], cmap="tab10", s=4, linewidths=0)
            ax.set(xticks=[], yticks=[], aspect="equal")
            ax.set_title(f"n_neighbors={n_neighbors}, min_dist={min_dist:g}", fontsize=9)
    figure.savefig(parser.parse_args().file, dpi=90, pil_kwargs={"optimize": True})


if __name__ == "__main__":
    main()
