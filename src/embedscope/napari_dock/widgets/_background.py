"""Runs work in a worker thread and delivers only the result of the latest work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from embedscope._errors import EmbedscopeError
from embedscope.training import Dispatcher

_EXPECTED = (EmbedscopeError, MemoryError, OSError, ValueError)


class Background:
    """Runs work that only reads, and passes its result to a callback in the main thread.

    Parameters
    ----------
    dispatcher : callable
        Leads to the main thread.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._number = 0

    def start(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Run `work`; the result of earlier work is ignored, though that may still run.

        Parameters
        ----------
        work : callable
            Called without arguments in the worker thread.
        done : callable
            Called with the result in the main thread.
        failed : callable
            Called with any error in the main thread, so that no caller waits forever. Unexpected
            errors are raised in the worker thread too, where napari shows the traceback.
        """
        self._number += 1
        number = self._number

        def run() -> None:
            try:
                result = work()
            except Exception as error:
                # Passed as an argument: Python deletes `error` at the end of this clause.
                self._deliver(number, failed, error)
                if not isinstance(error, _EXPECTED):
                    raise
            else:
                self._deliver(number, done, result)

        threading.Thread(target=run, name="embedscope samples", daemon=True).start()

    def forget(self) -> None:
        """Ignore the result of the work that is running."""
        self._number += 1

    def _deliver(self, number: int, listener: Callable[[Any], None], value: Any) -> None:
        def call() -> None:
            if number == self._number:
                listener(value)

        self._dispatcher(call)
