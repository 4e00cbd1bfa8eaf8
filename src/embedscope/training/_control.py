"""What the user wants of a running worker: to pause, to go on, to stop. Seen at its next step."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition


class Control:
    """Requests of other threads, and the place where the worker heeds them."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._pause = False
        self._stop = False

    @property
    def stop_requested(self) -> bool:
        """Somebody asked to stop; that is never taken back."""
        return self._stop

    def request_pause(self) -> None:
        """Let the worker wait at its next step."""
        with self._changed:
            self._pause = True

    def request_resume(self) -> None:
        """Let it go on."""
        with self._changed:
            self._pause = False
            self._changed.notify_all()

    def request_stop(self) -> None:
        """Let it stop at its next step, paused or not."""
        with self._changed:
            self._stop = True
            self._changed.notify_all()

    def heed(self, on_pause: Callable[[], None], on_resume: Callable[[], None]) -> bool:
        """Wait while a pause is wanted; called by the worker.

        Parameters
        ----------
        on_pause, on_resume : callable
            Called before the wait and after it, if there is one, outside of any lock.

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
