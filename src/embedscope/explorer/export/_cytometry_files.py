"""The map and its gates for programs of flow cytometry: an FCS file, and Gating-ML beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from embedscope._errors import InvalidInputError
from embedscope.core.storage import as_path, replace_file
from embedscope.explorer.export._exports import require_export
from embedscope.explorer.export._fcs import events_of, write_fcs
from embedscope.explorer.export._gating_ml import gating_ml

if TYPE_CHECKING:
    import pandas as pd

    from embedscope.explorer.marks._gates import GateSet

_ENDING = ".gating.xml"


class CytometryFiles(NamedTuple):
    """What was written.

    Attributes
    ----------
    events, gates : Path
    n_left_out : int
        Samples without a position.
    """

    events: Path
    gates: Path
    n_left_out: int


def write_cytometry(
    path: str | os.PathLike[str], frame: pd.DataFrame, gates: GateSet
) -> CytometryFiles:
    """Write the table of the map as FCS, and its gates as Gating-ML 2.0.

    Parameters
    ----------
    path : str or path
        Ends in .fcs; the gates of ``map.fcs`` are in ``map.gating.xml``. Existing files are
        replaced.
    frame : DataFrame
        From `to_frame`.
    gates : GateSet

    Returns
    -------
    CytometryFiles

    Raises
    ------
    InvalidInputError
        If the path has another suffix, or the table does not fit into an FCS file.
    MissingDependencyError
        If flowio or shapely is missing.
    """
    for package in ("flowio", "shapely"):
        require_export(package, "to_fcs", "cytometry")
    file, beside = cytometry_files(path)
    events, document = events_of(frame), gating_ml(gates)
    # Both are written before either is replaced: gates of another map must not lie beside.
    with replace_file(file) as new_map, replace_file(beside) as new_gates:
        with new_map.open("wb") as handle:
            write_fcs(handle, events)
        new_gates.write_bytes(document)
    return CytometryFiles(file, beside, len(frame) - len(events.values))


def cytometry_files(path: str | os.PathLike[str]) -> tuple[Path, Path]:
    """The FCS file of a map and the file of its gates, which need not exist.

    Raises
    ------
    InvalidInputError
        If the path has another suffix than .fcs.
    """
    file = as_path(path)
    if file.suffix.lower() != ".fcs":
        raise InvalidInputError(f"path must end in .fcs; got {str(file)!r}. Choose another name.")
    return file, file.with_name(file.stem + _ENDING)
