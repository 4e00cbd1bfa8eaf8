"""Tables and arrays on disk, read a block of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.reading import (
    ARRAYS,
    TABLES,
    needed,
    open_annotated,
    open_array,
    unreadable,
)

if TYPE_CHECKING:
    import pandas as pd

Block = Any  # a DataFrame, or an ndarray
Read = Callable[[], Block]


@dataclass(frozen=True)
class Rows:
    """A file of rows, samples first.

    Attributes
    ----------
    path : Path
    blocks : callable
        ``blocks(n_rows)`` gives for each block of so many rows a function that reads it. A block
        that is not read costs little where the format allows it.
    """

    path: Path
    blocks: Callable[[int], Iterator[Read]]


def open_rows(path: Path) -> Rows:
    """Open a table or an array by the ending of its name.

    Raises
    ------
    InvalidInputError
        If it is of another kind, or cannot be read.
    """
    ending = path.suffix.lower()
    if ending in ARRAYS:
        array = open_array(path)
        return Rows(path, lambda n_rows: _slices(len(array), n_rows, lambda rows: array[rows]))
    if ending == ".h5ad":
        return Rows(path, lambda n_rows: _annotated_blocks(path, n_rows))
    if ending == ".parquet":
        return Rows(path, lambda n_rows: _parquet_blocks(path, n_rows))
    if ending in TABLES:
        return Rows(path, lambda n_rows: _text_blocks(path, n_rows))
    raise InvalidInputError(
        f"data must be a table ({', '.join(TABLES)}), an array ({', '.join(ARRAYS)}), or an image "
        f"and its labels; got {str(path)!r}. Save it as one of these."
    )


def _slices(n_samples: int, n_rows: int, read: Callable[[slice], Block]) -> Iterator[Read]:
    for start in range(0, n_samples, n_rows):
        rows = slice(start, min(start + n_rows, n_samples))
        yield lambda rows=rows: read(rows)  # type: ignore[misc]  # mypy does not see the default


def _annotated_blocks(path: Path, n_rows: int) -> Iterator[Read]:

    annotated = open_annotated(path)

    def read(rows: slice) -> Block:
        part = annotated[rows].to_memory()
        frame = part.to_df()
        features = [name for name in part.obs.columns if name not in frame.columns]
        return frame.join(part.obs[features])

    return _slices(annotated.n_obs, n_rows, read)


def _parquet_blocks(path: Path, n_rows: int) -> Iterator[Read]:
    arrow, parquet = needed("pyarrow", "export"), needed("pyarrow.parquet", "export")
    try:
        with parquet.ParquetFile(path) as opened:
            start = 0
            for batch in opened.iter_batches(n_rows):
                frame = batch.to_pandas()
                yield lambda frame=frame, start=start: _numbered(frame, start)  # type: ignore[misc]
                start += len(frame)
    except (OSError, ValueError, arrow.ArrowException) as error:
        raise unreadable(path, error) from error


def _text_blocks(path: Path, n_rows: int) -> Iterator[Read]:
    import pandas as pd

    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        with pd.read_csv(path, sep=separator, chunksize=n_rows) as opened:
            for frame in opened:
                yield lambda frame=frame: frame  # type: ignore[misc]  # mypy, as above
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def _numbered(frame: pd.DataFrame, start: int) -> pd.DataFrame:
    """Rows of a batch numbered on from those before, unless they have names."""
    import pandas as pd

    if isinstance(frame.index, pd.RangeIndex):
        frame.index = pd.RangeIndex(start, start + len(frame))
    return frame


def is_finite(block: Block, columns: list[str] | None = None) -> npt.NDArray[np.bool_]:
    """Which rows of a block hold finite numbers alone, in these columns."""
    values = block if columns is None else block[columns].to_numpy()
    values = np.asarray(values)
    if values.dtype.kind in "biu":
        return np.ones(len(values), dtype=bool)
    flat = values.astype(np.float64).reshape(len(values), -1)
    return np.asarray(np.isfinite(flat).all(axis=1))
