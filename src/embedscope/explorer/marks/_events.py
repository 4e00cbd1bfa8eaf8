"""The events of an explorer, emitted after the state has changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from psygnal import Signal, SignalGroup


@dataclass(frozen=True, eq=False)
class Embedding:
    """The positions of the samples on the map.

    Attributes
    ----------
    revision : int
        Different for each value, so that a view can tell a repeated one from a new one.
    positions : ndarray of shape (n_samples, 2), float32, read-only
        Map coordinates; NaN for samples without a position.
    epoch : int
        Entries of the loss history at that time.
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
        The view whose pointer it is.
    """

    row: int | None = None
    origin: str = ""


# If a listener issues a command, the others get the value after it and never an older one last.
_Changed = partial(Signal, object, reemission="latest-only")


class ExplorerEvents(SignalGroup):
    """Signals of an `Explorer`; each carries the new value.

    A setter that shows a value must not issue commands: two views would answer each other without
    end. Where a listener needs to know which view caused a change, the value has an ``origin``.
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
