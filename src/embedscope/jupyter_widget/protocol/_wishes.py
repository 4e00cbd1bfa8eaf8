"""What the page asks the kernel for: one dataclass a message, like `_messages`.

`req` numbers the requests of a page; an answer or a failure bears the number of its request. Fields
with a default are those that pages of an earlier version do not send.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from embedscope.jupyter_widget.protocol._heads import Message

Mode = Literal["replace", "add", "subtract", "invert"]
Operation = Literal["union", "intersection", "difference"]


@dataclass(frozen=True)
class Hello(Message):
    """A page is there and has these revisions."""

    kind: ClassVar[str] = "hello"
    have: dict[str, int]
    webgl: bool


@dataclass(frozen=True)
class Poll(Message):
    """Nothing came for a while: a host that shows no push is asked by pull."""

    kind: ClassVar[str] = "poll"
    have: dict[str, int]


@dataclass(frozen=True)
class Acknowledged(Message):
    """A map arrived and was shown `ms` after."""

    kind: ClassVar[str] = "ack"
    rev: int
    ms: float


@dataclass(frozen=True)
class Command(Message):
    """A command of the explorer that takes no argument."""

    kind: ClassVar[str] = "cmd"
    req: int
    name: Literal["train", "pause", "resume", "stop", "undo", "redo", "clear", "invert"]


@dataclass(frozen=True)
class SetParameters(Message):
    """Values of the form that changed."""

    kind: ClassVar[str] = "params"
    req: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Select(Message):
    """A finished gesture: what it hit, and how that changes the selection.

    The page has shown the result already, under revision `rev`. Whatever the kernel makes of it, it
    answers by `Selected` of at least this revision, which the page then takes over. `emb` is the
    revision of the map that the page shows, 0 if it does not say: rows are those of its samples.
    """

    kind: ClassVar[str] = "select"
    buffers: ClassVar[tuple[str, ...]] = ("uint8 bits, (ceil(n / 8),)",)
    rev: int
    origin: str
    mode: Mode
    emb: int = 0


@dataclass(frozen=True)
class SetColors(Message):
    """Colour by something else, or hide classes of it."""

    kind: ClassVar[str] = "color"
    req: int
    by: str
    name: str
    palette: str
    limits: list[float] | None
    hidden: list[str]


@dataclass(frozen=True)
class SelectGate(Message):
    """Select what a gate holds."""

    kind: ClassVar[str] = "gate-select"
    req: int
    name: str
    mode: Mode


@dataclass(frozen=True)
class AddGate(Message):
    """Keep a region of the map, in map coordinates; the explorer chooses its name and colour."""

    kind: ClassVar[str] = "gate-add"
    req: int
    polygon: list[list[float]]


@dataclass(frozen=True)
class CombineGates(Message):
    """Make a gate of others."""

    kind: ClassVar[str] = "gate-combine"
    req: int
    operation: Operation
    members: list[str]


@dataclass(frozen=True)
class EditGate(Message):
    """Change a gate; None leaves as it is.

    The page has shown the change already, under revision `rev`, and takes over the `Gates` of at
    least this revision that answer: what was refused is then gone, and one key after another can go
    on from what is shown.
    """

    kind: ClassVar[str] = "gate-edit"
    req: int
    rev: int
    name: str
    new_name: str | None
    color: str | None
    polygon: list[list[float]] | None


@dataclass(frozen=True)
class RemoveGate(Message):
    """Forget a gate."""

    kind: ClassVar[str] = "gate-remove"
    req: int
    name: str


@dataclass(frozen=True)
class Hover(Message):
    """The sample under the pointer, -1 for none; sent when it stays there for a moment."""

    kind: ClassVar[str] = "hover"
    row: int


@dataclass(frozen=True)
class Decode(Message):
    """Draw this place: its typical sample, unless told otherwise.

    `carry` is the row of the sample whose style code is used, -1 for nobody's; `another` asks for
    the code of a neighbour instead, another one each time.
    """

    kind: ClassVar[str] = "decode"
    req: int
    x: float
    y: float
    carry: int = -1
    another: bool = False


@dataclass(frozen=True)
class ClearDecoded(Message):
    """Show nothing that was decoded."""

    kind: ClassVar[str] = "decode-clear"
    req: int


@dataclass(frozen=True)
class DecodePath(Message):
    """Draw `n` samples along a line over the map; `carry` as in `Decode`."""

    kind: ClassVar[str] = "decode-path"
    req: int
    points: list[list[float]]
    n: int
    carry: int = -1


@dataclass(frozen=True)
class WantReconstructions(Message):
    """Draw the selected samples from their own codes; of more than `n`, so many evenly."""

    kind: ClassVar[str] = "reconstruct"
    req: int
    n: int


@dataclass(frozen=True)
class ClearReconstructions(Message):
    """Show no reconstructed samples."""

    kind: ClassVar[str] = "reconstruct-clear"
    req: int


@dataclass(frozen=True)
class WantThumbnails(Message):
    """Pictures of these rows, at most 256 at a time."""

    kind: ClassVar[str] = "thumbs"
    rows: list[int]


@dataclass(frozen=True)
class WantPicture(Message):
    """A part of an image plane, for about `w` x `h` screen pixels."""

    kind: ClassVar[str] = "view"
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


@dataclass(frozen=True)
class WantPlace(Message):
    """Where this sample is in its image; no answer where it has none."""

    kind: ClassVar[str] = "where"
    req: int
    row: int


@dataclass(frozen=True)
class WantReplay(Message):
    """The map as it was at a kept epoch, a number among ``Catalog.epochs``; -1 is the present."""

    kind: ClassVar[str] = "replay"
    req: int
    index: int


@dataclass(frozen=True)
class WantExplanation(Message):
    """What drives the selected samples' places."""

    kind: ClassVar[str] = "why"
    req: int


@dataclass(frozen=True)
class WantGateExplanation(Message):
    """What drives the place of the samples in a gate."""

    kind: ClassVar[str] = "gate-why"
    req: int
    name: str


FROM_PAGE: tuple[type[Message], ...] = (
    Hello,
    Poll,
    Acknowledged,
    Command,
    SetParameters,
    Select,
    SetColors,
    SelectGate,
    AddGate,
    CombineGates,
    EditGate,
    RemoveGate,
    Hover,
    Decode,
    ClearDecoded,
    DecodePath,
    WantReconstructions,
    ClearReconstructions,
    WantThumbnails,
    WantPicture,
    WantPlace,
    WantReplay,
    WantExplanation,
    WantGateExplanation,
)
