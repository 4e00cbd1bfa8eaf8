"""A directory that is saved whole: how a save replaces all of its files at one instant.

Saved models and saved sessions are such directories: a header, and the data files that the header
names. No portable call swaps two directories that hold files (Linux can, but not on every file
system), and the two renames that do it elsewhere leave an instant without any. So a save is a small
write-ahead log inside the directory itself, made of plain renames, which every file system has:

1. the new files are written in a folder of the save's own, ``.embedscope-saving-...``, compared
   with their header, and flushed;
2. that folder is renamed to ``.embedscope-saved``. This one rename is the commit: a reader looks in
   that folder first for as long as it holds a header;
3. the files move up into the directory, header last, and the folder goes.

A process killed in step 1 leaves the old files, killed in step 3 the new ones in two places, where
readers find them; the next save clears up after either. `path` itself never disappears, is never
renamed (it may be a link or a mount point), and files that are not the save's own stay. One save
goes on at a time, others wait for it (`_stored_lock`); any number may read meanwhile.

Knows file names and the header's ``kind`` and ``files``. What is in the files is for `_storage` and
other readers to know, and a `Layout` says which kind of directory it is.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core.storage._stored_lock import LOCK, locked
from embedscope.core.storage._stored_path import errors_of_writing

_STAGING = ".embedscope-saving"
_COMMITTED = ".embedscope-saved"
_OF_A_SAVE = re.compile(rf"{re.escape(_STAGING)}(-\w+)?|{re.escape(_COMMITTED)}|{re.escape(LOCK)}")
_LARGEST_HEADER = 64 * 2**20  # bytes; a header holds settings and histories, arrays live elsewhere


@dataclass(frozen=True)
class Layout:
    """What one kind of directory looks like.

    Attributes
    ----------
    header : str
        Name of the header's file.
    noun : str
        What messages call it, ``"model"``; the header's ``kind`` is ``"embedscope model"``.
    format : int
        Highest format number that can be read, and the one that is written.
    data_file : re.Pattern
        Names that data files may have, relative to the directory, with ``/`` between the parts.
    """

    header: str
    noun: str
    format: int
    data_file: re.Pattern[str]

    @property
    def kind(self) -> str:
        """What the header says it is the header of."""
        return f"embedscope {self.noun}"


@dataclass(frozen=True)
class HeaderFile:
    """The bytes of a header, and what tells its file from one of the same bytes saved later."""

    content: bytes
    inode: int
    modified_ns: int


@contextmanager
def replace_files(path: Path, layout: Layout) -> Iterator[Path]:
    """Give an empty folder to write files into, and put them in the old ones' place at the end.

    Parameters
    ----------
    path : Path
        Directory of the model or session; made, with its parents, if it is missing.
    layout : Layout
        Which kind of directory it is.

    Yields
    ------
    Path
        Folder to write the header and the data files into. If the block raises, or the process
        dies in it, what was there before stays as it was.

    Raises
    ------
    InvalidInputError
        If `path` is a file, or a directory that holds something of another kind.
    NotWrittenError
        If it cannot be written; also for an OSError of the block.
    """
    with errors_of_writing(path):
        _refuse_foreign(path, layout)
        with locked(path) as is_alone:
            _refuse_foreign(path, layout)  # again: another save may have come first
            _move_up(path, layout)
            if is_alone:
                _clear_up(path)
            with _staging(path) as staging:
                yield staging
                _check_staged(staging, layout)
                for entry in staging.rglob("*"):
                    flush_to_disk(entry)
                flush_to_disk(staging)
                staging.rename(path / _COMMITTED)
            flush_to_disk(path)
            _move_up(path, layout)


def read_header(path: Path, layout: Layout) -> HeaderFile:
    """Read the header in `path`, wherever a save has got to.

    Raises
    ------
    InvalidModelError
        If there is none, or it is far too large to be one.
    """
    try:
        with open_file(path, layout.header) as file:
            status = os.fstat(file.fileno())
            header = HeaderFile(file.read(_LARGEST_HEADER), status.st_ino, status.st_mtime_ns)
    except OSError as error:
        raise InvalidModelError(
            f"path must be a directory that save wrote, with a {layout.header} in it; got "
            f"{str(path)!r} ({error.strerror or error}). Give that directory, not a file in it or "
            "its parent."
        ) from error
    if status.st_size > _LARGEST_HEADER:
        raise InvalidModelError(
            f"{layout.header} must be at most {_LARGEST_HEADER} bytes; got {status.st_size} in "
            f"{str(path)!r}. embedscope wrote no such header: save the {layout.noun} again."
        )
    return header


def open_file(path: Path, name: str) -> BufferedReader:
    """Open one of the files, wherever a save has got to.

    Raises
    ------
    OSError
        If it is missing, not a regular file, or may not be read.
    """
    # The move upwards may happen between the two tries, never the other way round.
    with suppress(FileNotFoundError, NotADirectoryError):
        return _open_regular(path / _COMMITTED / name)
    return _open_regular(path / name)


def flush_to_disk(path: Path) -> None:
    """Wait until a file's content, or a directory's names, have reached the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no directories and orders renames in its own journal
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def describe_file(file: BufferedReader) -> dict[str, Any]:
    """Say how many bytes a file holds, and which: its SHA-256."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"size": file.tell(), "sha256": digest}


@contextmanager
def _staging(path: Path) -> Iterator[Path]:
    """A folder that no other save knows; gone at the end, unless it was renamed."""
    staging = path / f"{_STAGING}-{uuid.uuid4().hex}"  # not of tempfile, whose folders are private
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _clear_up(path: Path) -> None:
    """Remove what killed saves have left. Only for whoever holds the lock."""
    for entry in path.glob(f"{_STAGING}*"):
        if _OF_A_SAVE.fullmatch(entry.name):
            shutil.rmtree(entry, ignore_errors=True)


def _check_staged(staging: Path, layout: Layout) -> None:
    """Make sure that the files are those which their header describes, before they count."""
    files = _parse_header(staging, layout).get("files")
    for name, described in files.items() if isinstance(files, dict) else ():
        with (staging / name).open("rb") as file:
            if describe_file(file) != described:
                raise OSError(errno.EIO, f"{name} is not what was written")


def _move_up(path: Path, layout: Layout) -> None:
    """Finish a committed save. Killed anywhere in here, it starts again and ends the same."""
    committed = path / _COMMITTED
    if not committed.is_dir() or committed.is_symlink():
        return
    if (committed / layout.header).exists():
        old, new = _file_names(path, layout), _file_names(committed, layout)
        folders = {(path / name).parent for name in old | new} - {path}
        for folder in folders:
            _claim(folder)
        for name in old - new:
            (path / name).unlink(missing_ok=True)
        for name in new:
            if (committed / name).is_file():  # else an earlier try has moved it already
                os.replace(committed / name, path / name)
        for folder in folders:
            flush_to_disk(folder)
            with suppress(OSError):  # only one that the new save has no use for is empty
                folder.rmdir()
        flush_to_disk(path)
        os.replace(committed / layout.header, path / layout.header)
        flush_to_disk(path)
    shutil.rmtree(committed)


def _claim(folder: Path) -> None:
    """Make sure of a folder inside the directory: what a link leads to is not ours to change."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    folder.mkdir(exist_ok=True)


