"""Messages from kernel to page with what was decoded: see `_messages`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from embedscope.jupyter_widget.protocol._message_base import Message

Style = Literal["typical", "own", "carried", "random"]


@dataclass(frozen=True)
class Decoded(Message):
    """The decoded sample at a point of the map, and the nearest real samples.

    `support` is 0 far from all samples and 1 among them. `decoded` is False without a decoder; the
    nearest sample is then shown instead. Tables have no picture (w = 0) but `values`, and
    `deviations`: how far unseen samples are from the typical ones (empty if not measured).

    `style` says which style code was used: none ("typical"), that of the sample at this point
    ("own"), that of a sample from elsewhere ("carried"), or that of a random neighbour ("random").
    `style_name` and `style_row` are that sample, "" and -1 for "typical".
    """

    kind: ClassVar[str] = "dec"
    buffers: ClassVar[tuple[str, ...]] = (
        "uint8 rgb, (h, w, 3)",
        "uint8 rgb of the spread, (h, w, 3), brighter where less certain; empty if not measured",
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
    style_row: int


@dataclass(frozen=True)
class DecodedPath(Message):
    """Decoded samples along a line, from its first point to its last.

    `support` is as in `Decoded`, one for each step. Tables have no pictures (w = 0) but the values
    of `features` at each step. `style_name` is the sample whose style code is used, "" for typical
    samples.
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

    Without pictures (nx = 0) it removes the earlier atlas, which was of another map.
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
    """A sample that was reconstructed; `row` is -1 for one that is not on the map.

    Errors are relative to the error of the mean sample: 0 is exact; None is infinite, which happens
    where all samples are equal. `is_held_out` is True if the decoder was not trained on the sample,
    and None if the sample was added after training.
    """

    row: int
    name: str
    error: float | None
    typical_error: float | None
    is_held_out: bool | None


@dataclass(frozen=True)
class Reconstructed(Message):
    """Samples beside their reconstructions; tables have no pictures (w = 0) but values.

    The four pictures of a sample are the original, the reconstruction from its own style code, the
    typical sample at its position, and the difference of the second from the first: orange where
    the reconstruction is brighter, blue where it is darker.
    """

    kind: ClassVar[str] = "recon"
    buffers: ClassVar[tuple[str, ...]] = (
        "uint8 rgb, (len(items), 4, h, w, 3)",
        "float32 values of tables, original and reconstructed, (len(items), 2, len(features))",
    )
    req: int
    items: list[ReconstructionItem]
    w: int
    h: int
    features: list[str]
