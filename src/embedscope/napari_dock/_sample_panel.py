"""What a sample at a place of the map looks like: drawn, beside the nearest real ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from embedscope.explorer import Reconstruction
from embedscope.napari_dock._buttons import text_button
from embedscope.napari_dock._film_strip import FilmStrip, values_along
from embedscope.napari_dock._hover_card import name_of
from embedscope.napari_dock._pictures import PictureLabel
from embedscope.napari_dock._theme import MapColors
from embedscope.samples import Samples

_DRAWN_PX, _REAL_PX = 92, 40
_N_NEIGHBORS = 5
_WELL_SUPPORTED, _UNSUPPORTED = 0.2, 0.01
_LARGEST_VALUES = 6
_HINT = "Choose Look and click or drag on the map, or choose Path and draw a line."


class SamplePanel(QWidget):
    """The sample that was decoded, with its nearest real neighbours, or a path of them.

    Parameters
    ----------
    parent : QWidget, optional
    """

    step_chosen = Signal(object)  # the Reconstruction of the path that is looked at
    path_layer_requested = Signal()
    grid_layer_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: Samples | None = None
        self._path: tuple[Reconstruction, ...] = ()
        self.drawn = PictureLabel(_DRAWN_PX, "What the decoder draws at this place of the map.")
        self.real = [
            PictureLabel(_REAL_PX, "A real sample near this place.") for _ in range(_N_NEIGHBORS)
        ]
        self.text = QLabel(_HINT)
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.strip = FilmStrip()
        self.strip.chosen.connect(self._choose)
        self.path_layer = text_button(
            "Path as layer",
            "Put the pictures along the path into napari, as a stack with the images' channels.",
            self.path_layer_requested.emit,
        )
        self.grid_layer = text_button(
            "Grid as layer",
            "Draw samples on a grid over the whole map, and put them into napari as one image.",
            self.grid_layer_requested.emit,
        )
        self._lay_out()
        self.show_reconstruction(None)

    def show_samples(self, samples: Samples | None) -> None:
        """Remember whose pictures to show."""
        self._samples = samples
        self.show_reconstruction(None)

    def show_reconstruction(
        self, drawn: Reconstruction | tuple[Reconstruction, ...] | None
    ) -> None:
        """Show a place, a path, or nothing."""
        self._path = drawn if isinstance(drawn, tuple) else ()
        self.strip.show_path(self._path)
        samples = self._samples
        has_pictures = samples is not None and samples.is_image
        self.path_layer.setEnabled(has_pictures and bool(self._path))
        self.grid_layer.setEnabled(has_pictures)
        if self._path:
            self._choose(len(self._path) // 2)
        else:
            self._show(None if isinstance(drawn, tuple) else drawn)

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme."""
        self.strip.set_theme(colors)

    def _choose(self, number: int) -> None:
        self.strip.mark(number)
        self._show(self._path[number])
        self.step_chosen.emit(self._path[number])

    def _show(self, one: Reconstruction | None) -> None:
        samples = self._samples
        if one is None or samples is None:
            self._show_pictures(None, None)
            self.text.setText(_HINT)
            return
        self._show_pictures(one, samples)
        lines = _describe(one, samples)
        if self._path and not samples.is_image:
            lines += values_along(self._path, samples.feature_names, _LARGEST_VALUES)
        self.text.setText("\n".join(lines))

    def _show_pictures(self, one: Reconstruction | None, samples: Samples | None) -> None:
        """The drawn one, and the real ones beside it, where there are pictures."""
        rows = one.neighbor_rows if one and samples and samples.is_image else ()
        self.drawn.setVisible(len(rows) > 0)
        for place, label in enumerate(self.real):
            label.setVisible(place < len(rows))
            if place < len(rows) and one and samples:
                row = int(rows[place])
                label.show_picture(samples.thumbnail(row))
                label.setToolTip(
                    f"{name_of(samples, row)}, {one.neighbor_distances[place]:.3g} map units away"
                )
        if one is not None:
            self.drawn.show_picture(one.picture)

    def _lay_out(self) -> None:
        real = QHBoxLayout()
        real.setSpacing(2)
        for label in self.real:
            real.addWidget(label)
        real.addStretch(1)
        beside = QVBoxLayout()
        beside.addLayout(real)
        beside.addWidget(self.text, 1)
        pictures = QHBoxLayout()
        pictures.addWidget(self.drawn, 0, Qt.AlignmentFlag.AlignTop)
        pictures.addLayout(beside, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(pictures)
        layout.addWidget(self.strip)
        buttons = QHBoxLayout()
        buttons.addWidget(self.path_layer)
        buttons.addWidget(self.grid_layer)
        layout.addLayout(buttons)


def _describe(drawn: Reconstruction, samples: Samples) -> list[str]:
    """What is shown, and how far it is to be trusted."""
    kind = "Drawn by the decoder" if drawn.decoded else "The nearest real sample (no decoder yet)"
    support = f"support {100 * drawn.support:.0f} %"
    if drawn.support < _UNSUPPORTED:
        support += ": far from all data, an extrapolation"
    elif drawn.support < _WELL_SUPPORTED:
        support += ": few samples near"
    lines = [f"{kind}; {support}."]
    if not samples.is_image:
        lines.append(_values(drawn.sample, samples))
        nearest = ", ".join(name_of(samples, int(row)) for row in drawn.neighbor_rows)
        lines.append(f"Nearest: {nearest}.")
    return lines


def _values(sample: Any, samples: Samples) -> str:
    """The features that stand out most, in the units of what is learned."""
    values = np.asarray(sample, dtype=np.float64)
    order = np.argsort(-np.abs(values))[:_LARGEST_VALUES]
    names = samples.feature_names
    return ", ".join(f"{names[k] if k < len(names) else k} {values[k]:.3g}" for k in order)
