"""Whose style code is drawn with: one sample carried over the map, or another one at a place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from embedscope.explorer import name_of
from embedscope.napari_dock.widgets._buttons import text_button
from embedscope.napari_dock.widgets._who import row_of
from embedscope.samples import SampleId, Samples

_CARRY = (
    "Carry the selected sample over the map: while this is pressed, a click, a drag or a path "
    "draws that sample as it would look there. What is drawn is decoded, not real."
)
_ANOTHER = (
    "Draw another sample that could stand at this place, with the style code of one of the 15 "
    "nearest real ones, drawn by chance."
)
_RECONSTRUCT = (
    "Draw the selected samples again, each from its place and its own style code, beside the real "
    "pictures. Of more than eight, eight are taken evenly."
)
_NO_CODES = (
    'Style codes are needed. Train with "Train a decoder" on and "Style components" above 0.'
)
_AT_WORK = "Wait until the training has ended, or stop it."


class CarryTools(QWidget):
    """The buttons Carry, Another and Reconstruct, and a line that says who is carried.

    Parameters
    ----------
    has_style : callable
        ``has_style()`` says whether the map takes style codes now.
    parent : QWidget, optional
    """

    carried_changed = Signal(object)  # SampleId, or None: by hand, or since it cannot go on
    taken = Signal(object)  # where the sample stands that was just taken up, map units
    let_go = Signal()  # by hand
    another_requested = Signal()
    reconstruct_requested = Signal()

    def __init__(
        self, has_style: Callable[[], bool] = lambda: False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._has_style = has_style
        self._samples: Samples | None = None
        self._positions: npt.NDArray[np.float32] = np.empty((0, 2), np.float32)
        self._selected: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self._is_at_work, self._has_place = False, False
        self._carried: SampleId | None = None
        self.carry = text_button("Carry", _CARRY, self._toggle)
        self.carry.setCheckable(True)
        self.another = text_button("Another", _ANOTHER, self.another_requested.emit)
        self.reconstruct = text_button("Reconstruct", _RECONSTRUCT, self.reconstruct_requested.emit)
        self.who = QLabel()
        self.who.setWordWrap(True)
        self.who.setToolTip("Whose style code is drawn with, wherever you click.")
        self.release = text_button(
            "Let go", "Carry nobody: draw the typical sample of a place again.", self._release
        )
        self._lay_out()
        self._refresh()

    @property
    def carried(self) -> SampleId | None:
        """Whose code is drawn with; None for typical samples."""
        return self._carried

    # -- what is known -----------------------------------------------------------------------------

    def show_samples(self, samples: Samples | None) -> None:
        """Take other samples; one that is carried stays if it is among them."""
        self._samples = samples
        self._positions, self._selected = np.empty((0, 2), np.float32), np.zeros(0, np.int64)
        self._refresh()

    def show_positions(self, positions: npt.NDArray[np.float32]) -> None:
        """Take the places of the samples, float32 of shape (n, 2), map units."""
        self._positions = positions
        self._refresh()

    def show_selection(self, rows: npt.NDArray[np.int64]) -> None:
        """Take the rows that are selected."""
        self._selected = rows
        self._refresh()

    def show_at_work(self, is_at_work: bool) -> None:
        """Take whether a run goes on."""
        self._is_at_work = is_at_work
        self._refresh()

    def show_place(self, has_place: bool) -> None:
        """Take whether a place of the map is being looked at."""
        self._has_place = has_place
        self._refresh()

    # -- what is done ------------------------------------------------------------------------------

    def drop(self) -> None:
        """Carry nobody."""
        self._carry(None)

    def _toggle(self) -> None:
        if self._carried is not None:
            self._release()
        elif self._samples is not None and not self._why_not_carry():
            row = int(self._selected[0])
            self._carry(self._samples.identities[row])
            self.taken.emit(self._positions[row].astype(np.float64))

    def _release(self) -> None:
        self.drop()
        self.let_go.emit()

    def _carry(self, identity: SampleId | None) -> None:
        if identity != self._carried:
            self._carried = identity
            self.carried_changed.emit(identity)
        self._refresh()

    # -- what is shown -----------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Let go of a sample that cannot be carried on; grey what cannot be done, and say why."""
        if self._carried is not None and (
            row_of(self._samples, self._carried) is None or self._why_no_codes()
        ):
            self._carried = None
            self.carried_changed.emit(None)
        is_carrying = self._carried is not None
        _offer(self.carry, _CARRY, "" if is_carrying else self._why_not_carry())
        self.carry.setChecked(is_carrying)
        no_place = "" if self._has_place else "Decode a place of the map first."
        _offer(self.another, _ANOTHER, self._why_no_codes() or no_place)
        _offer(self.reconstruct, _RECONSTRUCT, self._why_not_reconstruct())
        for part in (self.who, self.release):
            part.setVisible(is_carrying)
        if self._carried is not None and self._samples is not None:
            name = name_of(self._samples, self._carried)
            self.who.setText(f"Carrying {name}: click, drag or draw a path on the map.")

    def _why_no_codes(self) -> str:
        if self._is_at_work:
            return _AT_WORK
        return "" if self._has_style() else _NO_CODES

    def _why_not_carry(self) -> str:
        """What stands in the way of carrying the selected sample; "" if nothing does."""
        n_selected = len(self._selected)
        if self._why_no_codes():
            return self._why_no_codes()
        if n_selected != 1:
            return f"Select one sample, by a click on its point; {n_selected:,} are selected."
        return self._why_not_at_hand()

    def _why_not_reconstruct(self) -> str:
        if self._is_at_work:
            return _AT_WORK
        if not len(self._selected):
            return "Select one sample or a few; 0 are selected."
        return self._why_not_at_hand()

    def _why_not_at_hand(self) -> str:
        """Whether the selected ones have places on the map, and pictures."""
        samples, rows = self._samples, self._selected
        if samples is None or len(self._positions) != len(samples):
            return "Train a map first."
        if not np.isfinite(self._positions[rows]).all():
            return "Select samples that have a place on the map. Train first."
        if any(samples.identities[int(row)].source in samples.absent for row in rows):
            return "The images that the selected samples were cut from are needed. Open them."
        return ""

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.carry, self.another, self.reconstruct):
            buttons.addWidget(button)
        carrying = QHBoxLayout()
        carrying.addWidget(self.who, 1)
        carrying.addWidget(self.release)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addLayout(carrying)


def _offer(button: QPushButton, tooltip: str, why_not: str) -> None:
    """Let a button be pressed, or say why it cannot be."""
    button.setEnabled(not why_not)
    button.setToolTip(f"{why_not}\n\n{tooltip}" if why_not else tooltip)
