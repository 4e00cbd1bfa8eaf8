"""Time in a run: the time worked, the time left, and how much of it may go into snapshots."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

Clock = Callable[[], float]

_SETTLING_S = 0.3  # of work in a stage, before its speed can be told
_SMOOTHING_S = 1.5  # time in which an estimate follows a new speed
_SNAPSHOT_EVERY_S = 0.25
_SNAPSHOT_SHARE = 0.1  # of the time worked


class Stopwatch:
    """Seconds since it was made, pauses left out.

    Parameters
    ----------
    clock : callable
        Seconds of a clock that never goes back.
    """

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._began = clock()
        self._paused_at: float | None = None

    def pause(self) -> None:
        """Stand still."""
        self._paused_at = self._clock()

    def resume(self) -> None:
        """Go on."""
        if self._paused_at is not None:
            self._began += self._clock() - self._paused_at
        self._paused_at = None

    @property
    def seconds(self) -> float:
        """Seconds counted."""
        now = self._clock() if self._paused_at is None else self._paused_at
        return now - self._began


class TimeLeft:
    """Estimates how long a run will take yet, from the speed of its present stage.

    Neighbours, layout and fit differ in speed, so a new stage is measured afresh, from its first
    step on, which compiles and is no measure; until then the last estimate is counted down.
    """

    def __init__(self) -> None:
        self._stage = ""
        self._entered_at = 0.0  # fraction
        self._start: tuple[float, float] | None = None  # seconds and fraction after the first step
        self._estimate: tuple[float, float] | None = None  # when it was made, and what it was

    def update(self, stage: str, fraction: float, seconds: float) -> float | None:
        """Take notice of progress.

        Parameters
        ----------
        stage : str
            Any name; another one than before begins a new stage.
        fraction : float
            Share of the run that is done, 0..1.
        seconds : float
            Time worked so far.

        Returns
        -------
        float or None
            Seconds left; None while nothing can be said.
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
    """Says when a snapshot of the map may be taken: four a second at most, and a tenth of the time.

    Parameters
    ----------
    stopwatch : Stopwatch
        Of the time worked.
    """

    def __init__(self, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch
        self._last_end = -math.inf
        self._costs: dict[str, float] = {}
        self._spent = 0.0

    @property
    def share(self) -> float:
        """Share of the time worked that went into snapshots, 0..1."""
        return self._spent / max(self._stopwatch.seconds, 1e-9)

    def allows(self, stage: str) -> bool:
        """Whether there is time for one now, going by what the last one of this stage took.

        Parameters
        ----------
        stage : str
            A copy of the layout costs nothing beside a pass through the network.
        """
        now = self._stopwatch.seconds
        expected = self._costs.get(stage, 0.0)
        is_due = now - self._last_end >= _SNAPSHOT_EVERY_S
        return is_due and self._spent + expected <= _SNAPSHOT_SHARE * now

    def charge(self, stage: str, seconds: float) -> None:
        """Take notice of what a snapshot took."""
        self._costs[stage] = seconds
        self._spent += seconds
        self._last_end = self._stopwatch.seconds
