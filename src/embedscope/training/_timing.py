"""Time of a run: the time worked, the time left, and the share of it for snapshots."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

Clock = Callable[[], float]

_SETTLING_S = 0.3  # of work in a stage before its speed is estimated
_SMOOTHING_S = 1.5  # time constant with which the estimate follows a new speed
_SNAPSHOT_EVERY_S = 0.25  # at least, between two snapshots
_SNAPSHOT_SHARE = 0.1  # of the time worked


class Stopwatch:
    """Seconds since it was made, without pauses.

    Parameters
    ----------
    clock : callable
        Seconds of a monotonic clock.
    """

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._began = clock()
        self._paused_at: float | None = None

    def pause(self) -> None:
        """Stop counting."""
        self._paused_at = self._clock()

    def resume(self) -> None:
        """Continue counting."""
        if self._paused_at is not None:
            self._began += self._clock() - self._paused_at
        self._paused_at = None

    @property
    def seconds(self) -> float:
        """Seconds counted."""
        now = self._clock() if self._paused_at is None else self._paused_at
        return now - self._began


class TimeLeft:
    """Estimates the time left of a run, from the speed of its present stage.

    Neighbours, layout and fit differ in speed, so each stage is measured anew, after its first
    step, which compiles and would be too slow. Until then the last estimate is counted down.
    """

    def __init__(self) -> None:
        self._stage = ""
        self._entered_at = 0.0  # fraction
        self._start: tuple[float, float] | None = None  # seconds and fraction after the first step
        self._estimate: tuple[float, float] | None = None  # when it was made, and what it was

    def update(self, stage: str, fraction: float, seconds: float) -> float | None:
        """Update the estimate with new progress.

        Parameters
        ----------
        stage : str
            Any name; a new name starts a new stage.
        fraction : float
            Share of the run that is done, 0..1.
        seconds : float
            Time worked so far.

        Returns
        -------
        float or None
            Seconds left; None if there is no estimate yet.
        """
        if stage != self._stage:
            self._stage, self._entered_at, self._start = stage, fraction, None
        counted = None
        if self._estimate is not None:
            counted = max(0.0, self._estimate[1] - (seconds - self._estimate[0]))
        left = self._extrapolated(fraction, seconds)
        if left is None:
            return counted
        if self._estimate is not None and counted is not None:
            weight = 1.0 - math.exp(-(seconds - self._estimate[0]) / _SMOOTHING_S)
            left = counted + weight * (left - counted)
        self._estimate = seconds, left
        return left

    def _extrapolated(self, fraction: float, seconds: float) -> float | None:
        """Seconds left at the speed of the stage so far."""
        if self._start is None:
            if fraction > self._entered_at:
                self._start = seconds, fraction
            return None
        spent, done = seconds - self._start[0], fraction - self._start[1]
        if spent < _SETTLING_S or done <= 0.0:
            return None
        return spent * (1.0 - fraction) / done


class SnapshotBudget:
    """Limits snapshots of the map to four a second and a tenth of the time.

    Parameters
    ----------
    stopwatch : Stopwatch
        Counts the time worked.
    """

    def __init__(self, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch
        self._last_end = -math.inf
        self._costs: dict[str, float] = {}
        self._spent = 0.0

    @property
    def share(self) -> float:
        """Share of the time worked that snapshots took, 0..1."""
        return self._spent / max(self._stopwatch.seconds, 1e-9)

    def allows(self, stage: str) -> bool:
        """Whether a snapshot is allowed now, if it takes as long as the last one of this stage.

        Parameters
        ----------
        stage : str
            Costs differ by stage: a copy of the layout is far cheaper than a pass through the
            network.
        """
        now = self._stopwatch.seconds
        expected = self._costs.get(stage, 0.0)
        is_due = now - self._last_end >= _SNAPSHOT_EVERY_S
        return is_due and self._spent + expected <= _SNAPSHOT_SHARE * now

    def charge(self, stage: str, seconds: float) -> None:
        """Count the time that a snapshot took."""
        self._costs[stage] = seconds
        self._spent += seconds
        self._last_end = self._stopwatch.seconds
