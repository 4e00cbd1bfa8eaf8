"""Compute the colours of the samples for a `ColorBy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.coloring._colors import (
    HIDDEN_LEVEL,
    N_COLORS,
    NO_VALUE_LEVEL,
    ColorBy,
    Coloring,
    LegendEntry,
)
from embedscope.explorer.coloring._values import Classes, Numbers, as_values
from embedscope.explorer.marks._gates import GateSet
from embedscope.explorer.marks._palettes import (
    CLASS_COLORS,
    CLASS_PALETTE,
    DIVERGING_PALETTES,
    NO_VALUE_COLOR,
    PLAIN_COLOR,
    SELECTED_COLOR,
    SEQUENTIAL_PALETTES,
    as_hex,
    class_colors,
    number_colors,
    rgba,
)
from embedscope.explorer.marks._regions import Mask

if TYPE_CHECKING:
    from embedscope.samples import Samples

NO_VALUE_LABEL = "no value"
NO_GATE_LABEL = "in no gate"
_PERCENTILES = (1, 99)


def color_samples(
    color_by: ColorBy,
    samples: Samples,
    memberships: Mapping[str, Mask] | None = None,
    *,
    gates: GateSet | None = None,
    selected: Mask | None = None,
    in_training: Mask | None = None,
    novelty: npt.NDArray[Any] | None = None,
) -> Coloring:
    """Colour samples.

    Parameters
    ----------
    color_by : ColorBy
    samples : Samples
        n_samples of them.
    memberships : mapping of str to ndarray of shape (n_samples,), bool, optional
        From `GateSet.memberships`.
    gates : GateSet, optional
        For the gates' own colours; by default they get the colours of classes.
    selected, in_training : ndarray of shape (n_samples,), bool, optional
        None means no sample.
    novelty : ndarray of shape (n_samples,), float, optional
        Out-of-distribution scores in 0..1; NaN for samples without one.

    Returns
    -------
    Coloring

    Raises
    ------
    InvalidInputError
        If there is no such feature or gate, or the feature can not be coloured.
    """
    n_samples = len(samples)
    if color_by.kind == "none":
        return _plain(n_samples)
    if color_by.kind == "gate":
        return _color_by_gate(color_by, n_samples, memberships or {}, gates or GateSet())
    if color_by.kind == "selection":
        colors = (SELECTED_COLOR, NO_VALUE_COLOR)
        return _of_mask(selected, n_samples, ("selected", "not selected"), colors, color_by)
    if color_by.kind == "training":
        names = ("trained on", "not trained on")
        return _of_mask(in_training, n_samples, names, CLASS_COLORS[:2], color_by)
    return _color_by_values(color_by, samples, novelty)


def _color_by_values(
    color_by: ColorBy, samples: Samples, novelty: npt.NDArray[Any] | None
) -> Coloring:
    title, hidden = color_by.name or color_by.kind, color_by.hidden
    identities = samples.identities
    if color_by.kind == "source":
        classes = Classes(identities.sources, identities.source.astype(np.int32))
        return _color_classes(classes, title, hidden)
    limits, percentiles = None, _PERCENTILES
    if color_by.kind == "frame":
        values, percentiles = _values(identities.frame, title, color_by.palette, True), (0, 100)
    elif color_by.kind == "novelty":
        scores = np.full(len(samples), np.nan) if novelty is None else novelty
        values, limits = _values(scores, title, color_by.palette, True), (0.0, 1.0)
    else:
        # If possible the column of the DataFrame, which has the order of its categories.
        known = title in samples.features.columns
        column = samples.features[title] if known else samples.column(title)
        values = _values(column, title, color_by.palette, None)
    coloring = (
        _color_classes(values, title, hidden)
        if isinstance(values, Classes)
        else _color_numbers(values.values, title, color_by, percentiles, limits)
    )
    return replace(coloring, palettes=_palettes_for(values))


def _palettes_for(values: Numbers | Classes) -> tuple[str, ...]:
    scales = (*SEQUENTIAL_PALETTES, *DIVERGING_PALETTES)
    if isinstance(values, Classes):
        return (CLASS_PALETTE, *scales) if values.are_numbers else ()
    return (*scales, CLASS_PALETTE) if values.are_few else scales


def _values(column: Any, name: str, palette: str, scale: bool | None) -> Numbers | Classes:
    """The column as numbers or classes, as the palette needs it; without one, by `scale`."""
    return as_values(column, name, scale=palette != CLASS_PALETTE if palette else scale)


def _plain(n_samples: int) -> Coloring:
    return Coloring(np.ones(n_samples, dtype=np.uint8), _palette([rgba(PLAIN_COLOR)]))


def _of_mask(
    mask: Mask | None,
    n_samples: int,
    names: tuple[str, str],
    colors: Sequence[str],
    color_by: ColorBy,
) -> Coloring:
    codes = np.ones(n_samples, dtype=np.int32) if mask is None else (~mask).astype(np.int32)
    return _color_classes(Classes(names, codes), color_by.kind, color_by.hidden, colors)


def _color_by_gate(
    color_by: ColorBy, n_samples: int, memberships: Mapping[str, Mask], gates: GateSet
) -> Coloring:
    names = (color_by.name,) if color_by.name else tuple(memberships)
    codes = np.full(n_samples, -1, dtype=np.int32)
    for code, name in enumerate(names):
        if name not in memberships:
            raise InvalidInputError(
                f"name must be that of a gate; got {name!r}, and the gates are "
                f"{', '.join(map(repr, memberships)) or 'none'}. Add it first."
            )
        codes[memberships[name]] = code
    own = {gate.name: gate.color for gate in gates}
    colors = [own.get(name, CLASS_COLORS[i % len(CLASS_COLORS)]) for i, name in enumerate(names)]
    return _color_classes(Classes(names, codes), "gate", color_by.hidden, colors, NO_GATE_LABEL)


def _color_classes(
    classes: Classes,
    title: str,
    hidden: frozenset[str],
    colors: Sequence[str] | None = None,
    rest: str = NO_VALUE_LABEL,
) -> Coloring:
    """Colours of classes; more than 249 classes share levels, and so colours."""
    n_classes = len(classes.labels)
    table = class_colors(n_classes) if colors is None else [rgba(color) for color in colors]
    palette = _palette(table[:N_COLORS])
    level_of_code = np.append(np.arange(n_classes) % N_COLORS + 1, NO_VALUE_LEVEL).astype(np.uint8)
    codes = np.where(classes.codes < 0, n_classes, classes.codes).astype(np.int32)
    counts = np.bincount(codes, minlength=n_classes + 1).tolist()
    legend = [
        LegendEntry(label, as_hex(color), count, label not in hidden)
        for label, color, count in zip(
            (*classes.labels, rest), palette[level_of_code].tolist(), counts, strict=True
        )
    ]
    level_of_code[[not entry.visible for entry in legend]] = HIDDEN_LEVEL
    return Coloring(
        level_of_code[codes],
        palette,
        codes,
        tuple(legend if counts[-1] else legend[:-1]),
        title=title,
        note=_note_on_repeats([entry.color for entry in legend[:-1]]),
    )


def _note_on_repeats(colors: Sequence[str]) -> str:
    n_different = len(set(colors))
    if n_different == len(colors):
        return ""
    return f"{len(colors):,} classes share {n_different} colours"


def _color_numbers(
    values: npt.NDArray[np.float64],
    title: str,
    color_by: ColorBy,
    percentiles: tuple[float, float],
    limits: tuple[float, float] | None,
) -> Coloring:
    colormap = color_by.palette or SEQUENTIAL_PALETTES[0]
    low, high = color_by.limits or limits or _limits(values, percentiles, colormap)
    missing = np.isnan(values)
    levels = _levels(values, low, high)
    legend = []
    if missing.any():
        visible = NO_VALUE_LABEL not in color_by.hidden
        legend = [LegendEntry(NO_VALUE_LABEL, NO_VALUE_COLOR, int(missing.sum()), visible)]
        levels[missing] = NO_VALUE_LEVEL if visible else HIDDEN_LEVEL
    return Coloring(
        levels,
        _palette(number_colors(colormap, N_COLORS)),
        legend=tuple(legend),
        limits=(low, high),
        colormap=colormap,
        title=title,
    )


def _limits(
    values: npt.NDArray[np.float64], percentiles: tuple[float, float], colormap: str
) -> tuple[float, float]:
    """The numbers of the first and the last colour."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = np.percentile(finite, percentiles).tolist()
    if low == high:  # nearly all are equal: show the few others
        low, high = float(finite.min()), float(finite.max())
    if colormap in DIVERGING_PALETTES and low < 0 < high:
        high = max(-low, high)  # so that the middle colour is zero
        low = -high
    return low, high


def _levels(values: npt.NDArray[np.float64], low: float, high: float) -> npt.NDArray[np.uint8]:
    """Levels 1..249 of numbers, clipped to the limits; the middle level if low equals high."""
    if low == high:
        return np.full(len(values), (N_COLORS + 1) // 2, dtype=np.uint8)
    # Half of each, because the difference of two large numbers may overflow.
    share = (np.clip(values, low, high) / 2 - low / 2) / (high / 2 - low / 2)
    return (np.nan_to_num(share) * (N_COLORS - 1) + 1.5).astype(np.uint8)


def _palette(colors: Any) -> npt.NDArray[np.uint8]:
    """Colours of the levels, from level 1; levels without a given colour are not used."""
    palette = np.zeros((NO_VALUE_LEVEL + 1, 4), dtype=np.uint8)
    if len(colors):
        palette[1 : len(colors) + 1] = colors
    palette[NO_VALUE_LEVEL] = rgba(NO_VALUE_COLOR)
    return palette
