"""Messages from the kernel to the page: one dataclass each, heads without arrays.

Arrays are sent with a head as binary buffers, one array each, in the order of `Message.buffers`.
The TypeScript of the page is compiled against interfaces generated from these classes (see
`_typescript`), so a field cannot be renamed or retyped on one side only. The page ignores unknown
messages, so an older page works with a newer kernel. Decoded samples are in `_decoder_messages`,
intents of the page in `_intents`, traits in `_state`.

The kernel owns the state. Every kind of state has a revision that only grows; a page sends the
revisions that it has (`Hello`, `Poll`) and gets what it lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from embedscope.jupyter_widget.protocol._decoder_messages import (
    Atlas,
    Decoded,
    DecodedPath,
    Reconstructed,
    ReconstructionItem,
)
from embedscope.jupyter_widget.protocol._message_base import Message

PROTOCOL = 1


# Parts of heads


@dataclass(frozen=True)
class LegendItem:
    """One class of a legend; color is "#rrggbb"."""

    label: str
    color: str
    count: int
    visible: bool


@dataclass(frozen=True)
class GateItem:
    """One gate: a polygon in map coordinates, or a combination of others."""

    name: str
    color: str
    polygon: list[list[float]] | None
    operation: str | None
    members: list[str]
    count: int
    share: float


@dataclass(frozen=True)
class ImageItem:
    """An image that samples come from; sizes are in pixels of its full resolution.

    `is_transmitted`: the first channel is transmitted light, shown grey under the others.
    """

    name: str
    width: int
    height: int
    n_z: int
    n_t: int
    channels: list[str]
    is_transmitted: bool
    has_image: bool


@dataclass(frozen=True)
class RankItem:
    """A feature or channel, how far it moves the samples on the map, and its share, 0..1.

    `effect` is in map units per standard deviation.
    """

    feature: str
    effect: float
    share: float


# From the kernel to the page


@dataclass(frozen=True)
class Positions(Message):
    """The positions on the map; NaN for samples without a position.

    `snapshot` is the number of the snapshot that is shown, -1 for the present map.
    """

    kind: ClassVar[str] = "emb"
    buffers: ClassVar[tuple[str, ...]] = ("float32 xy, (n, 2)",)
    rev: int
    epoch: int
    n: int
    snapshot: int


@dataclass(frozen=True)
class Colors(Message):
    """Colour of every sample: a level into a palette of RGBA.

    Level 0 is hidden (its alpha is 0), 1..249 are colours, 250 is "no value". Numbers have `limits`
    and a `colormap`, classes neither. `palette` is the user's choice, "" for automatic; `palettes`
    are the choices. `has_own_limits`: the user set the limits. `req` is the last request for
    colours that was done.
    """

    kind: ClassVar[str] = "attr"
    buffers: ClassVar[tuple[str, ...]] = ("uint8 levels, (n,)", "uint8 palette, (251, 4)")
    rev: int
    req: int
    title: str
    by: str
    name: str
    limits: list[float] | None
    has_own_limits: bool
    colormap: str
    palette: str
    palettes: list[str]
    note: str
    legend: list[LegendItem]


@dataclass(frozen=True)
class Losses(Message):
    """Rows of the loss history from index `start` on; a new `run` begins a new history.

    `explained` says how much of the variance of held-out samples the decoder explains, "" if that
    is not measured.
    """

    kind: ClassVar[str] = "loss"
    buffers: ClassVar[tuple[str, ...]] = ("float32 rows, (k, 1 + len(names)): epoch and losses",)
    rev: int
    run: int
    start: int
    names: list[str]
    explained: str


@dataclass(frozen=True)
class Selected(Message):
    """The selection of `n` samples as bits, least significant first."""

    kind: ClassVar[str] = "sel"
    buffers: ClassVar[tuple[str, ...]] = ("uint8 bits, (ceil(n / 8),)",)
    rev: int
    origin: str
    count: int
    n: int


@dataclass(frozen=True)
class Novel(Message):
    """The samples that are unlike the training samples."""

    kind: ClassVar[str] = "novel"
    buffers: ClassVar[tuple[str, ...]] = ("uint32 rows, (k,)",)
    rev: int


@dataclass(frozen=True)
class HoveredMessage(Message):
    """The sample under the pointer in another view, -1 for none."""

    kind: ClassVar[str] = "hovered"
    row: int


@dataclass(frozen=True)
class Gates(Message):
    """All gates with their live counts."""

    kind: ClassVar[str] = "gates"
    rev: int
    gates: list[GateItem]


@dataclass(frozen=True)
class Picture(Message):
    """A part of an image plane at some resolution, and the objects in it.

    ``x0 .. y1`` is the part in pixels of the full resolution. `low` and `high` are the intensities
    at levels 0 and 255, one for each channel.
    """

    kind: ClassVar[str] = "img"
    buffers: ClassVar[tuple[str, ...]] = (
        "uint8 levels, (channels, h, w)",
        "uint32 row + 1 of the object at each pixel, 0 for none, (h, w)",
    )
    req: int
    source: str
    t_index: int
    z_index: int
    x0: float
    y0: float
    x1: float
    y1: float
    w: int
    h: int
    low: list[float]
    high: list[float]
    note: str


@dataclass(frozen=True)
class Thumbnails(Message):
    """A sheet of pictures of equal size, with the names of their samples.

    `values` are names and values of features of each sample: the first three, and the one that the
    map is coloured by.
    """

    kind: ClassVar[str] = "thumb"
    buffers: ClassVar[tuple[str, ...]] = ("uint8 rgb, (len(rows), h, w, 3)",)
    rows: list[int]
    names: list[str]
    values: list[list[tuple[str, str]]]
    w: int
    h: int


@dataclass(frozen=True)
class Forgotten(Message):
    """Answers about earlier samples or an earlier map, which the page has to remove."""

    kind: ClassVar[str] = "gone"
    what: list[Literal["decoded", "path", "reconstructed", "explained", "thumbnails"]]


@dataclass(frozen=True)
class ExplainedMessage(Message):
    """What drives the position of samples: a ranking, and for crops a saliency picture (w > 0)."""

    kind: ClassVar[str] = "explain"
    buffers: ClassVar[tuple[str, ...]] = ("uint8 saliency, (h, w)",)
    req: int
    title: str
    ranking: list[RankItem]
    w: int
    h: int


@dataclass(frozen=True)
class Located(Message):
    """Where a sample is in its image: a plane, and x and y in pixels of the full resolution."""

    kind: ClassVar[str] = "at"
    req: int
    row: int
    source: str
    t_index: int
    z_index: int
    x: float
    y: float


@dataclass(frozen=True)
class Said(Message):
    """What was done, in one line."""

    kind: ClassVar[str] = "say"
    text: str


@dataclass(frozen=True)
class Failed(Message):
    """A request failed; `req` is its number, 0 if it has none."""

    kind: ClassVar[str] = "err"
    req: int
    message: str
    hint: str


@dataclass(frozen=True)
class Synchronised(Message):
    """The revisions that a page has after all earlier messages."""

    kind: ClassVar[str] = "sync"
    revs: dict[str, int]


FROM_KERNEL: tuple[type[Message], ...] = (
    Positions,
    Colors,
    Losses,
    Selected,
    Novel,
    HoveredMessage,
    Gates,
    Picture,
    Thumbnails,
    Decoded,
    DecodedPath,
    Atlas,
    Reconstructed,
    Forgotten,
    ExplainedMessage,
    Located,
    Said,
    Failed,
    Synchronised,
)
PARTS: tuple[type, ...] = (LegendItem, GateItem, ImageItem, RankItem, ReconstructionItem)
