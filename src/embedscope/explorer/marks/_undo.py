"""Undo and redo of selections and gates: up to a hundred small frozen states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._gates import GateSet


@dataclass(frozen=True)
class UndoState:
    """The selection and the gates at one moment, which undo restores.

    Attributes
    ----------
    packed : bytes
        The selection, one bit a sample: a hundred states of 100,000 samples take 1.25 MB.
    n_samples : int
    gates : GateSet
    """

    packed: bytes
    n_samples: int
    gates: GateSet

    @classmethod
    def of(cls, selected: npt.NDArray[np.bool_], gates: GateSet) -> UndoState:
        """The state with the selection `selected`, a mask of shape (n_samples,)."""
        return cls(np.packbits(selected).tobytes(), len(selected), gates)

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """The selection, shape (n_samples,), a new array."""
        bits = np.frombuffer(self.packed, dtype=np.uint8)
        return np.unpackbits(bits, count=self.n_samples).astype(np.bool_)


@dataclass(frozen=True)
class History:
    """What can be undone and redone, for a menu.

    Attributes
    ----------
    undo, redo : str
        Description of the next step to undo or redo, "" if there is none.
    n_undo, n_redo : int
        How many steps there are.
    """

    undo: str = ""
    redo: str = ""
    n_undo: int = 0
    n_redo: int = 0


class Step(NamedTuple):
    """One change: its description in a menu ("select 12 samples"), and the state to restore."""

    description: str
    state: UndoState


@dataclass(frozen=True)
class UndoSteps:
    """The steps that can be undone and redone. The present state is not among them.

    Attributes
    ----------
    limit : int
        How many steps can be undone, at least 1; older ones are dropped.
    past, future : tuple of Step
        The last one comes next.

    Raises
    ------
    InvalidInputError
        If the limit is below 1.
    """

    limit: int = 100
    past: tuple[Step, ...] = ()
    future: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise InvalidInputError(f"limit must be at least 1; got {self.limit}. Keep one step.")

    @property
    def history(self) -> History:
        """What can be undone and redone."""
        return History(
            undo=self.past[-1].description if self.past else "",
            redo=self.future[-1].description if self.future else "",
            n_undo=len(self.past),
            n_redo=len(self.future),
        )

    def record(self, description: str, before: UndoState) -> UndoSteps:
        """The steps after a change; there is nothing to redo then.

        Parameters
        ----------
        description : str
            Of the change, for a menu.
        before : UndoState
            The state before it.
        """
        past = (*self.past, Step(description, before))
        return replace(self, past=past[-self.limit :], future=())

    def undo(self, present: UndoState) -> tuple[UndoSteps, UndoState] | None:
        """The steps after undoing the last change, and the state before it; None without one.

        Parameters
        ----------
        present : UndoState
            The state that `redo` restores.
        """
        if not self.past:
            return None
        *past, (description, state) = self.past
        future = (*self.future, Step(description, present))
        return replace(self, past=tuple(past), future=future), state

    def redo(self, present: UndoState) -> tuple[UndoSteps, UndoState] | None:
        """The steps after redoing the last undone change, and the state after it; None without one.

        Parameters
        ----------
        present : UndoState
            The state that `undo` restores.
        """
        if not self.future:
            return None
        *future, (description, state) = self.future
        past = (*self.past, Step(description, present))
        return replace(self, past=past, future=tuple(future)), state
