"""A lock on the directory of a model or session, so that only one save runs at a time.

It is a lock of the operating system on a file in the directory. It ends with the process that holds
it, so a crash blocks no other process. The file is removed with the lock.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from embedscope._errors import InvalidInputError

LOCK = ".embedscope-lock"

_PATIENCE_S = 300.0
_POLL_S = 0.02
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}


@contextmanager
def locked(path: Path) -> Iterator[bool]:
    """Hold the lock of a directory. A missing directory is made, and removed if it stays empty.

    Parameters
    ----------
    path : Path
        The directory.

    Yields
    ------
    bool
        Whether no other process saves there. False on file systems without locks, such as some
        network shares.

    Raises
    ------
    InvalidInputError
        If another save has not ended after five minutes.
    """
    is_new = not path.exists()
    lock = _acquired(path)
    try:
        yield lock is not None
    finally:
        # Removed while the lock is held: a waiting process sees that its file is gone and makes a
        # new one.
        with suppress(OSError):  # on Windows the lock itself removes the file
            (path / LOCK).unlink()
        if is_new:
            with suppress(OSError):  # only an empty directory can be removed
                path.rmdir()
        if lock is not None:
            lock.release()


def _acquired(path: Path) -> FileLock | None:
    while True:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(
            path / LOCK, timeout=_PATIENCE_S, poll_interval=_POLL_S, fallback_to_soft=False
        )
        try:
            lock.acquire()
        except FileNotFoundError:
            continue  # a failed save has removed the directory that it made
        except Timeout as error:
            raise InvalidInputError(
                f"path must be free to save to; got {str(path)!r}, where another program has been "
                f"saving for more than {_PATIENCE_S:.0f} s. End that program, or choose another "
                "name."
            ) from error
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return None
            raise
        return lock
