"""Write a single file completely or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedscope.core.storage._stored_directory import flush_to_disk
from embedscope.core.storage._stored_path import check_file, errors_of_writing


@contextmanager
def replace_file(file: Path) -> Iterator[Path]:
    """Give a path to write a new file to, and replace the old file by it at the end.

    Parameters
    ----------
    file : Path
        The final file; its folder is made, with parents, if it is missing.

    Yields
    ------
    Path
        The file to write: the same name in a temporary folder next to it. If the block raises, or
        the process dies in it, an old file stays unchanged.

    Raises
    ------
    InvalidInputError
        If there is a directory of that name.
    NotWrittenError
        If it cannot be written; also for an OSError in the block.
    """
    check_file(file)
    with errors_of_writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        # The prefix does not contain the file's name, which may already have the maximal length.
        with tempfile.TemporaryDirectory(prefix=".embedscope-", dir=file.parent) as folder:
            written = Path(folder) / file.name
            yield written
            flush_to_disk(written)
            written.replace(file)
        flush_to_disk(file.parent)
