"""Asks before a new map takes the place of one with gates or a selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QMessageBox, QWidget

from embedscope._wording import counted
from embedscope.explorer import Explorer


def may_replace_marks(parent: QWidget, explorer: Explorer, keep: Callable[[], bool]) -> bool:
    """Ask whether other data may be trained on, where gates or a selection would be lost.

    Parameters
    ----------
    parent : QWidget
    explorer : Explorer
    keep : callable
        ``keep()`` saves them with the map that they belong to, and says whether that was done.

    Returns
    -------
    bool
        Whether to go on; at once where nothing would be lost.
    """
    marks = _marks_of(explorer)
    if not marks:
        return True
    question: Any = QMessageBox(parent)
    question.setIcon(QMessageBox.Icon.Question)
    question.setWindowTitle("Train on other data")
    question.setText(
        f"Training on other data makes a new map. The one that is there now has {marks}, which "
        "would be gone with it."
    )
    role = QMessageBox.ButtonRole
    save = question.addButton("Keep with the old map…", role.AcceptRole)
    drop = question.addButton("Train without them", role.DestructiveRole)
    question.addButton("Cancel", role.RejectRole)
    save.setToolTip("Save the map, its gates and the selection as a session, then train.")
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
