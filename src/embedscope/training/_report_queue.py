"""Events of a run, coalesced in the worker thread and delivered by the dispatcher.

There is never more than one pending delivery. It delivers everything that is queued when it runs:
the latest status and map, and every loss. So a busy main thread gets fewer events instead of a
growing delay, and never blocks the worker.
"""

from __future__ import annotations

import time
from threading import Lock
from typing import Any, Protocol

import numpy as np
from psygnal import SignalInstance

from embedscope.training._dispatch import Dispatcher
from embedscope.training._status import Status

_EVERY_S = 0.1  # between two deliveries


class RunSignals(Protocol):
    """The signals of a run."""

    status_changed: SignalInstance
    loss_reported: SignalInstance
    embedding_changed: SignalInstance
    finished: SignalInstance


class ReportQueue:
    """Collects a run's events and delivers them by the dispatcher, about ten times a second.

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
        self._is_pending = False
        self._statuses: list[Status] = []
        self._losses: list[tuple[int, int, dict[str, float]]] = []
        self._embedding: tuple[int, int, np.ndarray] | None = None
        self._final: Status | None = None

    def put_status(self, status: Status) -> None:
        """Queue a status; it replaces an undelivered one of the same phase.

        All changes of phase are delivered, so that a listener gets every phase in order.
        """
        with self._lock:
            if self._statuses and self._statuses[-1].phase is status.phase:
                self._statuses[-1] = status
            else:
                self._statuses.append(status)

    def put_losses(self, run_id: int, epoch: int, losses: dict[str, float]) -> None:
        """Queue an entry of the loss history; none is dropped."""
        with self._lock:
            self._losses.append((run_id, epoch, losses))

    def put_embedding(self, run_id: int, epoch: int, embedding: np.ndarray) -> None:
        """Queue a map; it replaces an undelivered one."""
        with self._lock:
            self._embedding = (run_id, epoch, embedding)

    def put_final(self, status: Status) -> None:
        """Queue the final status, for the signal `finished`."""
        with self._lock:
            self._final = status

    def send(self, *, at_once: bool = False) -> None:
        """Have the dispatcher deliver the queue, if no delivery is pending and it is time.

        Parameters
        ----------
        at_once : bool
            Also if the last delivery is less than a tenth of a second ago.
        """
        now = time.perf_counter()
        with self._lock:
            if self._is_pending or not (at_once or now - self._last >= _EVERY_S):
                return
            self._is_pending, self._last = True, now
        try:
            self._dispatcher(self._deliver)
        except BaseException:
            self._is_pending = False  # so that a later delivery, such as the last, can be tried
            raise

    def _deliver(self) -> None:
        """Emit all events, also after a listener has failed; then raise the first error."""
        errors: list[Exception] = []
        for signal, event in self._take_all():
            try:
                signal.emit(*event)
            except Exception as error:  # of a listener: any type
                errors.append(error)
        if errors:
            raise errors[0]

    def _take_all(self) -> list[tuple[SignalInstance, tuple[Any, ...]]]:
        """Empty the queue; events in the order of delivery, the final one last."""
        signals = self._signals
        with self._lock:
            self._is_pending = False
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
