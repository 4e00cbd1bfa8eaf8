"""Intents: messages from the page to the kernel, one dataclass each, like `_messages`.

`req` numbers the requests of a page; an answer or an error has the number of its request. Fields
with a default are not sent by pages of an earlier version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from embedscope.jupyter_widget.protocol._message_base import Message

Mode = Literal["replace", "add", "subtract", "invert"]
Operation = Literal["union", "intersection", "difference"]


@dataclass(frozen=True)
class Hello(Message):
    """A page was opened and has these revisions."""

    kind: ClassVar[str] = "hello"
    have: dict[str, int]
    webgl: bool


@dataclass(frozen=True)
class Poll(Message):
    """Nothing arrived for a while: some hosts show only what answers the page (see `_host`)."""

    kind: ClassVar[str] = "poll"
    have: dict[str, int]


@dataclass(frozen=True)
class Acknowledged(Message):
    """A map was shown `ms` milliseconds after it arrived."""

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
class TrainFrom(Message):
    """Train a map that learns from these columns; from what the samples show if there are none."""

    kind: ClassVar[str] = "train-from"
    req: int
    columns: list[str]


@dataclass(frozen=True)
class SetParameters(Message):
    """Changed values of the parameter form."""

    kind: ClassVar[str] = "params"
    req: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Select(Message):
    """A finished gesture: the samples it hit, and how they change the selection.

    The page already shows the result as revision `rev`. The kernel always answers by `Selected` of
    at least this revision, and the page shows that. `emb` is the revision of the map that the page
    shows, 0 if unknown: the rows are those of its samples.
    """

    kind: ClassVar[str] = "select"
    buffers: ClassVar[tuple[str, ...]] = ("uint8 bits, (ceil(n / 8),)",)
    rev: int
    origin: str
    mode: Mode
    emb: int = 0


@dataclass(frozen=True)
class SetColors(Message):
    """Change the colouring, or hide classes."""

    kind: ClassVar[str] = "color"
    req: int
    by: str
    name: str
    palette: str
    limits: list[float] | None
    hidden: list[str]


@dataclass(frozen=True)
class SelectGate(Message):
    """Select the samples in a gate."""

    kind: ClassVar[str] = "gate-select"
    req: int
    name: str
    mode: Mode


@dataclass(frozen=True)
class AddGate(Message):
    """Add a gate in map coordinates; the explorer chooses its name and colour."""

    kind: ClassVar[str] = "gate-add"
    req: int
    polygon: list[list[float]]


@dataclass(frozen=True)
class CombineGates(Message):
    """Combine gates into a new one."""

    kind: ClassVar[str] = "gate-combine"
    req: int
    operation: Operation
    members: list[str]


@dataclass(frozen=True)
class EditGate(Message):
    """Change a gate; None leaves a field as it is.

    The page already shows the change as revision `rev`, so several key presses can follow each
    other. It then shows the `Gates` of at least this revision in the answer, without what was
    refused.
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
    """Remove a gate."""

    kind: ClassVar[str] = "gate-remove"
    req: int
    name: str


@dataclass(frozen=True)
class Hover(Message):
    """The sample under the pointer, -1 for none; sent when the pointer rests."""

    kind: ClassVar[str] = "hover"
    row: int


@dataclass(frozen=True)
class Decode(Message):
    """Decode this point of the map.

    `carry` is the row of the sample whose style code is used, -1 for the typical sample. `another`
    uses the code of a random neighbour instead, a different one each time. The picture is turned by
    `angle` degrees.
    """

    kind: ClassVar[str] = "decode"
    req: int
    x: float
    y: float
    carry: int = -1
    another: bool = False
    angle: float = 0.0


@dataclass(frozen=True)
class ClearDecoded(Message):
    """Remove what was decoded."""

    kind: ClassVar[str] = "decode-clear"
    req: int


@dataclass(frozen=True)
class DecodePath(Message):
    """Decode `n` points along a line over the map; `carry` and `angle` are as in `Decode`."""

    kind: ClassVar[str] = "decode-path"
    req: int
    points: list[list[float]]
    n: int
    carry: int = -1
    angle: float = 0.0


@dataclass(frozen=True)
class WantReconstructions(Message):
    """Reconstruct the selected samples from their own style codes; at most `n`, evenly chosen."""

    kind: ClassVar[str] = "reconstruct"
    req: int
    n: int


@dataclass(frozen=True)
class ClearReconstructions(Message):
    """Remove the reconstructed samples."""

    kind: ClassVar[str] = "reconstruct-clear"
    req: int


@dataclass(frozen=True)
class WantThumbnails(Message):
    """Get pictures and hover texts of these rows, at most 256."""

    kind: ClassVar[str] = "thumbs"
    rows: list[int]


@dataclass(frozen=True)
class WantPicture(Message):
    """Get a part of an image plane, for about `w` x `h` screen pixels."""

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
    """Get the position of this sample in its image; no answer without an image."""

    kind: ClassVar[str] = "where"
    req: int
    row: int


@dataclass(frozen=True)
class WantReplay(Message):
    """Show a snapshot of the map, an index into ``Catalog.epochs``; -1 is the present map."""

    kind: ClassVar[str] = "replay"
    req: int
    index: int


@dataclass(frozen=True)
class WantExplanation(Message):
    """Explain what drives the positions of the selected samples."""

    kind: ClassVar[str] = "why"
    req: int


@dataclass(frozen=True)
class WantGateExplanation(Message):
    """Explain what drives the positions of the samples in a gate."""

    kind: ClassVar[str] = "gate-why"
    req: int
    name: str


FROM_PAGE: tuple[type[Message], ...] = (
    Hello,
    Poll,
    Acknowledged,
    Command,
    TrainFrom,
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
