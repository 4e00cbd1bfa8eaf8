"""The sample decoded at a point of the map, beside the nearest real samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from embedscope.explorer import Reconstruction, SampleReconstruction, ViewIntents, names_of_rows
from embedscope.napari_dock.panels._carry_tools import CarryTools
from embedscope.napari_dock.panels._film_strip import FilmStrip, values_along
from embedscope.napari_dock.panels._reconstruction_panel import ReconstructionPanel
from embedscope.napari_dock.panels._turn_slider import TurnSlider
from embedscope.napari_dock.widgets._buttons import text_button
from embedscope.napari_dock.widgets._drawn_text import (
    caption_of,
    caption_of_path,
    describe,
    is_unsupported,
)
from embedscope.napari_dock.widgets._pictures import PictureLabel
from embedscope.napari_dock.widgets._theme import DARK, MapColors, Rgb
from embedscope.samples import Samples

_DRAWN_PX, _SPREAD_PX, _REAL_PX = 92, 72, 40
_N_NEIGHBORS = 5
_MOST_CHANGES = 6
_HINT = "Choose Decode and click or drag on the map, or choose Path and draw a line."
_DRAWN_TIP = "Decoded at this point of the map. It is not a real sample."
_SPREAD_TIP = (
    "Uncertainty of the typical picture at this point: the brighter, the less certain. It is the "
    "deviation of held-out samples, which the decoder was not trained on. The scale is the same "
    "all over the map."
)


class SamplePanel(QWidget):
    """A decoded sample with its nearest real neighbours, or a path of decoded samples.

    Parameters
    ----------
    intents : ViewIntents
    has_style, can_turn : callable
        ``has_style()`` says whether the decoder takes style codes now, ``can_turn()`` whether its
        pictures can be turned.
    parent : QWidget, optional
    """

    step_chosen = Signal(object)  # the Reconstruction of the path that is looked at
    path_layer_requested = Signal()
    grid_layer_requested = Signal()

    def __init__(
        self,
        intents: ViewIntents,
        has_style: Callable[[], bool] = lambda: False,
        can_turn: Callable[[], bool] = lambda: False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._can_turn = can_turn
        self._samples: Samples | None = None
        self._path: tuple[Reconstruction, ...] = ()
        self._number = 0  # of the step of the path that is looked at
        self._colors = DARK
        self.looked_at: Reconstruction | None = None
        self.drawn = PictureLabel(_DRAWN_PX, _DRAWN_TIP)
        self.spread = PictureLabel(_SPREAD_PX, _SPREAD_TIP)
        self.how_sure = QLabel("how sure")
        self.how_sure.setToolTip(_SPREAD_TIP)
        self.real = [
            PictureLabel(_REAL_PX, "A real sample near this point.") for _ in range(_N_NEIGHBORS)
        ]
        self.caption = QLabel()
        self.text = QLabel(_HINT)
        self.nearest = QLabel("Nearest real samples")
        self.nearest.setToolTip("Real samples near this point, the nearest first.")
        self.of_strip = QLabel()
        self.strip = FilmStrip()
        self.strip.chosen.connect(self._choose)
        self.turning = TurnSlider()
        self.carrying = CarryTools(has_style)
        self.reconstructions = ReconstructionPanel(
            intents.sample_reconstructions_clearing_requested.emit
        )
        self.path_layer = text_button(
            "Path as layer",
            "Add the pictures along the path to napari, as a stack with the images' channels.",
            self.path_layer_requested.emit,
        )
        self.grid_layer = text_button(
            "Grid as layer",
            "Decode the typical samples on a grid over the whole map, and add them to napari as "
            "one image.",
            self.grid_layer_requested.emit,
        )
        self._lay_out()
        self.show_reconstruction(None)

    @property
    def path(self) -> tuple[Reconstruction, ...]:
        """The steps of the path that is shown; empty for a single sample."""
        return self._path

    @property
    def shows_path(self) -> bool:
        """Whether a path is shown; `looked_at` is one of its steps."""
        return bool(self._path)

    @property
    def angle(self) -> float:
        """Degrees by which decoded pictures are turned; 0 if they cannot be."""
        return self.turning.angle if self._can_turn() else 0.0

    def show_samples(self, samples: Samples | None) -> None:
        """Take the samples whose pictures are shown."""
        self._samples = samples
        self.carrying.show_samples(samples)
        self.show_reconstruction(None)
        self.show_sample_reconstructions(())

    def show_reconstruction(
        self, drawn: Reconstruction | tuple[Reconstruction, ...] | None
    ) -> None:
        """Show one decoded sample, a path, or nothing."""
        before = self._path, self._number
        self._path = drawn if isinstance(drawn, tuple) else ()
        self.strip.show_path(self._path)
        samples = self._samples
        has_pictures = samples is not None and samples.is_image
        self.of_strip.setVisible(bool(self.strip.steps))
        if self._path and samples is not None:
            self.of_strip.setText(f"Shown: {caption_of_path(self._path, samples)}")
        self.path_layer.setEnabled(has_pictures and bool(self._path))
        self.grid_layer.setEnabled(has_pictures)
        if self._path:
            number = before[1] if _are_same_places(before[0], self._path) else len(self._path) // 2
            self._choose(number)
        else:
            self._show(None if isinstance(drawn, tuple) else drawn)

    def show_sample_reconstructions(self, shown: tuple[SampleReconstruction, ...]) -> None:
        """Show real samples beside their reconstructions, or nothing."""
        self.reconstructions.show_samples(self._samples, shown)

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme."""
        self._colors = colors
        self.strip.set_theme(colors)
        self.carrying.text.setStyleSheet(_in_color(colors.accent))
        self._paint_text()

    def _choose(self, number: int) -> None:
        self._number = number
        self.strip.mark(number)
        self._show(self._path[number])
        self.step_chosen.emit(self._path[number])

    def _show(self, one: Reconstruction | None) -> None:
        samples = self._samples
        self.looked_at = one if samples is not None else None
        self.carrying.show_place(self.looked_at is not None)
        self.turning.setVisible(self.looked_at is not None and self._can_turn())
        self.caption.setVisible(self.looked_at is not None)
        self._paint_text()
        if one is None or samples is None:
            self._show_pictures(None, None)
            self.text.setText(_HINT)
            return
        self._show_pictures(one, samples)
        self.caption.setText(caption_of(one, samples))
        lines = describe(one, samples)
        if self._path and not samples.is_image:
            lines += values_along(self._path, samples.feature_names, _MOST_CHANGES)
        self.text.setText("\n".join(lines))

    def _paint_text(self) -> None:
        """Show the text in the accent colour where no sample supports the decoded one."""
        is_guess = self.looked_at is not None and is_unsupported(self.looked_at)
        self.text.setStyleSheet(_in_color(self._colors.accent) if is_guess else "")

    def _show_pictures(self, one: Reconstruction | None, samples: Samples | None) -> None:
        """Show the decoded picture, its uncertainty and the real samples."""
        rows = one.neighbor_rows if one and samples and samples.is_image else ()
        self.drawn.setVisible(len(rows) > 0)
        self.nearest.setVisible(len(rows) > 0)
        for place, label in enumerate(self.real):
            label.setVisible(place < len(rows))
            if place < len(rows) and one and samples:
                row = int(rows[place])
                label.show_picture(samples.thumbnail(row))
                (name,), away = names_of_rows(samples, [row]), one.neighbor_distances[place]
                label.setToolTip(f"A real sample: {name}, {away:.3g} map units away")
        spread = None if one is None else one.spread_picture
        for part in (self.spread, self.how_sure):
            part.setVisible(spread is not None)
        self.spread.show_picture(spread)
        if one is not None:
            self.drawn.show_picture(one.picture)

    def _lay_out(self) -> None:
        bold = self.caption.font()
        bold.setBold(True)
        self.caption.setFont(bold)
        self.nearest.setWordWrap(True)
        self.of_strip.setWordWrap(True)
        for label in (self.caption, self.text):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        top, middle = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignHCenter
        sureness = QVBoxLayout()
        sureness.setSpacing(2)
        sureness.addWidget(self.spread)
        sureness.addWidget(self.how_sure, 0, middle)
        sureness.addStretch(1)
        said = QVBoxLayout()
        said.addWidget(self.caption)
        said.addWidget(self.text)
        said.addStretch(1)
        pictures = QHBoxLayout()
        pictures.addWidget(self.drawn, 0, top)
        pictures.addLayout(sureness)
        pictures.addLayout(said, 1)
        real = QHBoxLayout()
        real.setSpacing(2)
        real.addWidget(self.nearest)
        for label in self.real:
            real.addWidget(label)
        real.addStretch(1)
        layers = QHBoxLayout()
        layers.addWidget(self.path_layer)
        layers.addWidget(self.grid_layer)
        layout = QVBoxLayout(self)
        layout.addLayout(pictures)
        layout.addWidget(self.turning)
        layout.addLayout(real)
        layout.addWidget(self.of_strip)
        layout.addWidget(self.strip)
        layout.addWidget(self.carrying)
        layout.addWidget(self.reconstructions)
        layout.addLayout(layers)
        layout.addStretch(1)


def _are_same_places(one: Sequence[Reconstruction], other: Sequence[Reconstruction]) -> bool:
    """Whether two paths lead along the same points: one is the other, turned."""
    return len(one) == len(other) and all(
        np.allclose(a.point, b.point) for a, b in zip(one, other, strict=True)
    )


def _in_color(color: Rgb) -> str:
    return f"color: rgb({','.join(map(str, color))})"
