"""What the decoder drew, as the kernel tells it to the page: see `_messages`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from embedscope.jupyter_widget.protocol._heads import Message

Style = Literal["typical", "own", "carried", "random"]


@dataclass(frozen=True)
class Decoded(Message):
    """What the decoder draws at a place, with its nearest real samples.

    `support` is 0 far from all samples and 1 among them; `decoded` is False where there is no
    decoder and the nearest sample is shown instead. Tables have no picture (w = 0) but values, and
    how far unseen samples stray from the typical ones (none where that was not measured).

    `style` says whose code it was drawn with: nobody's, that of the sample that stands here, that
    of one that is carried here, or that of a neighbour. `style_name` is its name, else "".
    """

    kind: ClassVar[str] = "dec"
    buffers: ClassVar[tuple[str, ...]] = (
        "uint8 rgb, (h, w, 3)",
        "uint8 rgb of the spread, (h, w, 3), brighter where less sure; empty if not measured",
    )
    req: int
    x: float
    y: float
    w: int
    h: int
    support: float
    decoded: bool
    rows: list[int]
    names: list[str]
    distances: list[float]
    values: list[tuple[str, float]]
    deviations: list[float]
    style: Style
    style_name: str


@dataclass(frozen=True)
class DecodedPath(Message):
    """What the decoder draws along a line, from its first point to its last.

    `support` is as in `Decoded`, one a picture; tables have no pictures (w = 0) but, for each step,
    the values by the names in `features`. `style_name` is the sample that is carried along, "" for
    the typical samples.
    """

    kind: ClassVar[str] = "path"
    buffers: ClassVar[tuple[str, ...]] = (
        "uint8 rgb, (n, h, w, 3)",
        "float32 xy, (n, 2)",
        "float32 values of tables, (n, len(features))",
    )
    req: int
    n: int
    w: int
    h: int
    support: list[float]
    features: list[str]
    style_name: str


@dataclass(frozen=True)
class Atlas(Message):
    """Decoded typical samples on a grid over the map, row by row from the lower left corner.

    Without pictures (nx = 0) it takes away the atlas before, which was of another map.
    """

    kind: ClassVar[str] = "atlas"
    buffers: ClassVar[tuple[str, ...]] = (
        "uint8 rgb, (ny * nx, h, w, 3)",
        "uint8 support 0..255, (ny * nx,)",
    )
    rev: int
    nx: int
    ny: int
    x0: float
    y0: float
    x1: float
    y1: float
    w: int
    h: int


@dataclass(frozen=True)
class ReconstructionItem:
    """A real sample that was drawn again; `row` is -1 for one that is not on the map.

    The errors are shares of that of the mean sample: 0 is exact; None is without end, where all
    samples are alike. `is_held_out`: the decoder has not seen it, it has, or (None) it was not
    there when the map was trained.
    """

    row: int
    name: str
    error: float | None
    typical_error: float | None
    is_held_out: bool | None


@dataclass(frozen=True)
class Reconstructed(Message):
    """Real samples beside what is drawn for them; tables have no pictures (w = 0) but values.

    The four pictures of a sample are the original, the one drawn with its own code, the typical one
    of its place, and the difference of the second from the first: orange where it is brighter than
    the truth, blue where it is darker.
    """

    kind: ClassVar[str] = "recon"
    buffers: ClassVar[tuple[str, ...]] = (
        "uint8 rgb, (len(items), 4, h, w, 3)",
        "float32 values of tables, original and drawn, (len(items), 2, len(features))",
    )
    req: int
    items: list[ReconstructionItem]
    w: int
    h: int
    features: list[str]
