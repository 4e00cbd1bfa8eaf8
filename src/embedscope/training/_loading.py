"""TensorFlow, loaded in a thread of its own: whoever waits for it can still be stopped.

Loading takes seconds, on a busy machine minutes, and nothing can interrupt it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread

from embedscope.training._garbage import full_collections_spared

_LAST_MODULE = "embedscope.training._live_decoder"  # that imports the others
_PAUSE_S = 0.05

_lock = Lock()
_thread: Thread | None = None
_has_ended = Event()


def is_loaded() -> bool:
    """Whether all that training needs is there."""
    return _has_ended.is_set() or (_thread is None and _LAST_MODULE in sys.modules)


def start_loading() -> None:
    """Begin to load what training needs, TensorFlow above all, unless that has begun.

    Returns at once. A front end may call this while its user still looks around.
    """
    global _thread
    with _lock:
        if is_loaded() or (_thread is not None and _thread.is_alive()):
            return
        # Python waits for it at its end: taken down within TensorFlow, it would crash.
        _thread = Thread(target=_load, name="embedscope loading")
        _thread.start()


def wait_until_loaded(heed: Callable[[], None]) -> None:
    """Load what training needs, or wait until somebody else has.

    Parameters
    ----------
    heed : callable
        Called again and again meanwhile; may raise to give up waiting.
    """
    start_loading()
    while not is_loaded():
        _has_ended.wait(_PAUSE_S)
        heed()


def _load() -> None:
    # Whoever needs what is missing imports it once more, and gets the error.
    with suppress(Exception), full_collections_spared():
        import embedscope.core.fitting
        import embedscope.training._live_decoder  # noqa: F401
    _has_ended.set()
