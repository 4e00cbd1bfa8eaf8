"""Buttons that choose the style code to decode with: a carried sample's, or a random one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from psygnal import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from embedscope.explorer import name_of
from embedscope.napari_dock.widgets._buttons import text_button
from embedscope.napari_dock.widgets._row_of import row_of
from embedscope.samples import SampleId, Samples

_CARRY = (
    "Carry the selected sample over the map: while this is pressed, a click, a drag or a path "
    "decodes that sample as it would look there, with its style code."
)
_ANOTHER = (
    "Decode another sample at this point, with the style code of one of the 15 nearest real "
    "samples, chosen at random."
)
_RECONSTRUCT = (
    "Reconstruct the selected samples, each from its position and its own style code, beside the "
    "real pictures. Of more than eight, eight are taken evenly."
)
_NO_CODES = (
    'Style codes are needed. Train with "Train a decoder" on and "Style components" above 0.'
)
_AT_WORK = "Wait until the training has ended, or stop it."


class CarryTools(QWidget):
    """The buttons Carry, Another and Reconstruct, and a line that names the carried sample.

    Parameters
    ----------
    has_style : callable
        ``has_style()`` says whether the decoder takes style codes now.
    parent : QWidget, optional
    """

    carried_changed = Signal(object)  # SampleId, or None
    picked_up = Signal(object)  # position of the sample that the user begins to carry, map units
    released = Signal()  # by the user
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
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setToolTip("The sample whose style code is used wherever you click.")
        self.release = text_button(
            "Release", "Stop carrying: decode the typical samples again.", self._release
        )
        self._lay_out()
        self._refresh()

    @property
    def carried(self) -> SampleId | None:
        """The sample whose style code is decoded with; None for typical samples."""
        return self._carried

    # -- state -------------------------------------------------------------------------------------

    def show_samples(self, samples: Samples | None) -> None:
        """Take other samples; a carried sample stays if it is among them."""
        self._samples = samples
        self._positions, self._selected = np.empty((0, 2), np.float32), np.zeros(0, np.int64)
        self._refresh()

    def show_positions(self, positions: npt.NDArray[np.float32]) -> None:
        """Take the positions of the samples, float32 of shape (n, 2), map units."""
        self._positions = positions
        self._refresh()

    def show_selection(self, rows: npt.NDArray[np.int64]) -> None:
        """Take the rows that are selected."""
        self._selected = rows
        self._refresh()

    def show_at_work(self, is_at_work: bool) -> None:
        """Take whether a training run is at work."""
        self._is_at_work = is_at_work
        self._refresh()

    def show_place(self, has_place: bool) -> None:
        """Take whether a decoded sample is shown."""
        self._has_place = has_place
        self._refresh()

    # -- actions -----------------------------------------------------------------------------------

    def drop(self) -> None:
        """Stop carrying."""
        self._carry(None)

    def _toggle(self) -> None:
        if self._carried is not None:
            self._release()
        elif self._samples is not None and not self._why_not_carry():
            row = int(self._selected[0])
            self._carry(self._samples.identities[row])
            self.picked_up.emit(self._positions[row].astype(np.float64))

    def _release(self) -> None:
        self.drop()
        self.released.emit()

    def _carry(self, identity: SampleId | None) -> None:
        if identity != self._carried:
            self._carried = identity
            self.carried_changed.emit(identity)
        self._refresh()

    # -- appearance --------------------------------------------------------------------------------

    def _refresh(self) -> None:
        """Drop a sample that cannot be carried any more; enable the buttons or explain why not."""
        if self._carried is not None and (
            row_of(self._samples, self._carried) is None or self._why_no_codes()
        ):
            self._carried = None
            self.carried_changed.emit(None)
        is_carrying = self._carried is not None
        _offer(self.carry, _CARRY, "" if is_carrying else self._why_not_carry())
        self.carry.setChecked(is_carrying)
        no_place = "" if self._has_place else "Decode a point of the map first."
        _offer(self.another, _ANOTHER, self._why_no_codes() or no_place)
        _offer(self.reconstruct, _RECONSTRUCT, self._why_not_reconstruct())
        for part in (self.text, self.release):
            part.setVisible(is_carrying)
        if self._carried is not None and self._samples is not None:
            name = name_of(self._samples, self._carried)
            self.text.setText(f"Carrying {name}: click, drag or draw a path on the map.")

    def _why_no_codes(self) -> str:
        if self._is_at_work:
            return _AT_WORK
        return "" if self._has_style() else _NO_CODES

    def _why_not_carry(self) -> str:
        """Why the selected sample cannot be carried; "" if it can."""
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
        """Why the selected samples lack positions or pictures; "" if they have both."""
        samples, rows = self._samples, self._selected
        if samples is None or len(self._positions) != len(samples):
            return "Train a map first."
        if not np.isfinite(self._positions[rows]).all():
            return "Select samples that have a position on the map. Train first."
        if any(samples.identities[int(row)].source in samples.absent for row in rows):
            return "The images that the selected samples were cut from are needed. Open them."
        return ""

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in (self.carry, self.another, self.reconstruct):
            buttons.addWidget(button)
        carrying = QHBoxLayout()
        carrying.addWidget(self.text, 1)
        carrying.addWidget(self.release)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addLayout(carrying)


def _offer(button: QPushButton, tooltip: str, why_not: str) -> None:
    """Enable a button, or say in its tooltip why it is disabled."""
    button.setEnabled(not why_not)
    button.setToolTip(f"{why_not}\n\n{tooltip}" if why_not else tooltip)
