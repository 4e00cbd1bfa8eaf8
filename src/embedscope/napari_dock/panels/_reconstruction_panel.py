"""Real samples beside their reconstructions: with their own style code, and by position alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from embedscope.explorer import SampleReconstruction, name_of
from embedscope.napari_dock.widgets._buttons import text_button
from embedscope.napari_dock.widgets._pictures import PictureLabel
from embedscope.samples import Samples

N_MOST = 8

_PICTURE_PX, _MOST_VALUES = 48, 4
_COLUMNS = (
    ("real", "The real sample."),
    ("own code", "Decoded from the sample's position and its own style code."),
    ("by position", "Decoded from the position alone: the typical sample there."),
    (
        "difference",
        "The picture decoded with its own code minus the real one. Orange: too bright. Blue: too "
        "dark. Black: equal. The colour saturates at a quarter of the range of the pictures.",
    ),
)
_HELD_OUT = {
    True: "held out",
    False: "trained on",
    None: "added later",
}
_ERROR_TIP = (
    "error: squared error when decoded with its own code. 0 is exact, 1 is no better than the mean "
    "sample.\n"
    "by position: the same when decoded from the position alone.\n"
    "held out: the decoder was not trained on this sample.\n"
    "trained on: the decoder was trained on this sample.\n"
    "added later: the sample was added to the map after the training."
)


class ReconstructionPanel(QWidget):
    """One row per sample: the real one, its reconstructions, their difference and the error.

    Parameters
    ----------
    clear : callable
        Called when the user clears the panel.
    parent : QWidget, optional
    """

    def __init__(self, clear: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel()
        self.clear = text_button("Clear", "Remove these samples from the panel.", clear)
        self.pictures = [
            [PictureLabel(_PICTURE_PX, tip) for _, tip in _COLUMNS] for _ in range(N_MOST)
        ]
        self.heads = [QLabel(name) for name, _ in _COLUMNS]
        self.texts = [QLabel() for _ in range(N_MOST)]
        self._lay_out()
        self.show_samples(None, ())

    def show_samples(
        self, samples: Samples | None, reconstructions: Sequence[SampleReconstruction]
    ) -> None:
        """Show the first eight reconstructions; the panel is hidden if there are none."""
        shown = reconstructions[:N_MOST]
        self.setVisible(bool(shown))
        n_all, n_shown = len(reconstructions), len(shown)
        of = f", {n_shown} of {n_all:,}" if n_all > n_shown else ""
        self.title.setText(f"Reconstructed samples{of}")
        has_pictures = any(each.original is not None for each in shown)
        columns = self._columns(shown) if has_pictures else ()
        for place, head in enumerate(self.heads):
            head.setVisible(place in columns)
        for number, (pictures, text) in enumerate(zip(self.pictures, self.texts, strict=True)):
            one = shown[number] if number < n_shown else None
            text.setVisible(one is not None)
            for place, label in enumerate(pictures):
                label.setVisible(one is not None and place in columns)
            if one is not None and samples is not None:
                drawn = (one.original, one.picture, one.typical, one.difference)
                for label, picture in zip(pictures, drawn, strict=True):
                    label.show_picture(picture)
                text.setText("\n".join(_describe(one, samples)))

    def _columns(self, shown: Sequence[SampleReconstruction]) -> tuple[int, ...]:
        """Without style codes both reconstructions are the typical sample, shown once."""
        return (0, 1, 2, 3) if any(map(_has_code, shown)) else (0, 2, 3)

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.clear)
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(len(_COLUMNS), 1)
        for place, head in enumerate(self.heads):
            head.setToolTip(_COLUMNS[place][1])
            head.setStyleSheet("font-size: 9px")
            grid.addWidget(head, 0, place, Qt.AlignmentFlag.AlignHCenter)
        for number, (pictures, text) in enumerate(zip(self.pictures, self.texts, strict=True)):
            for place, label in enumerate(pictures):
                grid.addWidget(label, number + 1, place)
            text.setToolTip(_ERROR_TIP)
            text.setWordWrap(True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(text, number + 1, len(_COLUMNS))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addLayout(grid)


def _has_code(one: SampleReconstruction) -> bool:
    return one.error != one.typical_error


def _describe(one: SampleReconstruction, samples: Samples) -> list[str]:
    lines = [name_of(samples, one.id), f"error {one.error:.2f}"]
    if _has_code(one):
        lines.append(f"by position {one.typical_error:.2f}")
    lines.append(_HELD_OUT[one.is_held_out])
    if one.original is None:
        lines += _values(one, samples.feature_names)
    return lines


def _values(one: SampleReconstruction, names: Sequence[str]) -> list[str]:
    """The features with the largest errors: real and decoded values."""
    real = np.asarray(one.sample, np.float64).ravel()
    drawn = np.asarray(one.reconstruction, np.float64).ravel()
    order = np.argsort(-np.abs(drawn - real), kind="stable")[:_MOST_VALUES]
    return [
        f"{names[k] if k < len(names) else k}: real {real[k]:.3g}, decoded {drawn[k]:.3g}"
        for k in order
    ]
