"""Requests to pause, resume or stop, which a worker thread follows at its next step."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition


class Control:
    """Takes requests of any thread; the worker calls `checkpoint` to follow them."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._pause = False
        self._stop = False

    @property
    def stop_requested(self) -> bool:
        """Whether a stop was requested; this never becomes False again."""
        return self._stop

    def request_pause(self) -> None:
        """Make the worker wait at its next step."""
        with self._changed:
            self._pause = True

    def request_resume(self) -> None:
        """Make the worker continue."""
        with self._changed:
            self._pause = False
            self._changed.notify_all()

    def request_stop(self) -> None:
        """Make the worker stop at its next step, paused or not."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()

    def checkpoint(self, on_pause: Callable[[], None], on_resume: Callable[[], None]) -> bool:
        """Wait while a pause is requested; called by the worker.

        Parameters
        ----------
        on_pause, on_resume : callable
            Called before and after the wait, if there is one, without a lock.

        Returns
        -------
        bool
            Whether to stop.
        """
        if self._pause and not self._stop:
            on_pause()
            with self._changed:
                self._changed.wait_for(lambda: self._stop or not self._pause)
            if not self._stop:
                on_resume()
        return self._stop
