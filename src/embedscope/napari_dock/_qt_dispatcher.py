"""From the worker's thread to Qt's: callbacks run in the main thread, in order."""

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

    After callbacks that took long, the painting that came of them included, the next ones wait as
    long again. Where the processor does the painting, a run that tells of itself ten times a second
    would otherwise fill the main thread, and slow itself down by it.

    Must be made in the main thread. Once its parent has ended there is nobody left to tell, and
    callbacks are dropped, those that wait too.

    Parameters
    ----------
    parent : QObject, optional
        With whose end it ends.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        self._bell = _Bell()
        self._lock = Lock()
        self._has_ended = False
        # Queued even from the main thread itself: one order for all, and no callback inside
        # another.
        self._bell.rung.connect(self._bell.answer, Qt.ConnectionType.QueuedConnection)
        if parent is not None:
            parent.destroyed.connect(self._end)

    def __call__(self, callback: Callable[[], None]) -> None:
        """Ask the main thread to run `callback`."""
        # Ringing a bell while the main thread takes it down would crash the process.
        with self._lock:
            if not self._has_ended:
                self._bell.rung.emit(callback)

    def _end(self, _: object = None) -> None:
        with self._lock:
            self._has_ended = True
        with suppress(RuntimeError):  # at the end of the process Qt may have deleted it before
            self._bell.drop()


class _Bell(QObject):
    """Lives in the main thread, without a parent that could take it along at any moment."""

    rung = QtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_busy = False  # at work, painting or at rest
        self._has_ended = False
        self._began = 0.0
        # The timer of no time fires once all events are done, those that paint among them.
        self._painted = self._timer(self._rest)
        self._rested = self._timer(self._end_rest)

    def answer(self, callback: Callable[[], None]) -> None:
        """Run in the main thread, to which this object belongs."""
        if self._has_ended:
            return
        self._waiting.append(callback)
        if not self._is_busy:
            self._go_on()

    def drop(self) -> None:
        """Run nothing any more."""
        self._has_ended = True
        self._waiting.clear()
        self.deleteLater()

    def _go_on(self) -> None:
        self._is_busy, self._began = True, perf_counter()
        try:
            while self._waiting:
                self._waiting.popleft()()
        finally:  # a callback that fails does not silence those after it
            if not self._has_ended:  # else a callback has closed the window
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
