"""What an explorer tells its listeners: facts, after they have happened."""

from __future__ import annotations

from dataclasses import dataclass, field

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


class ExplorerEvents(SignalGroup):
    """Signals of an `Explorer`; each carries the new value.

    Listeners must not issue commands from inside a setter that shows the value: that is how echo
    loops form. Where a listener needs to know who caused a change, the value has an ``origin``.
    """

    samples_changed = Signal(object)
    parameters_changed = Signal(object)
    status_changed = Signal(object)
    losses_changed = Signal(object)
    embedding_changed = Signal(object)
    coloring_changed = Signal(object)
    novel_changed = Signal(object)
    selection_changed = Signal(object)
    hovered_changed = Signal(object)
    gates_changed = Signal(object)
    reconstruction_changed = Signal(object)
    sample_reconstructions_changed = Signal(object)
    explanation_changed = Signal(object)
    history_changed = Signal(object)
    message_sent = Signal(str)
