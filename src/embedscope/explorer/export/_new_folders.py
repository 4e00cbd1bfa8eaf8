"""Folders that are written completely or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedscope._errors import InvalidInputError
from embedscope.core.storage import errors_of_writing


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a path to write a folder to, and move it to its place at the end.

    Parameters
    ----------
    folder : Path
        Its parents are made if they are missing.

    Yields
    ------
    Path
        The folder to make: the same name in a temporary folder next to it.

    Raises
    ------
    InvalidInputError
        If the folder exists: it may hold more than what is written.
    NotWrittenError
        If it cannot be written; also for an OSError in the block.
    """
    check_new(folder)
    with errors_of_writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".embedscope-", dir=folder.parent) as beside:
            written = Path(beside) / folder.name
            yield written
            written.replace(folder)


def check_new(folder: Path) -> None:
    """Raise unless there is no folder and no file of that name."""
    if folder.exists():
        raise InvalidInputError(
            f"path must be a new folder; got {folder}, which exists already. Choose another name."
        )
