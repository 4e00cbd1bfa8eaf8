"""Events on their way to whoever listens: coalesced in the worker, delivered by the dispatcher.

There is never more than one delivery on its way. It takes along whatever has gathered by the time
it runs: the latest status and map, every loss. So a busy main thread is told less often, not
later and later, and it never holds the worker up.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import Any, Protocol

import numpy as np
from psygnal import SignalInstance

from embedscope.training._dispatch import Dispatcher
from embedscope.training._status import Status

_EVERY_S = 0.1


class RunSignals(Protocol):
    """The signals of a run."""

    status_changed: SignalInstance
    loss_reported: SignalInstance
    embedding_changed: SignalInstance
    finished: SignalInstance


class ReportQueue:
    """Gathers a run's events and hands them to the dispatcher, about ten times a second.

    Parameters
    ----------
    signals : RunSignals
    dispatcher : Dispatcher
    """

    def __init__(self, signals: RunSignals, dispatcher: Dispatcher) -> None:
        self._signals = signals
        self._dispatcher = dispatcher
        self._lock = Lock()
        self._last = -np.inf
        self._is_on_its_way = False
        self._statuses: list[Status] = []
        self._losses: list[tuple[int, int, dict[str, float]]] = []
        self._embedding: tuple[int, int, np.ndarray] | None = None
        self._final: Status | None = None

    def put_status(self, status: Status) -> None:
        """A new status; it takes the place of an undelivered one, unless the phase is another.

        Changes of phase are delivered at once, and all of them, so that a listener sees every
        phase in order.
        """
        with self._lock:
            if self._statuses and self._statuses[-1].phase is status.phase:
                self._statuses[-1] = status
            else:
                self._statuses.append(status)

    def put_losses(self, run_id: int, epoch: int, losses: dict[str, float]) -> None:
        """An entry of the loss history; none is dropped."""
        with self._lock:
            self._losses.append((run_id, epoch, losses))

    def put_embedding(self, run_id: int, epoch: int, embedding: np.ndarray) -> None:
        """A new map; it takes the place of an undelivered one."""
        with self._lock:
            self._embedding = (run_id, epoch, embedding)

    def put_final(self, status: Status) -> None:
        """The run has ended with this status."""
        with self._lock:
            self._final = status

    def send(self, *, at_once: bool = False) -> None:
        """Have delivered what has gathered, if it is time to.

        Parameters
        ----------
        at_once : bool
            Do not wait for the tenth of a second to pass.
        """
        now = time.perf_counter()
        with self._lock:
            if self._is_on_its_way or not (at_once or now - self._last >= _EVERY_S):
                return
            self._is_on_its_way, self._last = True, now
        try:
            self._dispatcher(self._deliver)
        except BaseException:
            self._is_on_its_way = False  # the end may find a way yet
            raise

    def _deliver(self) -> None:
        """Emit everything, also after a listener has failed; then raise the first failure."""
        errors: list[Exception] = []
        for signal, event in self._take_all():
            try:
                signal.emit(*event)
            except Exception as error:  # a listener's: any kind
                errors.append(error)
        if errors:
            raise errors[0]

    def _take_all(self) -> list[tuple[SignalInstance, tuple[Any, ...]]]:
        """What has gathered, in the order of delivery: the end last."""
        signals = self._signals
        with self._lock:
            self._is_on_its_way = False
            events: list[tuple[SignalInstance, tuple[Any, ...]]] = [
                (signals.loss_reported, entry) for entry in self._losses
            ]
            if self._embedding is not None:
                events.append((signals.embedding_changed, self._embedding))
            events += [(signals.status_changed, (status,)) for status in self._statuses]
            if self._final is not None:
                events.append((signals.finished, (self._final,)))
            self._losses, self._statuses = [], []
            self._embedding = self._final = None
        return events
