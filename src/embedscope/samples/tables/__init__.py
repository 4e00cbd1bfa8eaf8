"""Samples that are rows of tables and items of arrays."""

from embedscope.samples.tables._annotated import is_annotated
from embedscope.samples.tables._exported import (
    FEATURE_PREFIX,
    GATE_PREFIX,
    IDENTITY_COLUMNS,
    PLACE_COLUMNS,
    SCORE_PREFIX,
    exported_name,
)
from embedscope.samples.tables._table import place_of_rows

__all__ = [
    "FEATURE_PREFIX",
    "GATE_PREFIX",
    "IDENTITY_COLUMNS",
    "PLACE_COLUMNS",
    "SCORE_PREFIX",
    "exported_name",
    "is_annotated",
    "place_of_rows",
]
