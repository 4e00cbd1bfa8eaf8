"""Make the pictures of docs/choosing.md: what each parameter does.

    python scripts/make_parameter_pictures.py [NAME ...] [--folder FOLDER]

Without names it makes all, which trains about fifty small maps and takes a few minutes. In each
picture one parameter changes and nothing else, with one seed. Look at the pictures before you
commit them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from _pictures import draw_map, draw_picture, row_of_axes, write_chosen
from sklearn.datasets import load_digits

from embedscope import Explorer, ParametricUMAP
from embedscope.samples import jurkat_cells, nuclei, samples_from_array, samples_from_labels

N_DIGITS = 600
PHASES = ("G1", "S", "G2")  # the common ones


@cache
def digits() -> tuple[Any, Any]:
    """600 images of 8 x 8 pixels, flattened, 0..1, and which digit each shows."""
    images, digit = load_digits(return_X_y=True)
    return (images[:N_DIGITS] / 16).astype(np.float32), digit[:N_DIGITS]


@cache
def cells() -> tuple[Any, Any]:
    """Jurkat cells, all channels, and the number of each cell's phase; -1 for rare phases."""
    field = jurkat_cells()
    chosen = field.label_ids[::2]
    samples = samples_from_labels(
        field.image,
        field.labels,
        size=32,
        source="field",
        channel_names=field.channel_names,
        label_ids=chosen,
        features=False,
    )
    number = {field.phase_names.index(name): k for k, name in enumerate(PHASES)}
    phase_of = dict(zip(field.label_ids.tolist(), field.phase.tolist(), strict=True))
    phases = [number.get(phase_of[int(label)], -1) for label in samples.identities.label]
    return samples, np.array(phases)


def trained(samples: Any, **parameters: Any) -> Explorer:
    """An explorer with its map."""
    explorer = Explorer(samples)
    explorer.set_parameters(**parameters)
    explorer.train()
    explorer.wait()
    return explorer


def compare(
    parameter: str, values: tuple[Any, ...], X: Any = None, y: Any = None, **others: Any
) -> Any:
    """A row of maps of the digits, one for each value of a parameter."""
    images, digit = digits()
    X = images if X is None else X
    figure, axes = row_of_axes(len(values))
    for ax, value in zip(axes, values, strict=True):
        mapper = ParametricUMAP(random_state=0, **(others | {parameter: value}))
        title = f"{parameter} = {value:g}" if isinstance(value, float) else f"{parameter} = {value}"
        draw_map(ax, mapper.fit_transform(X, y), digit, title)
    return figure


def spread() -> Any:
    """With rulers: the shape stays alike, the units change."""
    figure = compare("spread", (0.5, 1.0, 3.0))
    for ax in figure.axes:
        points = np.concatenate([each.get_offsets() for each in ax.collections])
        left, low = points.min(axis=0)
        low -= 0.1 * np.ptp(points[:, 1])
        ax.plot([left, left + 10], [low, low], color="black", lw=2)
        ax.text(left + 11, low, "10 map units", fontsize=7, va="center")
    return figure


def random_state() -> Any:
    """Three seeds: groups stay, places change."""
    images, digit = digits()
    figure, axes = row_of_axes(3)
    for seed, ax in enumerate(axes):
        positions = ParametricUMAP(random_state=seed).fit_transform(images)
        draw_map(ax, positions, digit, f"random_state = {seed}")
    return figure


def metric() -> Any:
    """Each image as bright as chance wants: an artefact that cosine does not see."""
    images, _ = digits()
    light = np.random.default_rng(0).uniform(0.2, 1.0, (len(images), 1)).astype(np.float32)
    return compare("metric", ("euclidean", "cosine", "correlation"), images * light)


def target_weight() -> Any:
    """Noisy images, whose groups overlap; every second label is known."""
    images, digit = digits()
    noise = np.random.default_rng(0).normal(0, 0.4, images.shape).astype(np.float32)
    known = np.where(np.arange(len(images)) % 2 == 0, digit, -1)
    return compare("target_weight", (0.0, 0.5, 0.9), images + noise, known)


def densmap() -> Any:
    """Four groups of 150 samples in ten dimensions, each twice as wide as the one before."""
    rng = np.random.default_rng(0)
    X = np.concatenate(
        [rng.normal(0, 0.5 * 2**k, (150, 10)) + 40 * np.eye(10)[k] for k in range(4)]
    ).astype(np.float32)
    group = np.repeat(np.arange(4), 150)
    figure, axes = row_of_axes(2)
    for ax, value in zip(axes, (False, True), strict=True):
        positions = ParametricUMAP(random_state=0, densmap=value).fit_transform(X)
        draw_map(ax, positions, group, f"densmap = {value}")
    axes[1].legend(
        handles=[
            axes[1].scatter([], [], color=f"C{k}", s=15, label=f"width {0.5 * 2**k:g}")
            for k in range(4)
        ],
        fontsize=7,
        loc="best",
    )
    return figure


