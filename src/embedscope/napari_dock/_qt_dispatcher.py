"""Runs callbacks of worker threads in Qt's main thread, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from time import perf_counter

from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtCore import Signal as QtSignal  # type: ignore[attr-defined]  # each binding names it its own way

_UNNOTICED_S = 0.02
_LONGEST_REST_S = 1.0


class QtDispatcher:
    """A dispatcher for `Explorer`: call it in any thread, and the callback runs in the main one.

    After callbacks that took long, including the painting that they caused, the next ones wait for
    the same time. With software rendering, a training run that reports ten times a second would
    otherwise fill the main thread and slow itself down.

    Must be made in the main thread. Once its parent is destroyed, callbacks are dropped, including
    those that wait.

    Parameters
    ----------
    parent : QObject, optional
        The dispatcher ends when this is destroyed.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        self._queue = _CallbackQueue()
        self._lock = Lock()
        self._has_ended = False
        # Queued even from the main thread: this keeps one order for all callbacks, and no callback
        # runs inside another.
        self._queue.added.connect(self._queue.run, Qt.ConnectionType.QueuedConnection)
        if parent is not None:
            parent.destroyed.connect(self._end)

    def __call__(self, callback: Callable[[], None]) -> None:
        """Ask the main thread to run `callback`."""
        # Emitting a signal while the main thread deletes its object would crash the process.
        with self._lock:
            if not self._has_ended:
                self._queue.added.emit(callback)

    def _end(self, _: object = None) -> None:
        with self._lock:
            self._has_ended = True
        with suppress(RuntimeError):  # at the end of the process Qt may have deleted it already
            self._queue.drop()


class _CallbackQueue(QObject):
    """Lives in the main thread; without a parent, which could delete it at any moment."""

    added = QtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_busy = False  # running callbacks, painting or waiting
        self._has_ended = False
        self._began = 0.0
        # A timer of 0 ms fires once all pending events are processed, including painting.
        self._painted = self._timer(self._rest)
        self._rested = self._timer(self._end_rest)

    def run(self, callback: Callable[[], None]) -> None:
        """Run a callback, or queue it while others are at work; called in the main thread."""
        if self._has_ended:
            return
        self._waiting.append(callback)
        if not self._is_busy:
            self._go_on()

    def drop(self) -> None:
        """Drop all callbacks, now and later."""
        self._has_ended = True
        self._waiting.clear()
        self.deleteLater()

    def _go_on(self) -> None:
        self._is_busy, self._began = True, perf_counter()
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:  # the callbacks after one that fails still run
            if not self._has_ended:  # otherwise a callback has closed the window
                self._painted.start(0)

    def _rest(self) -> None:
        took = perf_counter() - self._began
        self._rested.start(round(1e3 * min(took, _LONGEST_REST_S)) if took > _UNNOTICED_S else 0)

    def _end_rest(self) -> None:
        self._is_busy = False
        if self._waiting:
            self._go_on()

    def _timer(self, call: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(call)
        return timer
