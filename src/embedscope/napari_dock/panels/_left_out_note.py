"""A note of the objects that are not among the samples, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtWidgets import QLabel, QWidget

from embedscope._wording import counted

_MOST_NAMED, _MOST_IN_TIP = 2, 40


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
        left_out = () if samples is None else samples.left_out
        self.setText(_sentence(left_out))
        lines = [f"{entry.name}: {entry.reason}" for entry in left_out[:_MOST_IN_TIP]]
        n_more = len(left_out) - len(lines)
        self.setToolTip("\n".join([*lines, f"and {n_more:,} more"] if n_more > 0 else lines))
        self.setVisible(bool(left_out))


def _sentence(left_out: Sequence[Any]) -> str:
    if not left_out:
        return ""
    named = [f"{entry.name} ({entry.reason})" for entry in left_out[:_MOST_NAMED]]
    n_more = len(left_out) - len(named)
    if n_more:
        named.append(counted(n_more, "other"))
    before = ", ".join(named[:-1])
    return f"Left out or changed: {before + ' and ' if before else ''}{named[-1]}."
