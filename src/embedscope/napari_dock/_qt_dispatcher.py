"""Runs callbacks of worker threads in Qt's main thread, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from time import perf_counter

from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtCore import Signal as QtSignal  # type: ignore[attr-defined]  # each binding names it its own way

_SHORT_S = 0.02  # after shorter callbacks there is no pause
_LONGEST_PAUSE_S = 1.0


class QtDispatcher:
    """A dispatcher for `Explorer`: called in any thread, it runs the callback in the main thread.

    After callbacks that took long, including the painting that they caused, the next callbacks wait
    for the same time. With software rendering, a training run that reports ten times a second would
    otherwise keep the main thread busy, and be slowed down by it.

    Must be made in the main thread. Once its parent is deleted, callbacks are dropped, waiting ones
    too.

    Parameters
    ----------
    parent : QObject, optional
        The dispatcher stops when this is deleted.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        self._queue = _CallbackQueue()
        self._lock = Lock()
        self._has_ended = False
        # Queued even from the main thread itself: all callbacks keep one order, and none runs
        # inside another.
        self._queue.called.connect(self._queue.add, Qt.ConnectionType.QueuedConnection)
        if parent is not None:
            parent.destroyed.connect(self._end)

    def __call__(self, callback: Callable[[], None]) -> None:
        """Ask the main thread to run `callback`."""
        # Emitting the signal while the main thread deletes its object would crash the process.
        with self._lock:
            if not self._has_ended:
                self._queue.called.emit(callback)

    def _end(self, _: object = None) -> None:
        with self._lock:
            self._has_ended = True
        with suppress(RuntimeError):  # at the end of the process Qt may have deleted it before
            self._queue.drop()


class _CallbackQueue(QObject):
    """Lives in the main thread. It has no parent, so that Qt does not delete it at any moment."""

    called = QtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_busy = False  # running callbacks, painting or pausing
        self._has_ended = False
        self._began = 0.0
        # A timer of 0 ms fires once all waiting events are processed, paint events included.
        self._painted = self._timer(self._pause)
        self._paused = self._timer(self._end_pause)

    def add(self, callback: Callable[[], None]) -> None:
        """Run the callback now, or after those that wait; called in the main thread."""
        if self._has_ended:
            return
        self._waiting.append(callback)
        if not self._is_busy:
            self._go_on()

    def drop(self) -> None:
        """Drop all callbacks, waiting and future ones."""
        self._has_ended = True
        self._waiting.clear()
        self.deleteLater()

    def _go_on(self) -> None:
        self._is_busy, self._began = True, perf_counter()
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:  # if a callback fails, later ones still run
            if not self._has_ended:  # otherwise a callback has closed the window
                self._painted.start(0)

    def _pause(self) -> None:
        took = perf_counter() - self._began
        self._paused.start(round(1e3 * min(took, _LONGEST_PAUSE_S)) if took > _SHORT_S else 0)

    def _end_pause(self) -> None:
        self._is_busy = False
        if self._waiting:
            self._go_on()

    def _timer(self, call: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(call)
        return timer
