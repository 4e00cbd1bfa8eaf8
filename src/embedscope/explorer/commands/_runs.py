"""The training runs of an explorer: the latest one is watched, and the result of none is lost."""

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
    """Who is told of the latest run; everything arrives through the dispatcher.

    Attributes
    ----------
    status : callable
        ``status(status)``: where the run is; not called for its end.
    losses : callable
        ``losses(values)``: one more entry of the history, by name.
    positions : callable
        ``positions(array, epoch)``: the map as it is.
    end : callable
        ``end(run, status)``: the run has ended, one way or another.
    late_result : callable
        ``late_result(trained_map)``: a run of earlier samples has ended after all.
    """

    status: Callable[[Status], None]
    losses: Callable[[Mapping[str, float]], None]
    positions: Callable[[np.ndarray, int], None]
    end: Callable[[TrainingRun, Status], None]
    late_result: Callable[[TrainedMap], None]


class Runs:
    """Starts runs, and tells the listener of the latest for as long as it is wanted.

    Parameters
    ----------
    listener : RunListener
    dispatcher : callable
    guard : callable
        Makes of a method one that holds the explorer's lock.
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
        """The run that was started last.

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
        """The latest run if it is of the samples that are shown."""
        return self._latest if self._is_watched else None

    def unwatch(self) -> None:
        """Tell no more of the latest run, whose samples are not shown any more."""
        self._is_watched = False

    def keep(self) -> Callable[[], None]:
        """What brings the results back, and the watch of the run, unless another has started."""
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
            If a run is going on.
        """
        if self._latest is not None and not self._latest.status.phase.is_finished:
            raise InvalidInputError(
                f"{command} must wait until the run before has ended; got one in phase "
                f"{self._latest.status.phase.value!r}. Stop it first: its result is kept."
            )

    def start(self, samples: Samples, parameters: TrainingParameters) -> None:
        """Start a run and watch it.

        Raises
        ------
        InvalidInputError
            If one is going on.
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
            # Whose report it is goes with it: those of an earlier run may come late.
            signal.connect(functools.partial(self._guard(slot), run))
        run.start()

    def _on_status(self, run: TrainingRun, status: Status) -> None:
        # The end is told by `_on_end`, together with the result.
        if run is self.watched and not status.phase.is_finished:
            self._listener.status(status)

    def _on_losses(self, run: TrainingRun, _: int, __: int, losses: Mapping[str, float]) -> None:
        if run is self.watched:
            self._listener.losses(losses)

    def _on_positions(self, run: TrainingRun, _: int, epoch: int, positions: Any) -> None:
        if run is self.watched:
            self._listener.positions(positions, epoch)

    def _on_end(self, run: TrainingRun, status: Status) -> None:
        result = run.result
        if result is not None:
            self.results.append(result)
        if run is self.watched:
            self._listener.end(run, status)
        elif result is not None:
            self._listener.late_result(result)
