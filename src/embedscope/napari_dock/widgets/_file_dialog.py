"""Asks where to write: the name that is confirmed is the name that is written."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtWidgets import QFileDialog, QWidget


def ask_where(parent: QWidget, title: str, name: str, kinds: Mapping[str, str]) -> str | None:
    """Ask for the name of a new file.

    Parameters
    ----------
    parent : QWidget
    title : str
        Of the dialog.
    name : str
        Proposed.
    kinds : mapping of str to str
        Ending, without its dot, of each kind that can be written, and what it is called; a name
        without an ending gets that of the chosen kind, before the dialog asks about a file that is
        there already. Without any kind, the name stays as it is typed: a folder's.

    Returns
    -------
    str or None
        None if the dialog was cancelled.
    """
    endings = {f"{called} (*.{ending})": ending for ending, called in kinds.items()}
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    if endings:
        dialog.setNameFilters(list(endings))
        dialog.setDefaultSuffix(next(iter(kinds)))
        dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(endings[chosen]))
    dialog.selectFile(name)
    accepted = dialog.exec()
    chosen = dialog.selectedFiles()
    dialog.deleteLater()
    return chosen[0] if accepted and chosen else None
