"""The training runs of an explorer: listeners hear of the latest; all results are kept."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.samples import Samples
from embedscope.training import Dispatcher, Status, TrainedMap, TrainingParameters, TrainingRun


@dataclass(frozen=True)
class RunListener:
    """Callbacks for the latest run; the dispatcher runs all of them.

    Attributes
    ----------
    status : callable
        ``status(status)``: the status of the run; not called for its end.
    losses : callable
        ``losses(values)``: one more entry of each loss, by name.
    positions : callable
        ``positions(run, array, epoch)``: the present positions.
    end : callable
        ``end(run, status)``: the run has ended, with or without a result.
    late_result : callable
        ``late_result(trained_map)``: a run of earlier samples has ended.
    """

    status: Callable[[Status], None]
    losses: Callable[[Mapping[str, float]], None]
    positions: Callable[[TrainingRun, np.ndarray, int], None]
    end: Callable[[TrainingRun, Status], None]
    late_result: Callable[[TrainedMap], None]


class Runs:
    """Starts runs, and passes the reports of the latest to the listener until `unwatch`.

    Parameters
    ----------
    listener : RunListener
    dispatcher : callable
    guard : callable
        Wraps a method so that it holds the explorer's lock.
    """

    def __init__(
        self,
        listener: RunListener,
        dispatcher: Dispatcher,
        guard: Callable[[Callable[..., None]], Callable[..., None]],
    ) -> None:
        self._listener = listener
        self._dispatcher = dispatcher
        self._guard = guard
        self._latest: TrainingRun | None = None
        self._is_watched = False
        self.results: list[TrainedMap] = []

    @property
    def latest(self) -> TrainingRun:
        """The latest run.

        Raises
        ------
        InvalidInputError
            If there is none.
        """
        if self._latest is None:
            raise InvalidInputError("train must come first; got no run. Start one.")
        return self._latest

    @property
    def watched(self) -> TrainingRun | None:
        """The latest run if it trains on the present samples."""
        return self._latest if self._is_watched else None

    def unwatch(self) -> None:
        """Ignore the reports of the latest run: its samples are no longer explored."""
        self._is_watched = False

    def keep(self) -> Callable[[], None]:
        """A function that restores results and watch as they are now, unless a new run started."""
        latest, is_watched, results = self._latest, self._is_watched, list(self.results)

        def bring_back() -> None:
            if self._latest is latest:
                self._is_watched, self.results = is_watched, results

        return bring_back

    def check_idle(self, command: str) -> None:
        """Raise unless the latest run has ended.

        Raises
        ------
        InvalidInputError
            If a run goes on.
        """
        if self._latest is not None and not self._latest.status.phase.is_finished:
            raise InvalidInputError(
                f"{command} must wait until the run before has ended; got one in phase "
                f"{self._latest.status.phase.value!r}. Stop it first: its result is kept."
            )

    def start(self, samples: Samples, parameters: TrainingParameters) -> None:
        """Start a run, and pass its reports to the listener.

        Raises
        ------
        InvalidInputError
            If a run goes on.
        """
        self.check_idle("train")
        run = TrainingRun(samples, parameters, dispatcher=self._dispatcher)
        self._latest, self._is_watched = run, True
        for signal, slot in (
            (run.status_changed, self._on_status),
            (run.loss_reported, self._on_losses),
            (run.embedding_changed, self._on_positions),
            (run.finished, self._on_end),
        ):
            # With the run that reports: reports of an earlier run may arrive late.
            signal.connect(functools.partial(self._guard(slot), run))
        run.start()

    def _on_status(self, run: TrainingRun, status: Status) -> None:
        # `_on_end` reports the end, together with the result.
        if run is self.watched and not status.phase.is_finished:
            self._listener.status(status)

    def _on_losses(self, run: TrainingRun, _: int, __: int, losses: Mapping[str, float]) -> None:
        if run is self.watched:
            self._listener.losses(losses)

    def _on_positions(self, run: TrainingRun, _: int, epoch: int, positions: Any) -> None:
        if run is self.watched:
            self._listener.positions(run, positions, epoch)

    def _on_end(self, run: TrainingRun, status: Status) -> None:
        result = run.result
        if result is not None:
            self.results.append(result)
        if run is self.watched:
            self._listener.end(run, status)
        elif result is not None:
            self._listener.late_result(result)
