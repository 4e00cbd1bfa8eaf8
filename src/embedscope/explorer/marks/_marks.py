"""What people mark on a map: the selection and the gates, with undo and redo of both."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._events import ExplorerEvents
from embedscope.explorer.marks._gates import Gate, GateSet
from embedscope.explorer.marks._selection import Selection, combine, mask_of_rows
from embedscope.explorer.marks._undo import History, UndoStack, UndoState

Mask = npt.NDArray[np.bool_]
_EDITABLE = ("name", "color", "polygon")


class Marks:
    """The selection and the gates of some samples. Every change is told, and can be undone.

    Parameters
    ----------
    events : ExplorerEvents
        Where changes are told.
    n_samples : int
    """

    def __init__(self, events: ExplorerEvents, n_samples: int = 0) -> None:
        self._events = events
        self._undo = UndoStack()
        self._revisions = itertools.count(1)
        self.gates = GateSet()
        self.selected: Mask = np.zeros(n_samples, dtype=bool)
        self.selection = Selection.of_mask(self.selected)

    @property
    def history(self) -> History:
        """What can be undone and done again."""
        return self._undo.history

    def tell_all(self) -> None:
        """Tell everything as it is."""
        self._events.gates_changed.emit(self.gates)
        self._events.selection_changed.emit(self.selection)
        self._events.history_changed.emit(self.history)

    def restart(self, selected: Mask, gates: GateSet) -> None:
        """Take over marks, perhaps of other samples. Tells nothing; nothing can be undone."""
        self._undo.clear()
        self.gates, self.selected = gates, selected
        self.selection = Selection.of_mask(selected, next(self._revisions))

    def keep(self) -> Callable[[], None]:
        """What brings the marks and their history back as they are now. Tells nothing."""
        kept = self.gates, self.selected, self.selection, self._undo.copy()

        def bring_back() -> None:
            self.gates, self.selected, self.selection, self._undo = kept

        return bring_back

    def mask(self, rows: Any) -> Mask:
        """Rows of the samples as a mask; an error if there are no such rows."""
        return mask_of_rows(rows, len(self.selected))

    # -- selection -------------------------------------------------------------------------------

    def select(self, hits: Mask, mode: str, origin: str, what: str) -> None:
        """Change the selection by what a gesture hit; see `combine`."""
        selected = combine(self.selected, hits, mode)
        if np.array_equal(selected, self.selected):
            return
        self._undo.record(what, self._state())
        self._set_selected(selected, origin)
        self._events.history_changed.emit(self.history)

    def _set_selected(self, selected: Mask, origin: str) -> None:
        self.selected = selected
        self.selection = Selection.of_mask(selected, next(self._revisions), origin)
        self._events.selection_changed.emit(self.selection)

    # -- gates -----------------------------------------------------------------------------------

    def add_polygon(self, polygon: Any, name: str | None, color: str | None) -> Gate:
        """Add a polygon as a gate."""
        return self._add(Gate(self._name(name), color or "", polygon))

    def add_combination(
        self, operation: str, members: Sequence[str], name: str | None, color: str | None
    ) -> Gate:
        """Add a combination of gates."""
        return self._add(
            Gate(self._name(name), color or "", operation=operation, members=members)  # type: ignore[arg-type]  # Gate makes a tuple of it
        )

    def edit_gate(self, name: str, changes: dict[str, Any]) -> None:
        """Change a gate's name, color or polygon."""
        unknown = sorted(changes.keys() - set(_EDITABLE))
        if unknown:
            raise InvalidInputError(
                f"changes must be of {', '.join(_EDITABLE)}; got {', '.join(unknown)}. Remove the "
                "gate and add another for anything else."
            )
        rest = {key: value for key, value in changes.items() if key != "name"}
        gates = self.gates.replace(replace(self.gates[name], **rest)) if rest else self.gates
        if changes.get("name", name) != name:
            gates = gates.rename(name, changes["name"])
        self._change_gates(gates, f"change of gate {name}")

    def remove_gate(self, name: str) -> None:
        """Remove a gate."""
        self._change_gates(self.gates.remove(name), f"removal of gate {name}")

    def _add(self, gate: Gate) -> Gate:
        self._change_gates(self.gates.add(gate), f"gate {gate.name}")
        return self.gates[gate.name]

    def _name(self, given: str | None) -> str:
        if given is not None:
            return given
        numbered = map("Gate {}".format, itertools.count(len(self.gates) + 1))
        return next(name for name in numbered if name not in self.gates)

    def _change_gates(self, gates: GateSet, what: str) -> None:
        self._undo.record(what, self._state())
        self._set_gates(gates)
        self._events.history_changed.emit(self.history)

    def _set_gates(self, gates: GateSet) -> None:
        self.gates = gates
        self._events.gates_changed.emit(gates)

    # -- undo ------------------------------------------------------------------------------------

    def undo(self) -> None:
        """Take back the last change; nothing if there is none."""
        self._restore(self._undo.undo(self._state()))

    def redo(self) -> None:
        """Do again what was taken back; nothing if there is none."""
        self._restore(self._undo.redo(self._state()))

    def _state(self) -> UndoState:
        return UndoState.of(self.selected, self.gates)

    def _restore(self, state: UndoState | None) -> None:
        if state is None:
            return
        selected = state.mask
        if not np.array_equal(selected, self.selected):
            self._set_selected(selected, "")
        if state.gates is not self.gates:
            self._set_gates(state.gates)
        self._events.history_changed.emit(self.history)