def _refuse_foreign(path: Path, layout: Layout) -> None:
    """Raise rather than write among files of another kind."""
    if path.exists() and not path.is_dir():
        raise InvalidInputError(
            f"path must be a directory; got the file {str(path)!r}. "
            "Choose another name, or remove that file first."
        )
    holds_files = path.is_dir() and any(
        not _OF_A_SAVE.fullmatch(entry.name) for entry in path.iterdir()
    )
    if holds_files and not _is_ours(path, layout):
        raise InvalidInputError(
            f"path must be a new directory, an empty one or a saved {layout.noun}; got "
            f"{str(path)!r}, which holds other files. Choose another name, for example a folder "
            "inside it."
        )


def _is_ours(path: Path, layout: Layout) -> bool:
    """Whether the directory holds a header of this kind, be it of a newer format."""
    folders = (path / _COMMITTED, path)
    return any(_parse_header(folder, layout).get("kind") == layout.kind for folder in folders)


def _file_names(folder: Path, layout: Layout) -> set[str]:
    """Names of the data files that the header in `folder` speaks of."""
    files = _parse_header(folder, layout).get("files")
    names = files if isinstance(files, dict) else {}
    return {name for name in names if layout.data_file.fullmatch(name)}


def _parse_header(folder: Path, layout: Layout) -> dict[str, object]:
    """The header in `folder`, or nothing where there is none that can be understood."""
    try:
        with _open_regular(folder / layout.header) as file:
            header = json.loads(file.read(_LARGEST_HEADER))
    except (OSError, ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


def _open_regular(path: Path) -> BufferedReader:
    """Open for reading; a pipe or a device, which could hang or never end, counts as missing."""
    if path.exists() and not path.is_file():
        raise FileNotFoundError(f"{path.name} is not a regular file")
    return path.open("rb")
