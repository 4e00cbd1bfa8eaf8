"""What an explorer tells its listeners: facts, after they have happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from psygnal import Signal, SignalGroup


@dataclass(frozen=True, eq=False)
class Embedding:
    """Where the samples stand on the map.

    Attributes
    ----------
    revision : int
        Grows with every change, so that a late or repeated picture can be told from a new one.
    positions : ndarray of shape (n_samples, 2), float32, read-only
        Map coordinates; NaN for samples that have no place yet.
    epoch : int
        Entries of the loss history when it was taken.
    is_final : bool
        False while training goes on.
    """

    revision: int = 0
    positions: np.ndarray = field(default_factory=lambda: np.empty((0, 2), np.float32), repr=False)
    epoch: int = 0
    is_final: bool = True


@dataclass(frozen=True)
class Hovered:
    """The sample under the pointer.

    Attributes
    ----------
    row : int or None
    origin : str
        Who pointed at it.
    """

    row: int | None = None
    origin: str = ""


# If a listener issues a command, the others get the value after it and never an older one last.
_Changed = partial(Signal, object, reemission="latest-only")


class ExplorerEvents(SignalGroup):
    """Signals of an `Explorer`; each carries the new value.

    Listeners must not issue commands from inside a setter that shows the value: that is how echo
    loops form. Where a listener needs to know which view caused a change, the value has an
    ``origin``.
    """

    samples_changed = _Changed()
    parameters_changed = _Changed()
    status_changed = _Changed()
    losses_changed = _Changed()
    embedding_changed = _Changed()
    coloring_changed = _Changed()
    novel_changed = _Changed()
    selection_changed = _Changed()
    hovered_changed = _Changed()
    gates_changed = _Changed()
    reconstruction_changed = _Changed()
    sample_reconstructions_changed = _Changed()
    explanation_changed = _Changed()
    history_changed = _Changed()
    message_sent = Signal(str)
