"""The columns of exported maps, so that an exported table is read back as it was.

- ``source``, ``frame``, ``label``: the sample's identity
- ``umap_1``, ``umap_2``: its position on the map, in map units
- features, under their own names
- ``gate:<name>``: whether the gate holds it, a boolean
- ``score:<name>``: a score, such as ``score:novelty``

A feature with one of these names, or with the prefix of a gate or a score, is written as
``feature:<name>``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from embedscope.samples.common._samples import LeftOut, NotLearned

if TYPE_CHECKING:
    import pandas as pd

IDENTITY_COLUMNS = ("source", "frame", "label")
PLACE_COLUMNS = ("umap_1", "umap_2")
GATE_PREFIX = "gate:"
SCORE_PREFIX = "score:"
FEATURE_PREFIX = "feature:"
NOTES_ENDING = ".gates.json"
"""Of the file beside a CSV file: what that cannot hold, such as which labels are text."""

_PREFIXES = (GATE_PREFIX, SCORE_PREFIX, FEATURE_PREFIX)


def is_exported(frame: pd.DataFrame) -> bool:
    """Whether a table has the columns of every exported map."""
    return all(name in frame.columns for name in (*IDENTITY_COLUMNS, *PLACE_COLUMNS))


def exported_name(feature: str) -> str:
    """The column of a feature in an exported table."""
    # A name with the prefix of features gets it again, so that no two names become equal.
    is_taken = feature in (*IDENTITY_COLUMNS, *PLACE_COLUMNS) or feature.startswith(_PREFIXES)
    return FEATURE_PREFIX + feature if is_taken else feature


def exported_features(frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[LeftOut, ...]]:
    """The features of an exported table under their own names, and why other columns are none."""
    reasons = {str(name): _reason_against(str(name)) for name in frame.columns}
    left_out = tuple(NotLearned(name, reason) for name, reason in reasons.items() if reason)
    kept = frame.loc[:, [not reasons[str(name)] for name in frame.columns]]
    names = [str(name).removeprefix(FEATURE_PREFIX) for name in kept.columns]
    return kept.set_axis(names, axis=1), left_out


def _reason_against(name: str) -> str:
    if name in IDENTITY_COLUMNS:
        return "holds identities, not measurements"
    if name in PLACE_COLUMNS:
        return "a position on the map from which the table was exported"
    if name.startswith(GATE_PREFIX):
        return "a gate of the map from which the table was exported"
    if name.startswith(SCORE_PREFIX):
        return "a score from the map from which the table was exported"
    return ""
