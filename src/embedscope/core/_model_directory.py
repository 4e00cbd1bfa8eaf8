"""The directory of a saved model: how a save replaces all of its files at one instant.

A model is a header, `model.json`, and the data files that the header names. No portable call swaps
two directories that hold files (Linux can, but not on every file system), and the two renames that
do it elsewhere leave an instant without any model. So a save is a small write-ahead log inside the
model's own directory, made of plain renames, which every file system has:

1. the new files are written and flushed in ``.embedscope-saving``;
2. that folder is renamed to ``.embedscope-saved``. This one rename is the commit: a reader looks in
   that folder first for as long as it holds a header;
3. the files move up into the model's directory, header last, and the folder goes.

A process killed in step 1 leaves the old model, killed in step 3 the new one with its files in two
places, where readers find them; the next save clears up after either. `path` itself never
disappears, is never renamed (it may be a link or a mount point), and files that are not the model's
stay. One process saves at a time; any number may read meanwhile.

Knows file names and the header's ``kind`` and ``files``; `_storage` knows what is in the files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from embedscope._errors import InvalidInputError, InvalidModelError

HEADER = "model.json"
KIND = "embedscope model"
DATA_FILE = re.compile(r"[A-Za-z]\w*\.(keras|npz)", re.ASCII)

_STAGING = ".embedscope-saving"
_COMMITTED = ".embedscope-saved"
_LARGEST_HEADER = 64 * 2**20  # bytes; a header holds settings and histories, arrays live elsewhere


@dataclass(frozen=True)
class HeaderFile:
    """The bytes of a header, and what tells its file from one of the same bytes saved later."""

    content: bytes
    inode: int
    modified_ns: int


@contextmanager
def replace_files(path: Path) -> Iterator[Path]:
    """Give an empty folder to write a model into, and put it in the old one's place at the end.

    Parameters
    ----------
    path : Path
        Directory of the model; made, with its parents, if it is missing.

    Yields
    ------
    Path
        Folder to write the header and the data files into. If the block raises, or the process
        dies in it, the model that was there before stays as it was.

    Raises
    ------
    InvalidInputError
        If `path` is a file, or a directory that holds something other than a model.
    """
    _refuse_foreign(path)
    is_new = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    _move_up(path)
    staging = path / _STAGING
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        yield staging
        for file in staging.iterdir():
            flush_to_disk(file)
        flush_to_disk(staging)
        staging.rename(path / _COMMITTED)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        if is_new:
            with suppress(OSError):
                path.rmdir()
        raise
    flush_to_disk(path)
    _move_up(path)


def read_header(path: Path) -> HeaderFile:
    """Read the header of the model in `path`, wherever a save has got to.

    Raises
    ------
    InvalidModelError
        If there is none, or it is far too large to be one.
    """
    try:
        with open_file(path, HEADER) as file:
            status = os.fstat(file.fileno())
            header = HeaderFile(file.read(_LARGEST_HEADER), status.st_ino, status.st_mtime_ns)
    except OSError as error:
        raise InvalidModelError(
            f"path must be a directory that save wrote, with a {HEADER} in it; got {str(path)!r} "
            f"({error.strerror or error}). Give that directory, not a file in it or its parent."
        ) from error
    if status.st_size > _LARGEST_HEADER:
        raise InvalidModelError(
            f"{HEADER} must be at most {_LARGEST_HEADER} bytes; got {status.st_size} in "
            f"{str(path)!r}. It is not a header that embedscope wrote: save the model again."
        )
    return header


def open_file(path: Path, name: str) -> BufferedReader:
    """Open one of the model's files, wherever a save has got to.

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


def _move_up(path: Path) -> None:
    """Finish a committed save. Killed anywhere in here, it starts again and ends the same."""
    committed = path / _COMMITTED
    if not committed.is_dir() or committed.is_symlink():
        return
    if (committed / HEADER).exists():
        for name in _file_names(path) - _file_names(committed):
            (path / name).unlink(missing_ok=True)
        for file in committed.iterdir():
            if DATA_FILE.fullmatch(file.name):
                os.replace(file, path / file.name)
        flush_to_disk(path)
        os.replace(committed / HEADER, path / HEADER)
        flush_to_disk(path)
    shutil.rmtree(committed)


def _refuse_foreign(path: Path) -> None:
    """Raise rather than write among files that are not a model's."""
    if path.exists() and not path.is_dir():
        raise InvalidInputError(
            f"path must be a directory; got the file {str(path)!r}. "
            "Choose another name, or remove that file first."
        )
    holds_files = path.is_dir() and any(
        entry.name not in (_STAGING, _COMMITTED) for entry in path.iterdir()
    )
    if holds_files and not _is_model(path):
        raise InvalidInputError(
            f"path must be a new directory, an empty one or a saved model; got {str(path)!r}, "
            "which holds other files. Choose another name, for example a folder inside it."
        )


def _is_model(path: Path) -> bool:
    """Whether the directory holds a header of ours, be it of a newer format."""
    return any(_parse_header(folder).get("kind") == KIND for folder in (path / _COMMITTED, path))


def _file_names(folder: Path) -> set[str]:
    """Names of the data files that the header in `folder` speaks of."""
    files = _parse_header(folder).get("files")
    names = files if isinstance(files, dict) else {}
    return {name for name in names if DATA_FILE.fullmatch(name)}


def _parse_header(folder: Path) -> dict[str, object]:
    """The header in `folder`, or nothing where there is none that can be understood."""
    try:
        with _open_regular(folder / HEADER) as file:
            header = json.loads(file.read(_LARGEST_HEADER))
    except (OSError, ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


def _open_regular(path: Path) -> BufferedReader:
    """Open for reading; a pipe or a device, which could hang or never end, counts as missing."""
    if path.exists() and not path.is_file():
        raise FileNotFoundError(f"{path.name} is not a regular file")
    return path.open("rb")
