"""A single file that is written whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedscope.core.storage._stored_directory import flush_to_disk
from embedscope.core.storage._stored_path import check_file, errors_of_writing


@contextmanager
def replace_file(file: Path) -> Iterator[Path]:
    """Give a name to write a file to, and put that file in the old one's place at the end.

    Parameters
    ----------
    file : Path
        The file to be; its folder is made, with parents, if it is missing.

    Yields
    ------
    Path
        Where to write, with the same name in a folder beside it. If the block raises, or the
        process dies in it, what was there before stays as it was.

    Raises
    ------
    InvalidInputError
        If there is a directory of that name.
    NotWrittenError
        If it cannot be written; also for an OSError of the block.
    """
    check_file(file)
    with errors_of_writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        # Not with the file's name in it: that may be as long as names can be.
        with tempfile.TemporaryDirectory(prefix=".embedscope-", dir=file.parent) as folder:
            written = Path(folder) / file.name
            yield written
            flush_to_disk(written)
            written.replace(file)
        flush_to_disk(file.parent)
