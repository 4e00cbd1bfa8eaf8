"""One save at a time: a lock on the directory of a model or session.

The lock is the operating system's own, on a file in the directory. It ends with the process that
holds it, however that ends, so a crash blocks nobody. The file goes with the lock.
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
    """Hold the lock of a directory, which is made if it is missing, and goes if it stays empty.

    Parameters
    ----------
    path : Path
        The directory.

    Yields
    ------
    bool
        Whether nobody else saves there. False on file systems without locks, as some network
        shares are.

    Raises
    ------
    InvalidInputError
        If another save is not done after five minutes.
    """
    is_new = not path.exists()
    lock = _acquired(path)
    try:
        yield lock is not None
    finally:
        # All while it is held: whoever waits sees that its file is gone, and makes another.
        with suppress(OSError):  # on Windows the lock removes its file itself
            (path / LOCK).unlink()
        if is_new:
            with suppress(OSError):  # empty, so nothing was saved, or else it stays
                path.rmdir()
        if lock is not None:
            lock.release()


def _acquired(path: Path) -> FileLock | None:
    while True:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(
            path / LOCK, timeout=_PATIENCE_S, poll_interval=0.02, fallback_to_soft=False
        )
        try:
            lock.acquire()
        except FileNotFoundError:
            continue  # a save that failed took its new directory away again
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
