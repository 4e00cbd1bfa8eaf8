"""The map as a file of flow cytometry: FCS 3.1, an event for each sample."""

from __future__ import annotations

import math
from array import array
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.export._annotated import safe_names
from embedscope.samples.tables import (
    GATE_PREFIX,
    IDENTITY_COLUMNS,
    PLACE_COLUMNS,
    plain_frame,
)

if TYPE_CHECKING:
    import pandas as pd

ROW_CHANNEL = "row"

_MOST_ROWS = 2**24  # single precision holds every row number up to here
_LARGEST = float(np.finfo(np.float32).max)


class Events(NamedTuple):
    """The samples of a map as events.

    Attributes
    ----------
    channels : tuple of str
        The name of each channel, of letters, digits, ``_``, ``-`` and ``.``.
    names : tuple of str
        The names of the same columns in the table of the map.
    values : ndarray of shape (n_events, n_channels), float32
    """

    channels: tuple[str, ...]
    names: tuple[str, ...]
    values: npt.NDArray[np.float32]


def events_of(frame: pd.DataFrame) -> Events:
    """Take the numbers of the table of the map.

    Parameters
    ----------
    frame : DataFrame of n rows
        From `to_frame`.

    Returns
    -------
    Events
        Of the samples that have a position. The channels are ``umap_1``, ``umap_2``, ``row`` (the
        number of the sample's row in the table, from 0), and the numeric features and scores that
        have values, rounded to single precision.

    Raises
    ------
    InvalidInputError
        If no sample has a position, there are more than 2**24 samples, or a number does not fit
        into single precision.
    """
    if len(frame) > _MOST_ROWS:
        raise InvalidInputError(
            f"a map must have at most {_MOST_ROWS:,} samples for an FCS file, whose row numbers "
            f"are of single precision; got {len(frame):,}. Export it as Parquet."
        )
    plain = plain_frame(frame).frame
    first = [*PLACE_COLUMNS, ROW_CHANNEL]
    measured = [name for name in plain.columns if _is_measured(plain, name)]
    channels = safe_names([*first, *measured], reserved=())
    rows = np.flatnonzero(plain[list(PLACE_COLUMNS)].notna().all(axis=1))
    if len(rows) == 0:
        raise InvalidInputError(
            "the map must have a sample with a position for an FCS file; got none. Train first."
        )
    columns = [plain[name].to_numpy(np.float64, na_value=np.nan)[rows] for name in PLACE_COLUMNS]
    columns.append(rows.astype(np.float64))
    for name in measured:
        columns.append(plain[name].to_numpy(np.float64, na_value=np.nan)[rows])
        _check_size(name, columns[-1])
    values = np.column_stack(columns).astype(np.float32)
    return Events(tuple(channels), (*first, *measured), values)


def write_fcs(handle: IO[bytes], events: Events) -> None:
    """Write events as FCS 3.1.

    Parameters
    ----------
    handle : binary file
    events : Events
    """
    import flowio

    flat = array("f")
    flat.frombytes(np.ascontiguousarray(events.values).data.cast("B"))
    flowio.create_fcs(
        handle,
        flat,
        list(events.channels),
        opt_channel_names=[
            "" if name == channel else _label(name)
            for name, channel in zip(events.names, events.channels, strict=True)
        ],
        metadata_dict=_ranges(events.values),
    )


def _is_measured(frame: pd.DataFrame, name: str) -> bool:
    is_known = name in (*IDENTITY_COLUMNS, *PLACE_COLUMNS)
    is_gate = name.startswith(GATE_PREFIX)
    is_number = frame[name].dtype.kind in "iuf" and frame[name].notna().any()
    return not is_known and not is_gate and bool(is_number)


def _check_size(name: str, values: npt.NDArray[np.float64]) -> None:
    largest = np.abs(values, where=np.isfinite(values), out=np.zeros(len(values))).max(initial=0.0)
    if largest > _LARGEST:
        raise InvalidInputError(
            f"features must be at most {_LARGEST:.2g}, the largest number of an FCS file; got "
            f"{largest:.2g} in {name!r}. Scale this column, or export it as Parquet."
        )


def _label(name: str) -> str:
    """A name for an FCS file, in which slashes separate the entries."""
    return name.strip("/ ")


def _ranges(values: npt.NDArray[np.float32]) -> dict[str, str]:
    """The largest value of each channel, up to which other programs draw its axis."""
    ranges = {}
    for number, column in enumerate(values.T, start=1):
        known = column[np.isfinite(column)]
        ranges[f"P{number}R"] = str(max(1, math.ceil(known.max(initial=0.0)) + 1))
    return ranges
