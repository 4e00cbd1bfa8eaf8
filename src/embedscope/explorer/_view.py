"""What a front end is to an explorer: setters that show values, and signals for what people want.

A setter never changes the explorer and never fires an intent; an intent never changes the view. The
`Presenter` carries both across. Every front end passes the same tests, the view contract.
"""

from __future__ import annotations

from typing import Any, Protocol

from psygnal import Signal, SignalGroup


class ViewIntents(SignalGroup):
    """What a person asks for at a front end.

    ``mode`` is one of `MODES`: "replace", "add", "subtract" or "invert". Points are map
    coordinates; rows are those of the samples that were last shown.
    """

    parameters_requested = Signal(dict)  # the values that change, by name
    train_requested = Signal()
    pause_requested = Signal()
    resume_requested = Signal()
    stop_requested = Signal()

    polygon_selection_requested = Signal(object, str)  # points (k, 2), mode
    rectangle_selection_requested = Signal(object, object, str)  # two corners, mode
    nearest_selection_requested = Signal(object, float, str)  # point, farthest distance, mode
    rows_selection_requested = Signal(object, str)  # rows, mode
    gate_selection_requested = Signal(str, str)  # name, mode
    clear_selection_requested = Signal()
    invert_selection_requested = Signal()
    hover_requested = Signal(object)  # row or None

    undo_requested = Signal()
    redo_requested = Signal()
    gate_requested = Signal(object, object, object)  # polygon; name and colour, or None
    combined_gate_requested = Signal(str, list, object)  # operation, members; name or None
    gate_edit_requested = Signal(str, dict)  # name; polygon, color or name that change
    gate_removal_requested = Signal(str)

    color_requested = Signal(object)  # ColorBy
    decode_requested = Signal(object)  # point
    path_requested = Signal(object, int)  # points (k, 2), number of pictures
    styled_decode_requested = Signal(object, object)  # point; SampleId, "random" or None
    styled_path_requested = Signal(object, int, object)  # points, pictures; SampleId or None
    reconstruction_clearing_requested = Signal()
    sample_reconstructions_requested = Signal(int)  # of the selection; at most so many
    sample_reconstructions_clearing_requested = Signal()
    explanation_requested = Signal()  # of the selection
    gate_explanation_requested = Signal(str)  # name
    replay_requested = Signal(int)  # number of the snapshot; -1 for the present


class ExplorerView(Protocol):
    """A front end.

    Setters may be called at any time after `Presenter` is made, from the thread that the explorer's
    dispatcher leads to.
    """

    @property
    def intents(self) -> ViewIntents:
        """What the person at this view asks for."""

    def show_samples(self, samples: Any) -> None:
        """Show these samples, or None."""

    def show_parameters(self, parameters: Any) -> None:
        """Put the values of `TrainingParameters` into the form."""

    def show_status(self, status: Any) -> None:
        """Show where the training run is."""

    def show_losses(self, losses: Any) -> None:
        """Draw the curves, a mapping of name to values; `Explained.of_losses` sums them up."""

    def show_embedding(self, embedding: Any) -> None:
        """Move the points."""

    def show_coloring(self, coloring: Any) -> None:
        """Colour the points, and show the legend."""

    def show_novel(self, novel: Any) -> None:
        """Mark the samples that are unlike those trained on, bool of shape (n_samples,)."""

    def show_selection(self, selection: Any) -> None:
        """Mark the selected samples."""

    def show_hovered(self, hovered: Any) -> None:
        """Mark the sample under the pointer."""

    def show_gates(self, gates: Any, counts: Any) -> None:
        """Draw the gates and list how many samples each holds."""

    def show_reconstruction(self, reconstruction: Any) -> None:
        """Draw what the decoder gives: one `Reconstruction`, a tuple along a path, or None."""

    def show_sample_reconstructions(self, reconstructions: Any) -> None:
        """Show real samples beside their drawings: a tuple of `SampleReconstruction`, or ()."""

    def show_explanation(self, explanation: Any) -> None:
        """Show what drives the place of the selection, or None."""

    def show_history(self, history: Any) -> None:
        """Say what can be undone and done again."""

    def show_message(self, text: str) -> None:
        """Say in one line what was done."""

    def show_error(self, error: Exception) -> None:
        """Say what is wrong and what to do; nothing was changed."""
