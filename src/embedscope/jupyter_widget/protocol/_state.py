"""The small, durable state that the widget keeps in traits: what a page needs to draw its frame.

Arrays never stand here: they travel as messages (see `_messages`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from embedscope.jupyter_widget.protocol._messages import ImageItem


@dataclass(frozen=True)
class StatusState:
    """Where training is; `hint` is the remedy where `error` says what went wrong.

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
    """What undo and redo would take back or do again; "" where there is nothing."""

    undo: str
    redo: str


@dataclass(frozen=True)
class Catalog:
    """What there is: samples, images, things to colour by, abilities, kept epochs.

    `can_carry`: samples have style codes, so that one can be drawn at the place of another.
    """

    n_samples: int
    is_image: bool
    has_thumbnails: bool
    can_decode: bool
    can_explain: bool
    can_carry: bool
    can_reconstruct: bool
    images: list[ImageItem]
    color_choices: list[ColorChoice]
    epochs: list[int]


@dataclass(frozen=True)
class Traits:
    """The traits that are synchronised with the page, which sets only `selected`.

    `form` is set once. `height` is that of the map in pixels; `is_static` is True in a page without
    a kernel, where nothing can be trained or changed. `selected` are the count and the revision of
    the selection that the page heard of last: hosts like marimo run other cells when a page saves
    something, and at nothing else.
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
