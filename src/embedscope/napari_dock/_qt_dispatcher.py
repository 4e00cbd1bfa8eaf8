"""From the worker's thread to Qt's: callbacks run in the main thread, in order."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from qtpy.QtCore import QObject, Qt
from qtpy.QtCore import Signal as QtSignal  # type: ignore[attr-defined]  # each binding names it its own way


class QtDispatcher:
    """A dispatcher for `Explorer`: call it in any thread, and the callback runs in the main one.

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
        self._bell.run = self._run
        if parent is not None:
            parent.destroyed.connect(self._end)

    def __call__(self, callback: Callable[[], None]) -> None:
        """Ask the main thread to run `callback`."""
        # Ringing a bell while the main thread takes it down would crash the process.
        with self._lock:
            if not self._has_ended:
                self._bell.rung.emit(callback)

    def _run(self, callback: Callable[[], None]) -> None:
        if not self._has_ended:
            callback()

    def _end(self, _: object = None) -> None:
        with self._lock:
            self._has_ended = True
        self._bell.deleteLater()


class _Bell(QObject):
    """Lives in the main thread, without a parent that could take it along at any moment."""

    rung = QtSignal(object)
    run: Callable[[Callable[[], None]], None]

    def answer(self, callback: Callable[[], None]) -> None:
        """Run in the main thread, to which this object belongs."""
        self.run(callback)
