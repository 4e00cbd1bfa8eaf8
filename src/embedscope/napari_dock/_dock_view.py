"""The view of an explorer that the dock shows: setters in, intents out, no layers and no viewer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from psygnal import Signal
from qtpy.QtWidgets import QLabel, QTabWidget, QVBoxLayout, QWidget

from embedscope.explorer import (
    ColorBy,
    Coloring,
    Embedding,
    Explained,
    Explanation,
    GateSet,
    History,
    Hovered,
    Reconstruction,
    SampleReconstruction,
    Selection,
    ViewIntents,
)
from embedscope.napari_dock._dock_keys import bind_keys
from embedscope.napari_dock.map._gestures import Tool
from embedscope.napari_dock.map._map_container import MapContainer
from embedscope.napari_dock.map._map_intents import MapIntents
from embedscope.napari_dock.map._map_marks import MapMarks
from embedscope.napari_dock.map._map_panel import MapPanel
from embedscope.napari_dock.panels._form import ParameterForm
from embedscope.napari_dock.panels._gates_panel import GatesPanel
from embedscope.napari_dock.panels._hover_card import HoverCard
from embedscope.napari_dock.panels._loss_plot import LossPlot
from embedscope.napari_dock.panels._reconstruction_panel import N_MOST
from embedscope.napari_dock.panels._sample_panel import SamplePanel
from embedscope.napari_dock.panels._source_note import LEARNED, SourceNote
from embedscope.napari_dock.panels._train_panel import TrainPanel
from embedscope.napari_dock.panels._why_panel import WhyPanel
from embedscope.napari_dock.widgets._sections import Sections, set_margins
from embedscope.napari_dock.widgets._theme import DARK, MapColors
from embedscope.samples import SampleId, Samples
from embedscope.training import Phase, Replay, Status, TrainingParameters

if TYPE_CHECKING:
    import pandas as pd

_MOST_POINTS = 2000  # of a large map, looked at to find a free area for the card
_EXPLAINED_TIP = (
    "Measured on held-out samples, which the decoder has never seen: how much of their difference "
    "from the mean sample it decodes, from the position alone, and with their own style code."
)


class DockView(QWidget):
    """Parameters, training, map, gates and samples, top to bottom.

    Parameters
    ----------
    color_by : callable
        ``color_by()`` gives the explorer's current `ColorBy`.
    prepare : callable
        ``prepare(go_on)`` cuts the samples of the chosen layers if needed, then calls ``go_on()``.
    has_style, can_turn : callable
        ``has_style()`` returns whether the decoder takes style codes now, ``can_turn()`` whether
        its pictures can be turned.
    parent : QWidget, optional
    """

    visited = Signal(int)  # row of the sample to go to

    def __init__(
        self,
        color_by: Callable[[], ColorBy] = ColorBy,
        prepare: Callable[[Callable[[], None]], None] = lambda go_on: go_on(),
        has_style: Callable[[], bool] = lambda: False,
        can_turn: Callable[[], bool] = lambda: False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._intents = ViewIntents()
        self._color_by = color_by
        self._samples: Samples | None = None
        self._tab_before: QWidget | None = None  # the tab shown before the losses
        self.sections = Sections()
        self.message, self.scroll_area = self.sections.message, self.sections.scroll_area
        self.add_section, self.add_footer = self.sections.add_section, self.sections.add_footer
        self.form = ParameterForm()
        self.train_panel = TrainPanel(self._intents, prepare)
        self.loss_plot = LossPlot()
        self.source_note = SourceNote()
        self.explained = QLabel()
        self.map_panel = MapPanel(self._intents)
        self.map_container = MapContainer(self.map_panel)
        self.canvas = self.map_panel.canvas
        self.marks = MapMarks(self.canvas)
        self._map_intents = MapIntents(
            self.canvas, self.marks, self._intents, lambda: self.sample_panel.angle
        )
        self.card = HoverCard(self.canvas.native)
        self.gates_panel = GatesPanel(self._intents)
        self.sample_panel = SamplePanel(self._intents, has_style, can_turn)
        self.why_panel = WhyPanel()
        self._lay_out()
        self._connect_map()
        self._connect_panels()
        self.set_theme(DARK)

    @property
    def intents(self) -> ViewIntents:
        """Signals for the user's intents."""
        return self._intents

    @property
    def hovered_row(self) -> int | None:
        """Row of the sample that is shown as hovered."""
        return self.marks.hovered_row

    # -- setters of the view contract ------------------------------------------------------------

    def show_samples(self, samples: Samples | None) -> None:
        """Show these samples, or None."""
        self._samples = samples
        self.map_panel.show_samples(samples)
        self.sample_panel.show_samples(samples)
        self.card.hide()

    def show_parameters(self, parameters: TrainingParameters) -> None:
        """Put the values of `TrainingParameters` into the form."""
        self.form.show_parameters(parameters)

    def show_status(self, status: Status) -> None:
        """Show the phase and progress of the training run."""
        if status.phase is Phase.FITTING and self._tab_before is None:
            self._tab_before = self.tabs.currentWidget()
            self.tabs.setCurrentWidget(self.learned)
        elif status.phase.is_finished and self._tab_before is not None:
            if self.tabs.currentWidget() is self.learned:
                self.tabs.setCurrentWidget(self._tab_before)
            self._tab_before = None
        self.train_panel.show_status(status)
        self.sample_panel.carrying.show_at_work(status.phase.is_at_work)

    def show_losses(self, losses: Mapping[str, Sequence[float]]) -> None:
        """Draw the curves, a mapping of name to values, and show a summary line."""
        self.loss_plot.show_losses(losses)
        self.loss_plot.setVisible(bool(self.loss_plot.losses))
        explained = Explained.of_losses(losses)
        self.explained.setVisible(explained is not None)
        self.explained.setText("" if explained is None else f"The decoder {explained.text}.")

    def show_embedding(self, embedding: Embedding) -> None:
        """Move the points."""
        self.canvas.map_view.set_positions(embedding.positions)
        self.marks.move_to(embedding.positions)
        self.sample_panel.carrying.show_positions(embedding.positions)
        self.map_panel.show_placed(bool(np.isfinite(embedding.positions).any()))

    def show_coloring(self, coloring: Coloring) -> None:
        """Colour the points, and show the legend."""
        self.map_panel.show_coloring(self._color_by(), coloring)

    def show_novel(self, novel: npt.NDArray[np.bool_]) -> None:
        """Mark the samples that are unlike those trained on, bool of shape (n_samples,)."""
        self.map_panel.show_novel(np.flatnonzero(novel))

    def show_selection(self, selection: Selection) -> None:
        """Mark the selected samples."""
        self.marks.keep_lasso(None)
        self.canvas.map_view.points.set_selected(selection.rows)
        self.map_panel.points_menu.show_selection(selection.rows)
        self.sample_panel.carrying.show_selection(selection.rows)
        self.map_panel.show_count(len(selection.rows), len(self.canvas.map_view.points.positions))

    def show_hovered(self, hovered: Hovered) -> None:
        """Mark the sample under the pointer."""
        self.marks.show_hovered(hovered.row)
        avoided = None if hovered.row is None else self._not_to_be_covered(hovered.row)
        self.card.show_sample(self._samples, hovered.row, self._color_by().name, avoided)

    def show_gates(self, gates: GateSet, counts: pd.DataFrame) -> None:
        """Draw the gates and list how many samples each holds."""
        self.gates_panel.show_gates(gates, counts)
        self.why_panel.show_gates(gates)
        self.marks.show_gates(gates, self.gates_panel.active)

    def show_reconstruction(
        self, reconstruction: Reconstruction | tuple[Reconstruction, ...] | None
    ) -> None:
        """Show what the decoder gives: one `Reconstruction`, a tuple along a path, or None."""
        self.marks.show_reconstruction(reconstruction)
        self.sample_panel.show_reconstruction(reconstruction)

    def show_sample_reconstructions(
        self, reconstructions: tuple[SampleReconstruction, ...]
    ) -> None:
        """Show real samples beside their reconstructions, or () for none."""
        self.sample_panel.show_sample_reconstructions(reconstructions)
        if reconstructions:
            self.tabs.setCurrentWidget(self.sample_panel)
            self.sections.reveal(self.sample_panel.reconstructions)

    def show_explanation(self, explanation: Explanation | None) -> None:
        """Show what drives the position of the selection, or None."""
        self.why_panel.show_explanation(explanation)

    def show_history(self, history: History) -> None:
        """Show what can be undone and redone."""
        self.gates_panel.show_history(history)

    def show_message(self, text: str) -> None:
        """Show in one line what was done."""
        self.sections.say(text, self._colors.muted)

    def show_error(self, error: Exception) -> None:
        """Show what is wrong and what to do; nothing was changed."""
        self.sections.say(str(error), self._colors.accent)

    # -- beyond the contract ---------------------------------------------------------------------

    def show_replay(self, replay: Replay | None) -> None:
        """Offer the snapshots of a run."""
        epochs = () if replay is None else replay.epochs
        self.map_panel.show_replay(len(epochs), epochs)

    def set_theme(self, colors: MapColors) -> None:
        """Draw in the colours of a theme."""
        self._colors = colors
        for part in (
            self.canvas,
            self.loss_plot,
            self.card,
            self.map_panel,
            self.gates_panel,
            self.sample_panel,
            self.source_note,
        ):
            part.set_theme(colors)

    # -- helpers ---------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self.parameters = self.add_section(
            0, "Parameters", self.form, tooltip="How the map is trained."
        )
        self.learned = QWidget()
        learned = QVBoxLayout(self.learned)
        for part in (self.loss_plot, self.explained):
            learned.addWidget(part)
        learned.addStretch(1)
        self.tabs = QTabWidget()
        for title, panel, tooltip in (
            ("Sample", self.sample_panel, "The sample decoded at a point of the map."),
            ("Gates", self.gates_panel, "Named regions of the map."),
            (
                "Why here",
                self.why_panel,
                "What drives the position of the selection, or of a gate.",
            ),
            ("Losses", self.learned, "The losses of the training run."),
        ):
            self.tabs.setTabToolTip(self.tabs.addTab(panel, title), tooltip)
            set_margins(panel, 6)
        self.loss_plot.setVisible(False)
        self.explained.setVisible(False)
        self.explained.setWordWrap(True)
        self.explained.setToolTip(_EXPLAINED_TIP)
        self.sections.add_header(self.train_panel)
        set_margins(self.train_panel, 8)
        self.sections.add(self.map_container, 1)
        self.sections.add_footer(self.source_note)
        self.sections.add(self.tabs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.sections)

    def _connect_map(self) -> None:
        panel, intents, map_intents = self.map_panel, self._intents, self._map_intents
        map_intents.visited.connect(self.visited.emit)
        map_intents.decoding_requested.connect(
            lambda: self.tabs.setCurrentWidget(self.sample_panel)
        )
        map_intents.gate_requested.connect(self._show_new_gate)
        self.marks.lasso_changed.connect(panel.show_lasso)
        panel.pop_requested.connect(self.map_container.toggle)
        panel.keep_requested.connect(map_intents.keep_lasso)
        self.map_container.moved.connect(panel.show_popped)
        self.sample_panel.step_chosen.connect(self.marks.show_place)
        map_intents.cleared.connect(self.sample_panel.carrying.drop)
        for widget in (self, self.map_container.window_of_map):
            bind_keys(
                widget,
                map_intents.escape,
                intents.undo_requested.emit,
                intents.redo_requested.emit,
            )

    def _connect_panels(self) -> None:
        self.form.changed.connect(self._intents.parameters_requested.emit)
        self.gates_panel.activated.connect(self.marks.activate)
        self.why_panel.requested.connect(self._ask_why)
        self.source_note.learned_requested.connect(self._ask_for_learned)
        self._connect_sample_panel()

    def _connect_sample_panel(self) -> None:
        carrying = self.sample_panel.carrying
        self.sample_panel.turning.turned.connect(self._turn)
        carrying.carried_changed.connect(self._remember_carried)
        carrying.picked_up.connect(self._begin_to_carry)
        carrying.released.connect(self._decode_again)
        carrying.another_requested.connect(self._ask_for_another)
        carrying.reconstruct_requested.connect(self._ask_to_reconstruct)

    def _not_to_be_covered(self, row: int) -> npt.NDArray[np.float64]:
        """Pixels that the card should not cover: the sample, gate names and some points."""
        positions = self.canvas.map_view.points.positions
        if row >= len(positions):
            return np.zeros((0, 2))
        some = positions[:: 1 + len(positions) // _MOST_POINTS]
        places = np.concatenate([positions[[row]], some]).astype(np.float64)
        pixels = self.canvas.map_view.to_pixels(places[np.isfinite(places).all(axis=1)])
        return np.concatenate([pixels, self.canvas.overlay.name_places()])

    def _remember_carried(self, sample: SampleId | None) -> None:
        self._map_intents.carried = sample

    def _begin_to_carry(self, place: npt.NDArray[np.float64]) -> None:
        """Decode at the sample's own position; select the Decode tool unless Path is selected."""
        if not self.map_panel.tools[Tool.PATH].isChecked():
            self.map_panel.tools[Tool.DECODE].click()
        self._map_intents.request_decoding(place)

    def _decode_again(self) -> None:
        """Decode the typical sample at the position where the carried one was decoded."""
        looked_at = self.sample_panel.looked_at
        if looked_at is not None and not self.sample_panel.shows_path:
            self._map_intents.request_decoding(looked_at.point)

    def _turn(self) -> None:
        """Decode what is shown again, turned by the angle that the user has chosen."""
        panel, intents = self.sample_panel, self._intents
        if panel.path:
            points = np.array([step.point for step in panel.path])
            whose = panel.path[0].style_of
            intents.turned_path_requested.emit(points, len(points), whose, panel.angle)
        elif panel.looked_at is not None:
            shown = panel.looked_at
            intents.turned_decode_requested.emit(shown.point, shown.style_of, panel.angle)

    def _ask_for_another(self) -> None:
        looked_at = self.sample_panel.looked_at
        if looked_at is not None:
            angle = self.sample_panel.angle
            if angle:
                self._intents.turned_decode_requested.emit(looked_at.point, "random", angle)
            else:
                self._intents.styled_decode_requested.emit(looked_at.point, "random")

    def _ask_to_reconstruct(self) -> None:
        self.show_message("Reconstructing the selected samples…")
        self._intents.sample_reconstructions_requested.emit(N_MOST)

    def _show_new_gate(self) -> None:
        """Show the list of gates and choose the new one, so that its corners can be dragged."""
        self.tabs.setCurrentWidget(self.gates_panel)
        self.gates_panel.choose_last()

    def _ask_for_learned(self) -> None:
        self._intents.parameters_requested.emit({"alike": LEARNED})
        self.show_message("What is alike is set to learned. Press Train for a new map.")

    def _ask_why(self, gate: str) -> None:
        self.show_message("Computing what drives their position…")
        if gate:
            self._intents.gate_explanation_requested.emit(gate)
        else:
            self._intents.explanation_requested.emit()
