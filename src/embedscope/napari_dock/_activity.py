"""A training run in napari's activity dock, with a Cancel button that stops it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.utils import cancelable_progress

from embedscope.training import Status

_STEPS = 100


class Activity:
    """Shows a training run in napari's activity dock.

    Parameters
    ----------
    stop : callable
        Called once when the user presses Cancel there.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._bar: Any = None
        self._latest: Status | None = None
        self._is_following = False
        self._was_canceled = False

    def show_status(self, status: Status) -> None:
        """Follow the run from its start to its end."""
        self._latest = status
        # napari processes Qt events while it makes or updates a bar, so the next status may arrive
        # in there.
        if self._is_following:
            return
        self._is_following = True
        try:
            shown = None
            while shown is not self._latest:
                shown = self._latest
                self._follow(shown)
        finally:
            self._is_following = False

    def close(self) -> None:
        """Remove the run from the activity dock."""
        self._latest = None
        if not self._is_following:
            self._remove()

    def _follow(self, status: Status | None) -> None:
        if status is None or not status.phase.is_at_work:
            self._remove()
            return
        if self._bar is None:
            self._bar = cancelable_progress(total=_STEPS, desc="Training the map")
            self._was_canceled = False
        steps = round(_STEPS * status.fraction) - self._bar.n
        if steps:  # napari repaints everything at each update
            self._bar.update(steps)
        # napari only sets a flag, which has to be polled.
        if self._bar.is_canceled and not self._was_canceled:
            self._was_canceled = True
            self._stop()

    def _remove(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()
