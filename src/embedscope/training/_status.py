"""The phases of a training run, their order, and the frozen status.

::

    IDLE ─→ PREPARING ─→ LAYOUT ─→ FITTING ─→ REFINING ─→ DONE
              any running phase ─→ PAUSED ─→ the same phase again
              any running phase, or PAUSED ─→ STOPPED or FAILED
              IDLE ─→ STOPPED

A solver may skip LAYOUT or REFINING, and a callback that ends the training leads to DONE early.
DONE, STOPPED and FAILED are final.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType


class Phase(Enum):
    """A phase of a run.

    Attributes
    ----------
    is_running : bool
        Whether the worker runs; False while paused.
    is_at_work : bool
        Whether the run has started and not finished: running or paused.
    is_finished : bool
        Whether no phase follows.
    """

    IDLE = "idle"
    PREPARING = "preparing"
    LAYOUT = "layout"
    FITTING = "fitting"
    REFINING = "refining"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def is_running(self) -> bool:
        """Whether the worker runs; False while paused."""
        return self in _ORDER[1:]

    @property
    def is_at_work(self) -> bool:
        """Whether the run has started and not finished: running or paused."""
        return self.is_running or self is Phase.PAUSED

    @property
    def is_finished(self) -> bool:
        """Whether no phase follows."""
        return self in (Phase.DONE, Phase.STOPPED, Phase.FAILED)

    def may_become(self, following: Phase) -> bool:
        """Whether the diagram has an arrow from this phase to another one, or to itself.

        Parameters
        ----------
        following : Phase

        Returns
        -------
        bool
        """
        if following is self:
            return True
        if self is Phase.PAUSED:
            return following.is_running or following in (Phase.STOPPED, Phase.FAILED)
        if self is Phase.IDLE:
            return following in (Phase.PREPARING, Phase.STOPPED)
        if not self.is_running:
            return False
        if following.is_running:
            return _ORDER.index(following) > _ORDER.index(self)
        return following is Phase.PAUSED or following.is_finished


_ORDER = (Phase.IDLE, Phase.PREPARING, Phase.LAYOUT, Phase.FITTING, Phase.REFINING)


@dataclass(frozen=True)
class Status:
    """The state of a run at one moment.

    Attributes
    ----------
    run_id : int
    phase : Phase
    fraction : float
        Share of the run that is done, 0..1.
    epoch : int
        Entries in the loss history so far.
    losses : mapping of str to float
        The latest of each loss; empty before the first.
    seconds_left : float or None
        Estimate without pauses; None if there is no estimate yet, and once the run has ended.
    message : str
        One sentence for users.
    error : exception or None
        The error of a run that failed.
    traceback : str
        Traceback of the error, as Python prints it; empty without an error.
    """

    run_id: int
    phase: Phase = Phase.IDLE
    fraction: float = 0.0
    epoch: int = 0
    losses: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    seconds_left: float | None = None
    message: str = "Not started."
    error: BaseException | None = None
    traceback: str = ""
