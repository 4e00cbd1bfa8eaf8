"""Undo and redo of selections and gates: small frozen states, a hundred deep."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._gates import GateSet


@dataclass(frozen=True)
class UndoState:
    """What undo brings back: the selection and the gates at one moment.

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
    """What can be undone and done again, for a menu.

    Attributes
    ----------
    undo, redo : str
        What the next undo or redo is about, "" where there is none.
    n_undo, n_redo : int
        How many steps there are.
    """

    undo: str = ""
    redo: str = ""
    n_undo: int = 0
    n_redo: int = 0


class UndoStack:
    """The states to go back to, and those that were gone back from.

    The present state is not in here: its owner hands it in, so that there is one truth about it.

    Parameters
    ----------
    limit : int
        How many steps can be undone, at least 1; the oldest are forgotten.

    Raises
    ------
    InvalidInputError
        If the limit is below 1.
    """

    def __init__(self, limit: int = 100) -> None:
        if limit < 1:
            raise InvalidInputError(f"limit must be at least 1; got {limit}. Keep one step.")
        self._past: deque[tuple[str, UndoState]] = deque(maxlen=limit)
        self._future: list[tuple[str, UndoState]] = []

    @property
    def history(self) -> History:
        """What can be undone and done again."""
        return History(
            undo=self._past[-1][0] if self._past else "",
            redo=self._future[-1][0] if self._future else "",
            n_undo=len(self._past),
            n_redo=len(self._future),
        )

    def record(self, description: str, before: UndoState) -> None:
        """Remember what was there before a change; what was undone is forgotten.

        Parameters
        ----------
        description : str
            What the change is, as a menu says it: "select 12 samples".
        before : UndoState
        """
        self._past.append((description, before))
        self._future.clear()

    def undo(self, present: UndoState) -> UndoState | None:
        """The state before the last change, or None where there is none.

        Parameters
        ----------
        present : UndoState
            What `redo` brings back.
        """
        return _step(self._past, self._future, present)

    def redo(self, present: UndoState) -> UndoState | None:
        """The state that the last undo left, or None where there is none.

        Parameters
        ----------
        present : UndoState
            What `undo` brings back.
        """
        return _step(self._future, self._past, present)

    def copy(self) -> UndoStack:
        """The same steps, to come back to."""
        copied = UndoStack(self._past.maxlen or 1)
        copied._past.extend(self._past)
        copied._future.extend(self._future)
        return copied

    def clear(self) -> None:
        """Forget everything, as for other samples."""
        self._past.clear()
        self._future.clear()


def _step(
    source: deque[tuple[str, UndoState]] | list[tuple[str, UndoState]],
    target: deque[tuple[str, UndoState]] | list[tuple[str, UndoState]],
    present: UndoState,
) -> UndoState | None:
    if not source:
        return None
    description, state = source.pop()
    target.append((description, present))
    return state
