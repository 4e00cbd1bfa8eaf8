"""What a CSV file of the map cannot hold: the outlines of gates, and which labels are text.

They are in a second file beside it: ``map.gates.json`` for ``map.csv``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from embedscope._errors import InvalidInputError
from embedscope.core.storage import as_path
from embedscope.explorer.export._exports import write_json
from embedscope.explorer.export._gates_in_tables import gates_of, with_outlines
from embedscope.explorer.marks._gates import GateSet
from embedscope.samples.identity import is_text
from embedscope.samples.tables import NOTES_ENDING

if TYPE_CHECKING:
    import pandas as pd


def write_notes(path: str | os.PathLike[str], frame: pd.DataFrame, gates: GateSet) -> None:
    """Write the second file, unless it would say nothing.

    Parameters
    ----------
    path : str or path
        The CSV file.
    frame : DataFrame
        The table in it.
    gates : GateSet
    """
    beside = _beside(as_path(path))
    stored = gates.to_dict()["gates"]
    text = is_text(frame["label"].to_numpy())
    # An older one may be of another table. os.path: a name that is too long is none that exists.
    if stored or text or os.path.exists(beside):
        write_json(beside, {"gates": stored, "text_labels": text})


def read_csv(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a table that `Explorer.to_csv` wrote, with the outlines of its gates.

    Parameters
    ----------
    path : str or path
        The CSV file. The gates are in a file beside it, ``map.gates.json`` for ``map.csv``; keep
        both together. Without it, the table is read as `pandas.read_csv` reads it.

    Returns
    -------
    DataFrame
        For `Explorer`, which shows the same samples, map and gates again.

    Raises
    ------
    InvalidInputError
        If there is no such file, or the one beside it is damaged or of another table.
    """
    import pandas as pd

    file = as_path(path)
    if not file.is_file():
        raise InvalidInputError(
            f"path must be a CSV file that exists; got {str(file)!r}. Correct the path."
        )
    beside = _beside(file)
    if not beside.is_file():
        return pd.read_csv(file)
    try:
        noted = json.loads(beside.read_text(encoding="utf-8"))
        gates = GateSet.from_dict({"gates": noted["gates"]})
        text_labels = bool(noted["text_labels"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"{str(beside)!r} must be as to_csv wrote it; got a file that cannot be read "
            f"({error}). Export the table again, or delete this file to read it without gates."
        ) from error
    frame = pd.read_csv(file)
    others = [name for name in gates_of(frame) if name not in gates]
    if others:  # an export was killed between the two files, or one of them was moved
        raise InvalidInputError(
            f"{str(beside)!r} must be of the same export as the table; got no outline for its "
            f"gates {others}. Export the table again, or delete this file to read it without "
            "outlines."
        )
    if text_labels:
        # As it stands: pandas makes 7 of "007", and a missing value of "NA".
        labels = pd.read_csv(file, usecols=["label"], dtype={"label": str}, keep_default_na=False)
        frame["label"] = labels["label"]
    noted_frame: pd.DataFrame = with_outlines(frame, gates)
    return noted_frame


def _beside(file: Path) -> Path:
    return file.with_name(file.stem + NOTES_ENDING)
