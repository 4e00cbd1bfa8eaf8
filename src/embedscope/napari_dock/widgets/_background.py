"""One piece of work at a time in a thread of its own; only the latest one's result is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from embedscope._errors import EmbedscopeError
from embedscope.training import Dispatcher

_EXPECTED = (EmbedscopeError, MemoryError, OSError, ValueError)


class Background:
    """Does work that only reads, and tells the result in the main thread.

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
        """Do `work`; what was begun before is forgotten, though it may go on.

        Parameters
        ----------
        work : callable
            Without arguments, in the thread.
        done : callable
            Is given the result, in the main thread.
        failed : callable
            Is given the error, in the main thread. Whatever was raised: nobody waits for ever. An
            error that no rule foresees is raised in the thread too, where napari shows it whole.
        """
        self._number += 1
        number = self._number

        def run() -> None:
            try:
                result = work()
            except Exception as error:
                # A variable of an except clause is gone by the time the main thread reads it.
                self._tell(number, failed, error)
                if not isinstance(error, _EXPECTED):
                    raise
            else:
                self._tell(number, done, result)

        threading.Thread(target=run, name="embedscope samples", daemon=True).start()

    def forget(self) -> None:
        """Tell nothing of what is going on."""
        self._number += 1

    def _tell(self, number: int, listener: Callable[[Any], None], value: Any) -> None:
        def tell() -> None:
            if number == self._number:
                listener(value)

        self._dispatcher(tell)
