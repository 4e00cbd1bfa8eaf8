"""Save a directory atomically: all of its files are replaced at one instant.

Saved models and saved sessions are such directories: a header, and the data files that the header
lists. No portable call swaps two directories that hold files (Linux has one, but not for every file
system), and swapping by two renames leaves an instant without a directory. So a save is a small
write-ahead log inside the directory, made of plain renames, which every file system has:

1. the new files are written to a separate folder, ``.embedscope-saving-...``, compared with their
   header, and flushed;
2. that folder is renamed to ``.embedscope-saved``. This rename is the commit: a reader looks in
   that folder first as long as it holds a header;
3. the files are moved up into the directory, header last, and the folder is removed.

A process killed in step 1 leaves the old files. Killed in step 3 it leaves the new files in two
folders, where readers find them. The next save cleans up after both. `path` itself never disappears
and is never renamed (it may be a link or a mount point), and foreign files stay. Only one save runs
at a time, others wait for it (`_stored_lock`); any number of processes may read meanwhile.

This module knows file names and the header's ``kind`` and ``files``. `_storage` and other readers
know the content of the files; a `Layout` describes the kind of directory.
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
_LARGEST_HEADER = 64 * 2**20  # bytes; a header holds settings and histories, but no arrays


@dataclass(frozen=True)
class Layout:
    """The layout of one kind of directory.

    Attributes
    ----------
    header : str
        Name of the header's file.
    noun : str
        Its name in messages, such as ``"model"``; the header's ``kind`` is ``"embedscope model"``.
    format : int
        Highest format number that can be read, and the one that is written.
    data_file : re.Pattern
        Allowed names of data files, relative to the directory, with ``/`` between the parts.
    """

    header: str
    noun: str
    format: int
    data_file: re.Pattern[str]

    @property
    def kind(self) -> str:
        """The ``kind`` in the header."""
        return f"embedscope {self.noun}"


@dataclass(frozen=True)
class HeaderFile:
    """The bytes of a header, with file numbers that differ if the same bytes are saved again."""

    content: bytes
    inode: int
    modified_ns: int


@contextmanager
def replace_files(path: Path, layout: Layout) -> Iterator[Path]:
    """Give an empty folder to write files into, and replace the old files by them at the end.

    Parameters
    ----------
    path : Path
        Directory of the model or session; made, with its parents, if it is missing.
    layout : Layout
        The kind of directory.

    Yields
    ------
    Path
        Folder to write the header and the data files into. If the block raises, or the process
        dies in it, the old files stay unchanged.

    Raises
    ------
    InvalidInputError
        If `path` is a file, or a directory that holds other files.
    NotWrittenError
        If it cannot be written; also for an OSError in the block.
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
    """Read the header in `path`, at any stage of a save.

    Raises
    ------
    InvalidModelError
        If there is none, or it is too large for a header.
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
    """Open one of the files, at any stage of a save.

    Raises
    ------
    OSError
        If it is missing, not a regular file, or not readable.
    """
    # A save may move the file up between the two attempts, but never down.
    with suppress(FileNotFoundError, NotADirectoryError):
        return _open_regular(path / _COMMITTED / name)
    return _open_regular(path / name)


def flush_to_disk(path: Path) -> None:
    """Wait until a file's content, or a directory's names, have reached the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open directories; its journal keeps the order of renames
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def describe_file(file: BufferedReader) -> dict[str, Any]:
    """Size in bytes and SHA-256 of a file."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"size": file.tell(), "sha256": digest}


@contextmanager
def _staging(path: Path) -> Iterator[Path]:
    """A folder with a unique name; removed at the end, unless it was renamed."""
    # Not by tempfile: only the owner may read its folders.
    staging = path / f"{_STAGING}-{uuid.uuid4().hex}"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _clear_up(path: Path) -> None:
    """Remove the folders of killed saves. Call it only with the lock."""
    for entry in path.glob(f"{_STAGING}*"):
        if _OF_A_SAVE.fullmatch(entry.name):
            shutil.rmtree(entry, ignore_errors=True)


def _check_staged(staging: Path, layout: Layout) -> None:
    """Raise unless the files are those that their header describes, before the commit."""
    files = _parse_header(staging, layout).get("files")
    for name, described in files.items() if isinstance(files, dict) else ():
        with (staging / name).open("rb") as file:
            if describe_file(file) != described:
                raise OSError(errno.EIO, f"{name} is not what was written")


def _move_up(path: Path, layout: Layout) -> None:
    """Finish a committed save. If killed, the next call repeats it with the same result."""
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
            if (committed / name).is_file():  # else an earlier call has moved it already
                os.replace(committed / name, path / name)
        for folder in folders:
            flush_to_disk(folder)
            with suppress(OSError):  # only a folder that the new save does not use is empty
                folder.rmdir()
        flush_to_disk(path)
        os.replace(committed / layout.header, path / layout.header)
        flush_to_disk(path)
    shutil.rmtree(committed)


def _claim(folder: Path) -> None:
    """Make a real folder inside the directory; a link would lead to foreign files."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    folder.mkdir(exist_ok=True)


def _refuse_foreign(path: Path, layout: Layout) -> None:
    """Raise if `path` holds other files."""
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
    """Whether the directory holds a header of this kind, of any format."""
    folders = (path / _COMMITTED, path)
    return any(_parse_header(folder, layout).get("kind") == layout.kind for folder in folders)


def _file_names(folder: Path, layout: Layout) -> set[str]:
    """Names of the data files that the header in `folder` lists."""
    files = _parse_header(folder, layout).get("files")
    names = files if isinstance(files, dict) else {}
    return {name for name in names if layout.data_file.fullmatch(name)}


def _parse_header(folder: Path, layout: Layout) -> dict[str, object]:
    """The header in `folder`, or an empty dict if none can be parsed."""
    try:
        with _open_regular(folder / layout.header) as file:
            header = json.loads(file.read(_LARGEST_HEADER))
    except (OSError, ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


def _open_regular(path: Path) -> BufferedReader:
    """Open for reading; a pipe or a device, which could block or never end, counts as missing."""
    if path.exists() and not path.is_file():
        raise FileNotFoundError(f"{path.name} is not a regular file")
    return path.open("rb")
