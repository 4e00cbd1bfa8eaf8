"""A note of the objects that are not among the samples, with the reasons."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QLabel, QWidget

from embedscope.explorer import left_out_in_words


class LeftOutNote(QLabel):
    """One line while something was left out; all of it is in the tooltip.

    Parameters
    ----------
    parent : QWidget, optional
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setContentsMargins(8, 2, 8, 2)
        self.show_samples(None)

    def show_samples(self, samples: Any) -> None:
        """Show which objects were left out of these samples.

        Parameters
        ----------
        samples : Samples or None
        """
        sentence, lines = left_out_in_words(samples)
        self.setText(sentence)
        self.setToolTip("\n".join(lines))
        self.setVisible(bool(lines))
