"""What samples of all kinds share, and how kinds differ."""

from embedscope.samples.common._checks import finite_rows
from embedscope.samples.common._kind import kind_of
from embedscope.samples.common._learning import names_columns, with_computed
from embedscope.samples.common._matching import (
    KnownObjects,
    RowIds,
    check_different,
    matched_frames,
    unmatched,
)
from embedscope.samples.common._pictures import begins_with_transmitted_light

__all__ = [
    "KnownObjects",
    "RowIds",
    "begins_with_transmitted_light",
    "check_different",
    "finite_rows",
    "kind_of",
    "matched_frames",
    "names_columns",
    "unmatched",
    "with_computed",
]
