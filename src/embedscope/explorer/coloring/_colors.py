"""What the samples are coloured by, and the resulting colours.

Both front ends use the same values: a level for each sample, a palette of the levels, and a legend.
A label image is coloured by the same levels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError, InvalidTypeError
from embedscope.explorer.marks._palettes import check_palette

KINDS = (
    "none",
    "feature",
    "gate",
    "frame",
    "source",
    "selection",
    "training",
    "novelty",
)

HIDDEN_LEVEL = 0
N_COLORS = 249  # levels fit in 8 bits, with two more for hidden samples and no value
NO_VALUE_LEVEL = N_COLORS + 1


@dataclass(frozen=True)
class ColorBy:
    """What to colour the samples by.

    Attributes
    ----------
    kind : str
        "none", "feature", "gate", "frame", "source", "selection", "training" (whether the map was
        trained on the sample) or "novelty" (the out-of-distribution score of later samples).
    name : str
        Of the feature, or of the gate; "" for all gates, where later ones cover earlier ones.
    palette : str
        A matplotlib colormap to show numbers on a scale, "classes" to show each value as a class,
        or "" to choose by the column.
    limits : pair of float or None
        Numbers that get the first and the last colour. By default the 1st and 99th percentile,
        for frames the first and the last, for novelty 0 and 1.
    hidden : frozenset of str
        Labels of the legend whose samples are not drawn.

    Raises
    ------
    InvalidInputError
        If an attribute breaks its rule.
    """

    kind: str = "none"
    name: str = ""
    palette: str = ""
    limits: tuple[float, float] | None = None
    hidden: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidInputError(
                f"kind must be one of {', '.join(KINDS)}; got {self.kind!r}. Use 'feature' and a "
                "name for a column."
            )
        for attribute in ("name", "palette"):
            _check_text(attribute, getattr(self, attribute))
        if self.kind == "feature" and not self.name:
            raise InvalidInputError(
                f"name must be that of a feature; got {self.name!r}. Name a column, or use kind "
                "'none'."
            )
        if self.palette:
            check_palette(self.palette)
        object.__setattr__(self, "limits", _checked_limits(self.limits))
        object.__setattr__(self, "hidden", _checked_hidden(self.hidden))

    def to_dict(self) -> dict[str, Any]:
        """The attributes for JSON."""
        return asdict(self) | {
            "limits": None if self.limits is None else list(self.limits),
            "hidden": sorted(self.hidden),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> ColorBy:
        """The choice from the result of `to_dict`.

        Raises
        ------
        InvalidInputError
            If an entry is unknown or breaks a rule of the class.
        """
        try:
            return cls(**stored)
        except TypeError as error:
            raise InvalidInputError(
                f"a stored colour choice must have entries of ColorBy; got {stored!r:.200}. Write "
                "it with to_dict."
            ) from error


@dataclass(frozen=True)
class LegendEntry:
    """One line of a legend.

    Attributes
    ----------
    label : str
        `ColorBy.hidden` hides the entry by this label.
    color : str
        "#rrggbb", also for a hidden entry.
    count : int
        Samples of this entry, hidden or not.
    visible : bool
    """

    label: str
    color: str
    count: int
    visible: bool = True


@dataclass(frozen=True, eq=False)
class Coloring:
    """The colours of all samples, with their legend.

    Attributes
    ----------
    levels : ndarray of shape (n_samples,), uint8, read-only
        Row of the palette: 0 for hidden samples, 1..249 for colours, 250 for samples without a
        value.
    palette : ndarray of shape (251, 4), uint8, read-only
        Red, green, blue and alpha of each level; 0 is transparent, the others opaque.
    codes : ndarray of shape (n_samples,), int32, read-only, or None
        Index of each sample's entry in the legend; None for numbers on a scale.
    legend : tuple of LegendEntry
        Classes in order, then the samples without a value, if there are any.
    limits : pair of float or None
        Numbers of the first and the last colour; equal if all numbers are; None for classes.
    colormap : str
        Name of the matplotlib colormap of numbers, "" for classes.
    title : str
        Heading of the legend or the colour bar.
    note : str
        A remark for the user, such as that colours repeat; or "".
    palettes : tuple of str
        Possible values of `ColorBy.palette`; empty if the colours are fixed.
    """

    levels: npt.NDArray[np.uint8]
    palette: npt.NDArray[np.uint8]
    codes: npt.NDArray[np.int32] | None = None
    legend: tuple[LegendEntry, ...] = field(default=())
    limits: tuple[float, float] | None = None
    colormap: str = ""
    title: str = ""
    note: str = ""
    palettes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for array in (self.levels, self.palette, self.codes):
            if array is not None:
                array.setflags(write=False)

    @classmethod
    def empty(cls) -> Coloring:
        """The colours of no samples."""
        return cls(np.empty(0, np.uint8), np.zeros((NO_VALUE_LEVEL + 1, 4), np.uint8))

    @property
    def rgba(self) -> npt.NDArray[np.uint8]:
        """Red, green, blue and alpha of each sample, shape (n_samples, 4), a new array."""
        return self.palette[self.levels]


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidTypeError(
            f"{name} must be text; got {value!r:.100} of type {type(value).__name__}. Write it in "
            "quotes."
        )


def _checked_hidden(hidden: Any) -> frozenset[str]:
    if isinstance(hidden, str):
        raise InvalidInputError(
            f"hidden must be a set of labels; got the text {hidden!r}. Put it in a set."
        )
    if not isinstance(hidden, Iterable):
        raise InvalidTypeError(
            f"hidden must be a set of labels; got {hidden!r:.100}. Give the labels of the legend "
            "that are to be hidden."
        )
    labels = list(hidden)
    for label in labels:
        _check_text("each label of hidden", label)
    return frozenset(labels)


def _checked_limits(limits: Any) -> tuple[float, float] | None:
    if limits is None:
        return None
    try:
        low, high = (float(limit) for limit in limits)
        if not (np.isfinite([low, high]).all() and low < high):
            raise ValueError
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"limits must be two finite numbers, the lower first; got {limits!r}. Leave them out "
            "to take them from the data."
        ) from error
    return low, high
