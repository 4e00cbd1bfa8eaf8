"""Samples that are rows of tables and items of arrays."""

from embedscope.samples.tables._annotated import MAP_KEY, is_annotated
from embedscope.samples.tables._columns import measurements
from embedscope.samples.tables._exported import (
    FEATURE_PREFIX,
    GATE_PREFIX,
    IDENTITY_COLUMNS,
    NOTES_ENDING,
    PLACE_COLUMNS,
    SCORE_PREFIX,
    exported_name,
)
from embedscope.samples.tables._known_columns import are_names
from embedscope.samples.tables._plain import PlainFrame, as_text, plain_frame
from embedscope.samples.tables._table import place_of_rows

__all__ = [
    "FEATURE_PREFIX",
    "GATE_PREFIX",
    "IDENTITY_COLUMNS",
    "MAP_KEY",
    "NOTES_ENDING",
    "PLACE_COLUMNS",
    "SCORE_PREFIX",
    "PlainFrame",
    "are_names",
    "as_text",
    "exported_name",
    "is_annotated",
    "measurements",
    "place_of_rows",
    "plain_frame",
]
