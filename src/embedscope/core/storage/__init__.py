"""Models on disk: saved completely or not at all, without pickles, and checked before use."""

from embedscope.core.storage._stored_arrays import (
    check_arrays,
    open_verified,
    read_arrays,
    write_sealed,
)
from embedscope.core.storage._stored_directory import Layout, replace_files
from embedscope.core.storage._stored_file import replace_file
from embedscope.core.storage._stored_header import describe_versions, read_sealed
from embedscope.core.storage._stored_path import as_path, errors_of_writing

__all__ = [
    "Layout",
    "as_path",
    "check_arrays",
    "describe_versions",
    "errors_of_writing",
    "open_verified",
    "read_arrays",
    "read_sealed",
    "replace_file",
    "replace_files",
    "write_sealed",
]
