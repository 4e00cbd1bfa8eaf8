"""Asks for the file to write; the name that the user confirms is the name that is written."""

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
        File extension, without its dot, and title of each format. A name without extension gets
        that of the chosen format before the dialog asks about an existing file. Without any format,
        the name stays as typed: it is a folder's.

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
