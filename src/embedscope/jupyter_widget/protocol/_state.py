"""The state in the widget's traits: all that a page needs except arrays, which are messages.

See `_messages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from embedscope.jupyter_widget.protocol._messages import ImageItem


@dataclass(frozen=True)
class StatusState:
    """The state of the training run; `hint` is the remedy for `error`.

    `phase` is the value of a `Phase`, `is_running` is False while paused, `detail` is a traceback.
    """

    phase: str
    is_running: bool
    is_paused: bool
    fraction: float
    epoch: int
    seconds_left: float | None
    message: str
    error: str
    hint: str
    detail: str


@dataclass(frozen=True)
class FormField:
    """One entry of the parameter form."""

    name: str
    kind: str
    label: str
    tooltip: str
    group: str
    default: Any
    minimum: float | None
    maximum: float | None
    step: float | None
    choices: list[str]
    unit: str
    is_basic: bool


@dataclass(frozen=True)
class ColorChoice:
    """Something that samples can be coloured by."""

    by: str
    name: str
    label: str


@dataclass(frozen=True)
class HistoryState:
    """What undo and redo do next; "" for nothing."""

    undo: str
    redo: str


@dataclass(frozen=True)
class Catalog:
    """Samples, images, colour choices, what the explorer can do, and the epochs of the snapshots.

    `can_carry`: samples have style codes, so the code of one can be decoded elsewhere on the map.
    `can_turn`: decoded pictures are upright, so they can be turned.
    `depth`: what pictures show of volumes, such as "maximum along z"; "" for flat images.
    `left_out`: what is not among the samples, in a sentence; "" for nothing. `left_out_lines`: all
    of it, an entry each.
    `source_note`: how well neighbours on the map tell the source, and what helps; "" for one
    source. `is_source_told`: they tell it too well. `may_learn`: what is alike should be learned.
    `learn_columns`: the columns that a map can learn from. `learns_from`: what it learns from now;
    `learned_kind`: "shown", or the kind of `Learned`; `learned_columns`: its columns, if these are.
    """

    n_samples: int
    is_image: bool
    has_thumbnails: bool
    depth: str
    left_out: str
    left_out_lines: list[str]
    source_note: str
    is_source_told: bool
    may_learn: bool
    can_decode: bool
    can_explain: bool
    can_carry: bool
    can_turn: bool
    can_reconstruct: bool
    images: list[ImageItem]
    learn_columns: list[str]
    learned_columns: list[str]
    learned_kind: str
    learns_from: str
    color_choices: list[ColorChoice]
    epochs: list[int]


@dataclass(frozen=True)
class Traits:
    """The traits that are synchronised with the page, which sets only `selected`.

    `form` is set once. `height` is the height of the map in pixels. `is_static` is True in a page
    without a kernel, where nothing can be trained or changed. `selected` has count and revision of
    the last selection that the page received: marimo runs dependent cells when the page saves it.
    """

    protocol: int
    status: StatusState
    catalog: Catalog
    history: HistoryState
    form: list[FormField]
    parameters: dict[str, Any]
    height: int
    is_static: bool
    selected: dict[str, int]


STATE_PARTS: tuple[type, ...] = (
    StatusState,
    FormField,
    ColorChoice,
    HistoryState,
    Catalog,
    Traits,
)
