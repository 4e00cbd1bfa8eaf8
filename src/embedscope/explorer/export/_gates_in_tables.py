"""The gates of an exported map: who is in each, and the outlines with which it is drawn again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope.explorer.marks._gates import GateSet
from embedscope.samples.tables import GATE_PREFIX, is_annotated

_KEY, _OUTLINES = "embedscope", "outlines"


def gates_of(table: Any) -> dict[str, npt.NDArray[np.bool_]]:
    """Which samples each gate holds, in a table that an explorer exported, also one from disk.

    Parameters
    ----------
    table : DataFrame or AnnData of n rows
        From `Explorer.to_frame`, `to_anndata` or `to_spatialdata_table`, or read from a file of
        `to_csv` or `to_parquet`.

    Returns
    -------
    dict of str to ndarray of shape (n,), bool
        By the name of the gate, in the order of the columns; empty for another table.
    """
    if is_annotated(table):
        columns = table.uns.get(_KEY, {}).get("gates", {})
        names = {column: str(columns[column]) for column in table.obs if column in columns}
        table = table.obs
    else:
        found = [name for name in table.columns if str(name).startswith(GATE_PREFIX)]
        names = {name: str(name).removeprefix(GATE_PREFIX) for name in found}
    return {name: table[column].to_numpy(dtype=bool) for column, name in names.items()}


def outlines_in(table: Any) -> GateSet:
    """The gates that a table of `with_outlines` or of `to_anndata` holds, to be drawn again.

    Parameters
    ----------
    table : DataFrame or AnnData

    Returns
    -------
    GateSet
        Empty if the table, such as one from CSV, holds no outlines.
    """
    stored = (table.uns if is_annotated(table) else table.attrs).get(_KEY, {})
    text = stored.get(_OUTLINES) if isinstance(stored, Mapping) else None
    return GateSet() if text is None else GateSet.from_dict({"gates": json.loads(str(text))})


def with_outlines(frame: Any, gates: GateSet) -> Any:
    """A table with outlines of gates among its attributes, which Parquet stores.

    Parameters
    ----------
    frame : DataFrame
    gates : GateSet
    """
    noted = frame.copy(deep=False)
    noted.attrs = {_KEY: {_OUTLINES: as_json(gates)}}
    return noted


def as_json(gates: GateSet) -> str:
    """The gates for `outlines_in`."""
    return json.dumps(gates.to_dict()["gates"])
