"""Divide a run into calls that are short enough to stop, and into the epochs of the history."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from embedscope.core.solvers._monitor import Monitor

# In one call of TensorFlow, so that it takes some tens of milliseconds and little memory.
_CALL_SAMPLES = 4_096
_CALL_VALUES = 2**24


class Pacer:
    """Groups batches into calls, and reports to the monitor after each call.

    Parameters
    ----------
    monitor : Monitor
    n_batches : int
        Batches in the whole run, at least one for each report.
    n_reports : int
        Number of entries in the history, evenly spread.
    losses : callable
        Computes the losses of one entry, a dict with at least "loss".
    n_values : int
        Values of one sample.
    """

    def __init__(
        self,
        monitor: Monitor,
        n_batches: int,
        n_reports: int,
        losses: Callable[[], dict[str, float]],
        n_values: int,
    ) -> None:
        self._monitor = monitor
        self._n_batches = n_batches
        self._n_reports = n_reports
        self._losses = losses
        self._call_samples = min(_CALL_SAMPLES, _CALL_VALUES // n_values)
        self._done = 0
        self._reported = 0
        self._began = 0

    @property
    def fraction(self) -> float:
        """Share of the run that is done, 0..1."""
        return self._done / self._n_batches

    def fraction_after(self, n_batches: int) -> float:
        """Share of the run that is done after the next `n_batches`, 0..1."""
        return (self._done + n_batches) / self._n_batches

    def coming(self, n_batches: int) -> np.ndarray:
        """Fraction of the run that is done before each of the next `n_batches`."""
        return (self._done + np.arange(n_batches)) / self._n_batches

    def calls(self, n_batches: int, batch_size: int) -> Iterator[slice]:
        """Divide the next `n_batches` into calls: yields the batches of each call.

        A call never crosses a report. If a Keras callback acts on batches, each call has one batch.
        """
        most = 1 if self._monitor.wants_every_batch else max(1, self._call_samples // batch_size)
        start = 0
        while start < n_batches:
            if self._done == self._began:
                self._monitor.begin_epoch()
            next_report = self._ends_at(self._reported + 1)
            stop = min(start + most, n_batches, start + next_report - self._done)
            in_epoch = self._done - self._began
            self._monitor.begin_batch(in_epoch)
            yield slice(start, stop)
            self._done += stop - start
            self._monitor.end_batch(in_epoch, (stop - start) * batch_size, self.fraction)
            if self._done == next_report:
                self._reported += 1
                self._began = self._done
                self._monitor.end_epoch(self._losses(), self.fraction)
            start = stop

    def _ends_at(self, report: int) -> int:
        return report * self._n_batches // self._n_reports