def alike() -> Any:
    """Each nucleus and its copy, turned by 90 degrees: a line joins the two."""
    fields = nuclei()
    field = samples_from_labels(fields.images[4], fields.labels[4], size=24, features=False)
    pictures = field.X.reshape(-1, 24, 24)
    copies = np.rot90(pictures, axes=(1, 2))
    figure, axes = row_of_axes(2)
    for ax, value in zip(axes, ("pixels", "any orientation"), strict=True):
        known = samples_from_array(pictures, source="nuclei")
        explorer = trained(known, alike=value)
        places = explorer.embedding.positions
        turned, _ = explorer.embed(known.same_way(copies, source="turned"))
        ax.plot(*np.stack([places, turned]).transpose(2, 0, 1), color="#e07000", lw=0.6)
        draw_map(ax, places, np.zeros(len(places), int), f'alike = "{value}"', size=14)
    return figure


def neighbor_blur_px() -> Any:
    """Jurkat cells in the colours of their phase."""
    samples, phase = cells()
    figure, axes = row_of_axes(3)
    for ax, value in zip(axes, (0.0, 2.0, 6.0), strict=True):
        places = trained(samples, neighbor_blur_px=value, reconstruction=False).embedding.positions
        draw_map(ax, places, phase, f"neighbor_blur_px = {value:g}")
    return figure


def encoder() -> Any:
    """The dock's choice of networks."""
    samples, phase = cells()
    figure, axes = row_of_axes(2)
    for ax, value in zip(axes, ("convolutional", "dense"), strict=True):
        places = trained(samples, encoder=value, reconstruction=False).embedding.positions
        draw_map(ax, places, phase, f'encoder = "{value}"')
    return figure


def n_style_components() -> Any:
    """Unseen cells, drawn again with ever longer codes."""
    samples, _ = cells()
    values = (0, 8, 32, 128)
    figure, axes = row_of_axes(1 + len(values), height=3.4)
    drawn: list[Any] = []
    for value in values:
        explorer = trained(samples, n_style_components=value)
        rows = explorer.model.estimator.validation_rows_[:4]
        drawn.append(explorer.reconstruct(rows))
    draw_picture(axes[0], np.concatenate([each.original for each in drawn[0]]), "unseen cells")
    for ax, each, value in zip(axes[1:], drawn, values, strict=True):
        pictures = [one.typical if value == 0 else one.picture for one in each]
        errors = [one.typical_error if value == 0 else one.error for one in each]
        title = f"{value} numbers\nmean error {np.mean(errors):.0%}"
        draw_picture(ax, np.concatenate(pictures), title)
    return figure


def background() -> Any:
    """Crops of touching nuclei, with what is around them kept or not."""
    fields = nuclei()
    values = ("keep", "median", "zero")
    figure, axes = row_of_axes(len(values) + 1, height=2.0)
    for ax, value in zip(axes, values, strict=False):
        samples = samples_from_labels(
            fields.images[3], fields.labels[3], size=28, background=value, features=False
        )
        draw_picture(ax, montage(samples), f'background = "{value}"')
    upright = samples_from_labels(
        fields.images[3], fields.labels[3], size=28, align=True, features=False
    )
    draw_picture(axes[-1], montage(upright), "align = True")
    return figure


def montage(samples: Any, n: int = 4) -> Any:
    """The first n x n crops, side by side."""
    crops = np.stack([samples.thumbnail(row) for row in range(n * n)])
    rows = [np.concatenate(list(crops[k * n : k * n + n]), axis=1) for k in range(n)]
    return np.concatenate(rows)


OF_DIGITS: dict[str, tuple[Any, ...]] = {
    "n_neighbors": (4, 15, 60),
    "min_dist": (0.0, 0.1, 0.5, 0.99),
    "repulsion_strength": (0.1, 1.0, 5.0),
    "negative_sample_rate": (1, 5, 20),
    "init": ("spectral", "pca", "random"),
    "quality": ("fast", "balanced", "best"),
}
OTHERS = (
    spread,
    random_state,
    metric,
    target_weight,
    densmap,
    alike,
    neighbor_blur_px,
    encoder,
    n_style_components,
    background,
)
PICTURES: dict[str, Callable[[], Any]] = {
    **{name: partial(compare, name, values) for name, values in OF_DIGITS.items()},
    **{made.__name__: made for made in OTHERS},
}

if __name__ == "__main__":
    write_chosen(__doc__.splitlines()[0], PICTURES, "choosing")
