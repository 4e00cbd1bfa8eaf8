"""A worker thread with a queue of jobs, so that no message handler blocks."""

from __future__ import annotations

import itertools
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from embedscope.jupyter_widget._host import start_daemon

logger = logging.getLogger(__name__)

MOST_WAITING = 256  # jobs; more are refused, so that a flood of messages takes no memory


class Worker:
    """Runs jobs in the order of arrival.

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
        """Queue a job; it replaces a waiting job of the same key, and is done after all others.

        Returns
        -------
        bool
            False if the queue is full or closed: the job is not run.
        """
        with self._changed:
            if key is not None:
                self._jobs.pop(key, None)  # its turn is before what was asked in between
            if self._is_closed or len(self._jobs) >= MOST_WAITING:
                return False
            self._jobs[next(self._numbers) if key is None else key] = job
            self._changed.notify_all()
            return True

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until the queue is empty and no job runs; False on timeout."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._jobs or self._is_busy), timeout_s)

    def close(self) -> None:
        """End the thread after the running job; waiting jobs are dropped."""
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
                logger.exception("an intent of the page failed")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._jobs or self._is_closed)
            if self._is_closed:
                return None
            self._is_busy = True
            return self._jobs.popitem(last=False)[1]
