"""Check paths for saving, and convert errors of writing to this package's own."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedscope._errors import (
    EmbedscopeError,
    InvalidInputError,
    InvalidTypeError,
    NotWrittenError,
)

_LONGEST_SHOWN = 200  # characters of a path in a message

_REMEDIES = {
    errno.ENOSPC: "Make room on that disk, or choose another",
    errno.EDQUOT: "Make room there, or choose another disk",
    errno.EFBIG: "Choose a disk that takes larger files",
    errno.EACCES: "Choose a folder that you may write to",
    errno.EPERM: "Choose a folder that you may write to",
    errno.EROFS: "Choose a folder that you may write to",
    errno.ENAMETOOLONG: "Choose a shorter name",
    errno.ENOTDIR: "A part of it is a file: choose another folder",
    errno.EEXIST: "A part of it is a file: choose another folder",
}


def as_path(path: Any) -> Path:
    """Check a path.

    Raises
    ------
    InvalidInputError
        If it is neither text nor a path, is empty, or contains a forbidden character.
    """
    try:
        text = os.fspath(path)
    except TypeError:
        text = path
    if not isinstance(text, str):
        raise InvalidTypeError(
            f"path must be text or a pathlib.Path; got {type(path).__name__}. Write it in quotes."
        )
    if not text or "\0" in text:
        raise InvalidInputError(
            f"path must be a name that files can have; got {text!r:.{_LONGEST_SHOWN}}. Choose "
            "another."
        )
    return Path(text)


def check_file(file: Path, suggested: str = "map") -> None:
    """Raise if the file to write is a folder, and suggest a name in it.

    Raises
    ------
    InvalidInputError
        If `file` is a directory.
    """
    with errors_of_writing(file):
        if file.is_dir():
            raise InvalidInputError(
                f"path must be a file; got the directory {str(file)!r}. Add a name, such as "
                f"{str(file / suggested)!r}."
            )


@contextmanager
def errors_of_writing(path: Path) -> Iterator[None]:
    """Convert every OSError of the block to a `NotWrittenError` with a remedy.

    Raises
    ------
    NotWrittenError
        For every OSError of the block.
    """
    try:
        yield
    except EmbedscopeError:
        raise
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "Choose another place")
        shown = str(path)
        if len(shown) > _LONGEST_SHOWN:
            shown = f"{shown[:_LONGEST_SHOWN]}..."
        raise NotWrittenError(
            f"path must be writable; got {shown!r} "
            f"({error.strerror or error}). {remedy}; what was there before is unchanged."
        ) from error
