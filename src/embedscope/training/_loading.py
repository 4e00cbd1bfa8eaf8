"""Load TensorFlow in a thread of its own, so that a run that waits for it can be stopped.

Loading takes seconds, on a busy machine minutes, and cannot be interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread

from embedscope.training._garbage import full_collections_spared

_LAST_MODULE = "embedscope.training._live_decoder"  # imports all others
_PAUSE_S = 0.05  # between two calls of `check`

_lock = Lock()
_thread: Thread | None = None
_has_ended = Event()


def is_loaded() -> bool:
    """Whether everything that training imports is loaded."""
    return _has_ended.is_set() or (_thread is None and _LAST_MODULE in sys.modules)


def start_loading() -> None:
    """Start loading what training imports, above all TensorFlow, unless this has started.

    Returns at once. A front end may call this before its user starts a run.
    """
    global _thread
    with _lock:
        if is_loaded() or (_thread is not None and _thread.is_alive()):
            return
        # No daemon: Python waits for it at exit, and does not crash by an exit inside TensorFlow.
        _thread = Thread(target=_load, name="embedscope loading")
        _thread.start()


def wait_until_loaded(check: Callable[[], None]) -> None:
    """Load what training imports, or wait until another thread has loaded it.

    Parameters
    ----------
    check : callable
        Called repeatedly while waiting; may raise to stop waiting.
    """
    start_loading()
    while not is_loaded():
        _has_ended.wait(_PAUSE_S)
        check()


def _load() -> None:
    # Code that needs a missing module imports it again, and gets the error.
    with suppress(Exception), full_collections_spared():
        import embedscope.core.fitting
        import embedscope.training._live_decoder  # noqa: F401
    _has_ended.set()
