"""A note that layers have changed since the samples were cut, with a button to cut again."""

from __future__ import annotations

from collections.abc import Sequence

from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from embedscope.napari_dock.widgets._buttons import text_button


class OutdatedNote(QWidget):
    """One line and a button, hidden while there is nothing to say.

    Parameters
    ----------
    parent : QWidget, optional
    """

    cut_again_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setToolTip("The map shows the objects as they were when they were cut.")
        self.cut_again = text_button(
            "Cut again",
            "Cut the samples of these layers again. Unchanged samples keep their position, gates "
            "and selection; the others are placed by the trained map.",
            self.cut_again_requested.emit,
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.cut_again)
        self.show_sources(())

    def show_sources(self, sources: Sequence[str]) -> None:
        """Show which sources have changed layers.

        Parameters
        ----------
        sources : sequence of str
            Empty if no layer has changed.
        """
        self.text.setText(f"{' and '.join(sources)} changed since the samples were cut.")
        self.setVisible(bool(sources))
