"""The selection and the gates of some samples, with the steps to undo and redo."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._gates import Gate, GateSet
from embedscope.explorer.marks._selection import Selection, combine, mask_of_rows
from embedscope.explorer.marks._undo import UndoState, UndoSteps

Mask = npt.NDArray[np.bool_]
_EDITABLE = ("name", "color", "polygon")
_revisions = itertools.count(1)  # of selections, one for each, so that views can tell them apart


@dataclass(frozen=True, eq=False)
class Marks:
    """A selection and gates. Each change gives another `Marks`, which can undo it.

    Attributes
    ----------
    selected : ndarray of shape (n_samples,), bool
    gates : GateSet
    selection : Selection
        The rows of `selected`.
    steps : UndoSteps
    """

    selected: Mask
    gates: GateSet
    selection: Selection
    steps: UndoSteps = field(default_factory=UndoSteps)

    @classmethod
    def of(cls, selected: Mask, gates: GateSet | None = None) -> Marks:
        """Marks without steps to undo."""
        chosen = Selection.of_mask(selected, next(_revisions))
        return cls(selected, GateSet() if gates is None else gates, chosen)

    def mask(self, rows: Any) -> Mask:
        """Rows of the samples as a mask; an error if a row does not exist."""
        return mask_of_rows(rows, len(self.selected))

    # -- selection -------------------------------------------------------------------------------

    def select(self, hits: Mask, mode: str, origin: str, what: str) -> Marks:
        """Combine the selection with the samples that a gesture hit; see `combine`."""
        selected = combine(self.selected, hits, mode)
        if np.array_equal(selected, self.selected):
            return self
        return replace(self._with_selected(selected, origin), steps=self._recorded(what))

    def _with_selected(self, selected: Mask, origin: str = "") -> Marks:
        selection = Selection.of_mask(selected, next(_revisions), origin)
        return replace(self, selected=selected, selection=selection)

    # -- gates -----------------------------------------------------------------------------------

    def add_polygon(self, polygon: Any, name: str | None, color: str | None) -> Marks:
        """Add a polygon as the last gate."""
        return self._add(Gate(self._name(name), color or "", polygon))

    def add_combination(
        self, operation: str, members: Sequence[str], name: str | None, color: str | None
    ) -> Marks:
        """Add a combination of gates as the last gate."""
        return self._add(
            Gate(self._name(name), color or "", operation=operation, members=members)  # type: ignore[arg-type]  # Gate makes a tuple of it
        )

    def edit_gate(self, name: str, changes: dict[str, Any]) -> Marks:
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
        return self._with_gates(gates, f"change of gate {name}")

    def remove_gate(self, name: str) -> Marks:
        """Remove a gate."""
        return self._with_gates(self.gates.remove(name), f"removal of gate {name}")

    def _add(self, gate: Gate) -> Marks:
        return self._with_gates(self.gates.add(gate), f"gate {gate.name}")

    def _name(self, given: str | None) -> str:
        if given is not None:
            return given
        numbered = map("Gate {}".format, itertools.count(len(self.gates) + 1))
        return next(name for name in numbered if name not in self.gates)

    def _with_gates(self, gates: GateSet, what: str) -> Marks:
        return replace(self, gates=gates, steps=self._recorded(what))

    # -- undo ------------------------------------------------------------------------------------

    def undo(self) -> Marks:
        """The marks before the last change; the same ones if there was none."""
        return self._restored(self.steps.undo(self._state()))

    def redo(self) -> Marks:
        """The marks after the change that was undone last; the same ones if there was none."""
        return self._restored(self.steps.redo(self._state()))

    def _state(self) -> UndoState:
        return UndoState.of(self.selected, self.gates)

    def _recorded(self, what: str) -> UndoSteps:
        return self.steps.record(what, self._state())

    def _restored(self, found: tuple[UndoSteps, UndoState] | None) -> Marks:
        if found is None:
            return self
        steps, state = found
        selected = state.mask
        is_same = np.array_equal(selected, self.selected)
        marks = self if is_same else self._with_selected(selected)
        return replace(marks, gates=state.gates, steps=steps)
