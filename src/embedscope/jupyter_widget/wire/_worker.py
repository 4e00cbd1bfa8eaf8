"""A thread that does what pages ask, one job after the other, so that no handler ever waits."""

from __future__ import annotations

import itertools
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from embedscope.jupyter_widget.wire._pump import start_daemon

logger = logging.getLogger(__name__)

MOST_WAITING = 256


class Worker:
    """Does jobs in the order in which they came.

    Parameters
    ----------
    name : str
        Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._changed = threading.Condition()
        self._jobs: OrderedDict[Hashable, Callable[[], None]] = OrderedDict()
        self._numbers = itertools.count()
        self._is_closed = False
        self._is_busy = False
        self._thread = start_daemon(name, self._run)

    def post(self, job: Callable[[], None], key: str | None = None) -> bool:
        """Have a job done; it takes the place of one of the same key that has not begun.

        Returns
        -------
        bool
            False if too many wait already: the job is then not done.
        """
        with self._changed:
            if self._is_closed or len(self._jobs) >= MOST_WAITING:
                return False
            self._jobs[next(self._numbers) if key is None else key] = job
            self._changed.notify_all()
            return True

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is left to do; False if the time is up before."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._jobs or self._is_busy), timeout_s)

    def close(self) -> None:
        """End the thread after the job it is at; those that wait are not done."""
        with self._changed:
            self._is_closed = True
            self._jobs.clear()
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:
                logger.exception("a request of the page failed")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._jobs or self._is_closed)
            if self._is_closed:
                return None
            self._is_busy = True
            return self._jobs.popitem(last=False)[1]
