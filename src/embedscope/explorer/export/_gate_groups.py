"""The gates as one column of groups, as scanpy and squidpy need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope.explorer.marks._gates import GateSet
from embedscope.samples.tables import GATE_PREFIX

if TYPE_CHECKING:
    import pandas as pd

_NO_GATE_COLOR = "#bbbbbb"


def gate_of_each(frame: pd.DataFrame) -> pd.Categorical | None:
    """The last gate that holds each sample, as on the map.

    Parameters
    ----------
    frame : DataFrame of n rows
        From `to_frame`.

    Returns
    -------
    Categorical of n values or None
        The first category is no gate. None without gates.
    """
    import pandas as pd

    columns = [str(name) for name in frame.columns if str(name).startswith(GATE_PREFIX)]
    if not columns:
        return None
    names = [name.removeprefix(GATE_PREFIX) for name in columns]
    none = "none"
    while none in names:
        none = f"({none})"
    codes = np.zeros(len(frame), np.intp)
    for code, name in enumerate(columns, start=1):
        codes[frame[name].to_numpy(bool)] = code
    return pd.Categorical.from_codes(codes, pd.Index([none, *names], dtype=object))


def colors_of(column: str, grouped: pd.Categorical, gates: GateSet | None) -> dict[str, Any]:
    """The colours of the categories, where scanpy looks for them.

    Parameters
    ----------
    column : str
        The name of `grouped` in ``obs``.
    grouped : Categorical
        From `gate_of_each`.
    gates : GateSet, optional

    Returns
    -------
    dict
        An entry of ``uns``; empty if the gates are not known.
    """
    names = [str(name) for name in grouped.categories[1:]]
    if gates is None or any(name not in gates for name in names):
        return {}
    colors = [_NO_GATE_COLOR, *(gates[name].color for name in names)]
    return {f"{column}_colors": np.array(colors, dtype=object)}
