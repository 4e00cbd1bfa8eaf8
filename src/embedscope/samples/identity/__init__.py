"""The identity of a sample, and the source that it comes from."""

from embedscope.samples.identity._arrays import chunk_sides, finest_level, read
from embedscope.samples.identity._labels import (
    LabelArray,
    is_text,
    joined_labels,
    labels_from_bytes,
    labels_to_bytes,
)
from embedscope.samples.identity._source import source_from_dict, source_to_dict

__all__ = [
    "LabelArray",
    "chunk_sides",
    "finest_level",
    "is_text",
    "joined_labels",
    "labels_from_bytes",
    "labels_to_bytes",
    "read",
    "source_from_dict",
    "source_to_dict",
]
