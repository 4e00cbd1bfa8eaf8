"""Planes of images and labels, read at about a given resolution.

Of a pyramid, the coarsest level with enough pixels is read. Of a single large array, every k-th
pixel is read: this may miss small bright objects, which the caller has to say.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_MOST_PIXELS = 2**24  # that are read and averaged; of more pixels, every k-th is read

Array = npt.NDArray[Any]


class Part(NamedTuple):
    """A rectangle of a plane in pixels of the finest level, and the size to read it at."""

    t_index: int
    z_index: int
    x0: int
    y0: int
    x1: int
    y1: int
    w: int
    h: int


def read_plane(
    data: Any, axes: str, part: Part, *, is_labels: bool, averages: bool = True
) -> tuple[Array, int]:
    """Read a part of a plane at its size `w` x `h`.

    Parameters
    ----------
    data : array, or list of arrays from the finest to the coarsest
    axes : str
        Of each array, such as "tzyxc".
    part : Part
    is_labels : bool
        Values are labels: they are never averaged, and read from exactly this plane.
    averages : bool
        Average other values, unless there are too many pixels.

    Returns
    -------
    planes : ndarray of shape (n_channels, h, w)
    step : int
        Every step-th pixel was read; 1 for all.
    """
    levels = levels_of(data)
    finest = dict(zip(axes, levels[0].shape, strict=True))
    level = _sufficient_level(levels, axes, part, kept="tz" if is_labels else "t")
    size = dict(zip(axes, level.shape, strict=True))
    # Pixels of the level; pixel i of the finest level has its centre at i + 0.5.
    y = pixel_places(part.y0, part.y1, part.h, size["y"] / finest["y"], size["y"])
    x = pixel_places(part.x0, part.x1, part.w, size["x"] / finest["x"], size["x"])
    step = max(1, round(min(_step(y), _step(x))))
    is_small = (y[-1] - y[0] + 1) * (x[-1] - x[0] + 1) * size.get("c", 1) <= _MOST_PIXELS
    is_averaged = averages and is_small and step > 1 and not is_labels
    stride = 1 if is_small else step
    margin = step if is_averaged else 0
    n_z = size.get("z", 1)
    window = {
        "t": part.t_index,
        "z": min(part.z_index * n_z // finest.get("z", 1), n_z - 1),
        "y": slice(max(0, int(y[0]) - margin), int(y[-1]) + 1 + margin, stride),
        "x": slice(max(0, int(x[0]) - margin), int(x[-1]) + 1 + margin, stride),
    }
    index = tuple(window.get(axis, slice(None)) for axis in axes)
    read = np.asarray(level[index])
    kept = "".join(axis for axis in axes if axis in "cyx")
    planes = np.moveaxis(read, kept.index("c"), 0) if "c" in kept else read[None]
    if kept.replace("c", "") == "xy":
        planes = planes.swapaxes(1, 2)
    rows = (y - window["y"].start) // stride
    columns = (x - window["x"].start) // stride
    if is_averaged:
        return _averaged(planes, rows, columns, step), 1
    return planes[:, rows[:, None], columns[None, :]], stride


def _averaged(planes: Array, rows: Array, columns: Array, step: int) -> Array:
    """Mean over the block of pixels around each read one: less noise, no moire."""
    first = step // 2
    total = np.zeros((len(planes), len(rows), len(columns)), np.float32)
    for dy in range(step):
        y = np.clip(rows + dy - first, 0, planes.shape[1] - 1)
        for dx in range(step):
            x = np.clip(columns + dx - first, 0, planes.shape[2] - 1)
            total += planes[:, y[:, None], x[None, :]]
    return total / step**2


def levels_of(data: Any) -> list[Any]:
    """The levels of a pyramid, finest first; an array is its only one."""
    return list(data) if isinstance(data, list | tuple) else [data]


def _sufficient_level(levels: list[Any], axes: str, part: Part, *, kept: str) -> Any:
    """The coarsest level that has a pixel for each pixel of the result.

    `kept` are the axes that must have full length: a level with fewer time points, or for labels
    fewer planes, is not used, since it could show another time point or plane.
    """
    y, x = axes.index("y"), axes.index("x")
    wanted = min((part.y1 - part.y0) / part.h, (part.x1 - part.x0) / part.w)
    chosen = levels[0]
    whole = [place for place, axis in enumerate(axes) if axis in kept]
    for level in levels[1:]:
        if any(level.shape[place] != levels[0].shape[place] for place in whole):
            continue
        if max(levels[0].shape[y] / level.shape[y], levels[0].shape[x] / level.shape[x]) <= wanted:
            chosen = level
    return chosen


def pixel_places(
    first: int, last: int, count: int, scale: float = 1.0, length: int | None = None
) -> npt.NDArray[np.int64]:
    """The pixel in the middle of each of `count` equal parts of first..last."""
    places = (first + (np.arange(count) + 0.5) * (last - first) / count) * scale
    pixels = np.floor(places).astype(np.int64)
    return pixels if length is None else np.clip(pixels, 0, length - 1)


def _step(pixels: npt.NDArray[np.int64]) -> float:
    return 1.0 if len(pixels) < 2 else float(pixels[-1] - pixels[0]) / (len(pixels) - 1)
