"""Avoid full garbage collections in training, since each blocks all threads.

TensorFlow makes a million objects. With them, a full collection takes a third of a second, during
which no window and no kernel responds. Python starts one when enough new objects have survived;
nothing makes as many as the imports at the start of a run.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

_NEVER = 2**30  # collections of the middle generation before a full one: more than ever happen

_lock = Lock()
_n_loading = 0
_n_spared = 0
_threshold = (0, 0, 0)
_is_frozen_by_others = False


@contextmanager
def full_collections_spared() -> Iterator[Callable[[], None]]:
    """Have no full collection at first, and then only of new objects.

    Several threads may enter at once. Older garbage is collected again once all have left; young
    objects are collected all the time.

    Yields
    ------
    callable
        Call it once the large imports are done: until then there is no full collection, from then
        on they ignore all objects that exist at the call.
    """
    is_loading = True

    def settle() -> None:
        nonlocal is_loading
        with _lock:
            if is_loading:
                is_loading = False
                _leave_loading()
                if not _is_frozen_by_others:
                    gc.freeze()

    _enter()
    try:
        yield settle
    finally:
        settle()
        _leave()


def _enter() -> None:
    global _n_loading, _n_spared, _threshold, _is_frozen_by_others
    with _lock:
        if _n_spared == 0:  # objects that other code has frozen must stay frozen
            _is_frozen_by_others = gc.get_freeze_count() > 0
        if _n_loading == 0:
            _threshold = gc.get_threshold()
            gc.set_threshold(*_threshold[:2], _NEVER)
        _n_loading += 1
        _n_spared += 1


def _leave_loading() -> None:
    global _n_loading
    _n_loading -= 1
    if _n_loading == 0:
        gc.set_threshold(*_threshold)


def _leave() -> None:
    global _n_spared
    with _lock:
        _n_spared -= 1
        if _n_spared == 0 and not _is_frozen_by_others:
            gc.unfreeze()
