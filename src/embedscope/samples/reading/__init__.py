"""Samples from files, and from objects of other programs."""

from embedscope.samples.reading._files import with_table
from embedscope.samples.reading._image_files import (
    MEMBER,
    file_of,
    is_pattern,
    is_remote,
    members_of,
    open_file,
)
from embedscope.samples.reading._manifest import (
    FAILURES,
    columns_of_numbers,
    is_manifest,
    manifest_rows,
)
from embedscope.samples.reading._needed import existing, needed
from embedscope.samples.reading._opening import open_image_file
from embedscope.samples.reading._read import ARRAYS, open_array
from embedscope.samples.reading._same_way import (
    group_of_row,
    manifest_same_way,
    open_pair_like,
)
from embedscope.samples.reading._table_files import (
    TABLES,
    open_annotated,
    read_table_file,
    unreadable,
)

__all__ = [
    "ARRAYS",
    "FAILURES",
    "MEMBER",
    "TABLES",
    "columns_of_numbers",
    "existing",
    "file_of",
    "group_of_row",
    "is_manifest",
    "is_pattern",
    "is_remote",
    "manifest_rows",
    "manifest_same_way",
    "members_of",
    "needed",
    "open_annotated",
    "open_array",
    "open_file",
    "open_image_file",
    "open_pair_like",
    "read_table_file",
    "unreadable",
    "with_table",
]
