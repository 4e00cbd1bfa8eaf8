"""The entry that chooses a manifest: a table that lists images and their labels."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QWidget

from embedscope.napari_dock.widgets._buttons import text_button
from embedscope.samples.reading import columns_of_numbers

_FILES = "Manifests (*.csv *.tsv)"
_NONE = "no file"


class ManifestEntry(QWidget):
    """The name of the chosen file, and a button that asks for it.

    Parameters
    ----------
    parent : QWidget, optional
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path = ""
        self.columns: list[str] = []  # that a map of its objects may learn from
        self.name = QLabel(_NONE)
        self.choose = text_button(
            "Open…",
            "A table with a row for each image: the columns image and labels hold paths; others, "
            "such as well or treatment, become features.",
            self._ask,
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.name, 1)
        row.addWidget(self.choose)

    def set_path(self, path: str) -> None:
        """Choose a file.

        Parameters
        ----------
        path : str
        """
        self.path, self.columns = path, columns_of_numbers(path)
        self.name.setText(Path(path).name or _NONE)
        self.name.setToolTip(path)
        self.changed.emit()

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a manifest", self.path, _FILES)
        if path:
            self.set_path(path)
