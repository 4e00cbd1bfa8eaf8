"""Turns the estimator's reports into statuses, losses and snapshots, and pauses or stops a run.

The worker calls it at every step, so everything here is quick.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope.training._control import Control
from embedscope.training._replay import ReplayRecorder
from embedscope.training._report_queue import ReportQueue
from embedscope.training._status import Phase, Status
from embedscope.training._timing import SnapshotBudget, Stopwatch, TimeLeft

if TYPE_CHECKING:
    from embedscope.core.solvers import Report

_PHASES = {
    "graph": Phase.PREPARING,
    "layout": Phase.LAYOUT,
    "fit": Phase.FITTING,
    "refine": Phase.REFINING,
}
_STAGES = {"refine": "fit"}  # has the speed of the fit, and maps by the network too
_LEARNING_SHARE = 0.85  # of a run that first learns what is alike
_COMPUTING_SHARE = 0.5  # of a run for which a function first computes what to learn from
_LEARNING = "Learning what is alike; the map is a first one, of what is learned so far."
_MESSAGES = {
    Phase.PREPARING: "Finding the neighbours of each sample.",
    Phase.LAYOUT: "Laying out the map.",
    Phase.FITTING: "Training the network to map samples to their positions.",
    Phase.REFINING: "Refining the map and the network together.",
    Phase.PAUSED: "Paused.",
}


class Watch:
    """The status of a run while its worker is running.

    Parameters
    ----------
    status : Status
        Status of the run before its worker starts.
    control : Control
    queue : ReportQueue
    recorder : ReplayRecorder

    Attributes
    ----------
    status : Status
    has_stopped : bool
        Whether the estimator got a request to stop.
    """

    def __init__(
        self, status: Status, control: Control, queue: ReportQueue, recorder: ReplayRecorder
    ) -> None:
        self.status = status
        self.has_stopped = False
        self._control = control
        self._queue = queue
        self._recorder = recorder
        self._stopwatch = Stopwatch()
        self._budget = SnapshotBudget(self._stopwatch)
        self._time_left = TimeLeft()
        self._learned = 0.0  # share of the run that is spent before the fit

    @property
    def snapshot_share(self) -> float:
        """Share of the time worked that snapshots of the map took, 0..1."""
        return self._budget.share

    def change(self, phase: Phase, **changes: Any) -> None:
        """Enter a phase, or update the status of the present one.

        Raises
        ------
        RuntimeError
            If the state diagram has no such arrow: a defect of the code, not an error of a user.
        """
        self._check_arrow(phase)
        before = self.status.phase
        changes.setdefault("message", _MESSAGES.get(phase, self.status.message))
        self.status = replace(self.status, phase=phase, **changes)
        self._queue.put_status(self.status)
        self._queue.send(at_once=phase is not before)

    def end(self, phase: Phase, **changes: Any) -> None:
        """Enter a final phase, and queue the event that the run has finished."""
        self._check_arrow(phase)
        self.status = replace(self.status, phase=phase, seconds_left=None, **changes)
        self._queue.put_status(self.status)
        self._queue.put_final(self.status)
        self._queue.send(at_once=True)

    def _check_arrow(self, phase: Phase) -> None:
        if not self.status.phase.may_become(phase):
            raise RuntimeError(f"A run must not go from {self.status.phase} to {phase}.")

    def checkpoint(self) -> bool:
        """Wait while the run is paused; return whether to stop."""
        before = self.status.phase
        self.has_stopped = self._control.checkpoint(self._pause, lambda: self._resume(before))
        return self.has_stopped

    def _pause(self) -> None:
        self._stopwatch.pause()
        self.change(Phase.PAUSED)

    def _resume(self, phase: Phase) -> None:
        self._stopwatch.resume()
        self.change(phase)

    def learn(self, share: float) -> None:
        """Tell how much is done of learning what is alike, 0..1, before the fit begins."""
        self._tell_ahead(_LEARNING_SHARE * share, _LEARNING)

    def compute(self, share: float, what: str) -> None:
        """Tell how much is computed of what the map learns from, 0..1, before the fit begins."""
        self._tell_ahead(_COMPUTING_SHARE * share, f"Computing the features: {what}.")

    def _tell_ahead(self, fraction: float, message: str) -> None:
        self._learned = fraction
        seconds_left = self._time_left.update("learn", fraction, self._stopwatch.seconds)
        self.change(Phase.PREPARING, fraction=fraction, seconds_left=seconds_left, message=message)

    def show_early(self, embedding: Callable[[], np.ndarray]) -> None:
        """Show a map from before the fit, if there is time."""
        if not self._budget.allows("learn"):
            return
        began = time.perf_counter()
        self.show(0, self._learned, embedding())
        self._budget.charge("learn", time.perf_counter() - began)

    def __call__(self, report: Report) -> bool:
        """The estimator's progress hook: True stops the training."""
        stage = _STAGES.get(report.phase, report.phase)
        fraction = self._learned + (1.0 - self._learned) * report.fraction
        seconds_left = self._time_left.update(stage, fraction, self._stopwatch.seconds)
        losses = MappingProxyType(dict(report.losses))
        if report.epoch > self.status.epoch:
            self._queue.put_losses(self.status.run_id, report.epoch, dict(losses))
        self._take_snapshot(stage, report, fraction)
        self.change(
            _PHASES[report.phase],
            fraction=fraction,
            epoch=report.epoch,
            losses=losses,
            seconds_left=seconds_left,
        )
        return self.checkpoint()

    def _take_snapshot(self, stage: str, report: Report, fraction: float) -> None:
        """Show the map, if there is time and a map worth showing.

        An untrained network maps all samples to one spot, so until the first loss is reported the
        layout, which the network is to learn, stays visible.
        """
        is_untaught = stage == "fit" and report.epoch == 0
        if stage == "graph" or is_untaught or not self._budget.allows(stage):
            return
        began = time.perf_counter()
        embedding = report.embedding()
        if embedding is not None:
            self.show(report.epoch, fraction, embedding)
        self._budget.charge(stage, time.perf_counter() - began)

    def show(self, epoch: int, fraction: float, embedding: np.ndarray) -> None:
        """Record and queue a map, unless it has values that are not finite.

        Parameters
        ----------
        epoch : int
        fraction : float
        embedding : ndarray of shape (n_samples, n_components), float32
            Must not change any more.
        """
        if not np.isfinite(embedding).all():
            return
        embedding = embedding.view()
        embedding.flags.writeable = False
        self._recorder.add(epoch, fraction, embedding)
        self._queue.put_embedding(self.status.run_id, epoch, embedding)
