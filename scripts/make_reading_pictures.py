"""Make the pictures of docs/reading_a_map.md: what a map shows, and what it does not.

    python scripts/make_reading_pictures.py [NAME ...] [--folder FOLDER]

Without names it makes all, which trains about a dozen small maps and takes one or two minutes. Look
at the pictures before you commit them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from _pictures import WIDTH, draw_map, draw_picture, row_of_axes, write_chosen
from sklearn.datasets import load_digits

from embedscope import Explorer, ParametricUMAP
from embedscope.samples import jurkat_cells, samples_from_array, samples_from_labels

N_EACH = 150
N_FEATURES = 10


def groups(centres: npt.ArrayLike, widths: npt.ArrayLike) -> tuple[Any, Any]:
    """Normal groups of 150 samples in ten dimensions, on a line through the centres."""
    rng = np.random.default_rng(0)
    centres, widths = np.asarray(centres, float), np.asarray(widths, float)
    X = rng.normal(0, 1, (len(centres), N_EACH, N_FEATURES)) * widths[:, None, None]
    X[..., 0] += centres[:, None]
    return X.reshape(-1, N_FEATURES).astype(np.float32), np.repeat(range(len(centres)), N_EACH)


def place(X: Any, **parameters: Any) -> Any:
    """Positions on a map, with seed 0."""
    return ParametricUMAP(random_state=0, **parameters).fit_transform(X)


def distances() -> Any:
    """Three groups; the third is eight times as far away as the second."""
    X, group = groups([0, 15, 135], [1, 1, 1])
    figure, axes = row_of_axes(2)
    draw_map(axes[0], X[:, :2], group, "the data, two of ten features")
    draw_map(axes[1], place(X), group, "the map")
    return figure


def sizes() -> Any:
    """Three groups of as many samples; each is four times as wide as the one before."""
    X, group = groups([0, 40, 140], [0.5, 2, 8])
    figure, axes = row_of_axes(3)
    draw_map(axes[0], X[:, :2], group, "the data, two of ten features")
    draw_map(axes[1], place(X), group, "the map")
    draw_map(axes[2], place(X, densmap=True), group, "the map with densmap = True")
    return figure


def noise() -> Any:
    """Data without groups: 400 samples of one normal distribution."""
    X = np.random.default_rng(0).normal(0, 1, (400, N_FEATURES)).astype(np.float32)
    figure, axes = row_of_axes(3)
    for ax, n_neighbors in zip(axes, (3, 15, 50), strict=True):
        positions = place(X, n_neighbors=n_neighbors)
        draw_map(ax, positions, np.zeros(len(X), int), f"n_neighbors = {n_neighbors}")
    return figure


def novelty() -> Any:
    """A map of the digits 0 to 4, onto which 5 to 9 are placed."""
    images, digit = load_digits(return_X_y=True)
    is_known = digit < 5
    known = samples_from_array(images[is_known] / 16, source="known")
    explorer = trained(known)
    positions, novelty = explorer.embed(known.same_way(images[~is_known] / 16, source="new"))
    is_marked = novelty >= 0.99
    figure, axes = row_of_axes(2, height=3.0)
    draw_map(axes[0], explorer.embedding.positions, digit[is_known], "trained on the digits 0 to 4")
    draw_map(axes[1], explorer.embedding.positions, np.full(is_known.sum(), -1), "")
    for rows, marker, color in ((is_marked, "x", "#d55e00"), (~is_marked, "o", "#0072b2")):
        axes[1].scatter(*positions[rows].T, c=color, s=8, lw=0.7, marker=marker)
    axes[1].set_title(
        f"placed: 5 to 9. Crosses: novelty of 0.99 or more, {is_marked.mean():.0%}", fontsize=9
    )
    return figure


def trained(samples: Any, **parameters: Any) -> Explorer:
    """An explorer with its map."""
    explorer = Explorer(samples)
    explorer.set_parameters(**parameters)
    explorer.train()
    explorer.wait()
    return explorer


@cache
def cells() -> Explorer:
    """A map of 800 Jurkat cells with its decoder."""
    field = jurkat_cells()
    samples = samples_from_labels(
        field.image,
        field.labels,
        size=40,
        source="field",
        channel_names=field.channel_names,
        label_ids=field.label_ids[::2],
        background="median",
        features=False,
    )
    return trained(samples, min_dist=0.3)


def support() -> Any:
    """The same decoder where there are cells, and where there are none."""
    explorer = cells()
    positions = explorer.embedding.positions
    supported = explorer.draw(positions[::20])
    inside = [each for each in supported if each.support > 0.5][:4]
    outside = explorer.draw(ring(positions, 4))
    figure, axes = plt.subplot_mosaic("mmABCD;mmEFGH", figsize=(WIDTH, 2.6), layout="constrained")
    draw_map(axes["m"], positions, np.full(len(positions), -1), "", size=2)
    axes["m"].set(xticks=[], yticks=[])
    for each, mark in zip((*inside, *outside), "ABCDEFGH", strict=True):
        axes["m"].plot(*each.point, "o", ms=10, mfc="white", mec="black", lw=0.5)
        axes["m"].text(*each.point, mark, fontsize=7, ha="center", va="center")
        draw_picture(axes[mark], each.picture, f"{mark}: support {each.support:.0%}")
    return figure


def ring(positions: Any, n: int) -> Any:
    """Points around a map, outside of it."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    angles = np.linspace(0.6, 0.6 + 2 * np.pi, n, endpoint=False)
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return ((low + high) / 2 + 0.75 * (high - low) * around).astype(np.float32)


def decoded() -> Any:
    """Unseen cells, their reconstructions, and how sure the typical ones are."""
    explorer = cells()
    rows = explorer.model.estimator.validation_rows_[:6]
    figure, axes = row_of_axes(4, height=3.1)
    each = explorer.reconstruct(rows)
    places = [explorer.decode(explorer.embedding.positions[row]) for row in rows]
    columns = (
        ("real cell", [one.original for one in each]),
        ("typical cell\nof its position", [one.typical for one in each]),
        ("how sure\n(bright: less)", [np.asarray(one.spread_picture) for one in places]),
        ("with its\nstyle code", [one.picture for one in each]),
    )
    for ax, (title, pictures) in zip(axes, columns, strict=True):
        half = len(pictures) // 2
        halves = [np.concatenate(pictures[k : k + half]) for k in (0, half)]
        draw_picture(ax, np.concatenate(halves, axis=1), title)
    return figure


PICTURES = {made.__name__: made for made in (distances, sizes, noise, novelty, support, decoded)}

if __name__ == "__main__":
    write_chosen(__doc__.splitlines()[0], PICTURES, "reading")
