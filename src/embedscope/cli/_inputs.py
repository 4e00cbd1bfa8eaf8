"""From paths on the command line to samples; `embedscope.samples.read` does the reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedscope.samples import Samples, SamplesPart, read
from embedscope.samples.reading import (
    is_manifest,
    open_pair_like,
    read_table_file,
    with_table,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cutting:
    """How crops are cut from images; see `samples_from_labels`.

    Attributes
    ----------
    size : int or None
    size_um : float or None
    drawn_px : int or None
    pixel_size : float or None
    axes, image_axes : str or None
    background : str
    align : bool
    volume : str
    scale_within : str or None
        Of a manifest; see `samples_from_manifest`.
    rgb : bool or None
    """

    size: int | None = None
    size_um: float | None = None
    drawn_px: int | None = None
    pixel_size: float | None = None
    axes: str | None = None
    image_axes: str | None = None
    background: str = "keep"
    align: bool = False
    volume: str = "project"
    scale_within: str | None = None
    rgb: bool | None = None


def read_inputs(paths: list[Path], cutting: Cutting) -> Samples:
    """Read an image and its labels, or one file of any other kind.

    Options that nobody gave are left out, since tables have none of them.
    """
    usual = asdict(Cutting())
    options = {name: value for name, value in asdict(cutting).items() if value != usual[name]}
    return read(*paths, **options)


def read_pair_like(
    known: Samples,
    image: Path,
    labels: Path,
    n_rows: int,
    source: str | None = None,
    group: Any = None,
    pixel_size: float | None = None,
    table: Path | None = None,
) -> Iterator[Callable[[], SamplesPart]]:
    """Cut crops as those of `known` were cut, so many objects at a time.

    If `known` learn from features, all objects are cut and measured together, and a table of them
    is joined.
    """
    pixels, ids, options = open_pair_like(known, image, labels, source, group, pixel_size)
    if known.learned is None or known.learned.kind != "columns":
        return known.parts_same_way(pixels, ids, n_rows=n_rows, **options)

    def whole() -> SamplesPart:
        made = known.learning_from(None).same_way(pixels, ids, **options)
        joined = made if table is None else with_table(made, table)
        taught = joined.learning_like(known)
        return SamplesPart(taught, taught.left_out)

    return iter([whole])


def manifest_of(path: Path) -> pd.DataFrame | None:
    """The table of a manifest; None for any other file."""
    if path.suffix.lower() not in (".csv", ".tsv"):
        return None
    table = read_table_file(path)
    return table if is_manifest(table) else None
