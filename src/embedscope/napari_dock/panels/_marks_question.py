"""Asks before another map replaces one with gates or a selection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from qtpy.QtWidgets import QMessageBox, QWidget

from embedscope._wording import counted
from embedscope.explorer import Explorer


@dataclass(frozen=True)
class LossyAction:
    """An action that replaces the map, in words.

    Attributes
    ----------
    title : str
        Title of the question.
    does : str
        What the action does; the first sentence of the question.
    verb : str
        Label of the button that acts and saves nothing.
    drops_map : bool
        Whether to ask about an unsaved map even without gates or selection.
    hint : str
        How to avoid the loss, if possible; the last sentence of the question.
    """

    title: str
    does: str
    verb: str
    drops_map: bool
    hint: str = ""


TRAINING = LossyAction(
    "Train on other samples",
    "The map was made from other layers or options: training makes a new map.",
    "Train",
    False,
)
TRAINING_ON_CHANGED = LossyAction(
    "Train on changed layers",
    "The layers have changed since the samples were cut: training makes a new map.",
    "Train",
    False,
    "To keep all of it, cancel and press Cut again before you train.",
)
OPENING = LossyAction("Open a session", "Opening a session shows another map.", "Open", True)


class Marks:
    """The samples, their map, gates and selection at one moment; equal if nothing has changed.

    Parameters
    ----------
    explorer : Explorer
    """

    def __init__(self, explorer: Explorer) -> None:
        self._samples, self._model = explorer.samples, explorer.model
        self._gates, self._rows = explorer.gates, explorer.selection.rows
        self._positions = explorer.embedding.positions

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Marks)
            and self._samples is other._samples
            and self._model is other._model
            and self._gates == other._gates
            and np.array_equal(self._rows, other._rows)
            and np.array_equal(self._positions, other._positions, equal_nan=True)
        )

    __hash__ = None  # type: ignore[assignment]  # equality of arrays has no hash


def may_replace_marks(
    parent: QWidget,
    explorer: Explorer,
    action: LossyAction,
    kept: Marks | None,
    keep: Callable[[], bool],
) -> bool:
    """Ask whether another map may be shown, if something would be lost.

    Parameters
    ----------
    parent : QWidget
    explorer : Explorer
    action : LossyAction
        What would replace the map.
    kept : Marks or None
        What was saved last and so is not lost.
    keep : callable
        ``keep()`` saves gates and selection with their map, and says whether that was done.

    Returns
    -------
    bool
        Whether to go on; True without a question if nothing would be lost.
    """
    marks = _marks_of(explorer)
    has_map = action.drops_map and (explorer.model is not None or explorer.status.phase.is_at_work)
    if not (marks or has_map) or Marks(explorer) == kept:
        return True
    lost = f"has {marks}, which would be gone with it" if marks else "has not been saved"
    question: Any = QMessageBox(parent)
    question.setIcon(QMessageBox.Icon.Question)
    question.setWindowTitle(action.title)
    question.setText(f"{action.does} The one that is there now {lost}. {action.hint}".rstrip())
    role = QMessageBox.ButtonRole
    save = question.addButton("Keep with the old map…" if marks else "Keep it…", role.AcceptRole)
    without = f"{action.verb} without {'them' if marks else 'it'}"
    drop = question.addButton(without, role.DestructiveRole)
    question.addButton("Cancel", role.RejectRole)
    save.setToolTip(
        f"Save the map, its gates and the selection as a session, then {action.verb.lower()}."
    )
    question.setDefaultButton(save)
    question.exec()
    clicked = question.clickedButton()
    question.deleteLater()
    return keep() if clicked is save else clicked is drop


def _marks_of(explorer: Explorer) -> str:
    """Gates and selection in words; "" if there are none."""
    n_gates, n_selected = len(explorer.gates), len(explorer.selection.rows)
    gates = counted(n_gates, "gate") if n_gates else ""
    selection = f"a selection of {counted(n_selected, 'sample')}" if n_selected else ""
    return " and ".join(part for part in (gates, selection) if part)
