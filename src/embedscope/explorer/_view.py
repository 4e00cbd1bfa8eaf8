"""The interface of a front end: setters that show values, and intents, signals of what users want.

A setter never changes the explorer and never emits an intent; an intent never changes the view. The
`Presenter` connects both to the explorer. Every front end passes the same tests, the view contract.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
from psygnal import Signal, SignalGroup

from embedscope.explorer.answers._decoding import Reconstruction
from embedscope.explorer.answers._reconstructing import SampleReconstruction
from embedscope.explorer.coloring._colors import Coloring
from embedscope.explorer.marks._events import Embedding, Hovered
from embedscope.explorer.marks._gates import GateSet
from embedscope.explorer.marks._selection import Selection
from embedscope.explorer.marks._undo import History
from embedscope.samples import Samples
from embedscope.training import Status, TrainingParameters

if TYPE_CHECKING:
    import pandas as pd

    from embedscope.explorer.answers._explanation import Explanation


class ViewIntents(SignalGroup):
    """What a user asks the explorer for, in a front end.

    ``mode`` is one of `MODES`: "replace", "add", "subtract" or "invert". Points are map
    coordinates; rows are those of the samples that were last shown.
    """

    parameters_requested = Signal(dict)  # the values that change, by name
    train_requested = Signal()
    train_from_requested = Signal(list)  # names of columns; [] for what the samples show
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
    turned_decode_requested = Signal(object, object, float)  # the same, and degrees
    turned_path_requested = Signal(object, int, object, float)
    reconstruction_clearing_requested = Signal()
    sample_reconstructions_requested = Signal(int)  # of the selection; how many at most
    sample_reconstructions_clearing_requested = Signal()
    explanation_requested = Signal()  # of the selection
    gate_explanation_requested = Signal(str)  # name
    replay_requested = Signal(int)  # number of the snapshot; -1 for the present


class ExplorerView(Protocol):
    """A front end.

    From the creation of its `Presenter` on, setters may be called at any time, in the thread in
    which the explorer's dispatcher runs callbacks.
    """

    @property
    def intents(self) -> ViewIntents:
        """The intents of the user of this view."""

    def show_samples(self, samples: Samples | None) -> None:
        """Show these samples, or None."""

    def show_parameters(self, parameters: TrainingParameters) -> None:
        """Show the parameters in the form."""

    def show_status(self, status: Status) -> None:
        """Show where the training run is."""

    def show_losses(self, losses: Mapping[str, Sequence[float]]) -> None:
        """Plot the losses, by name; `Explained.of_losses` sums them up."""

    def show_embedding(self, embedding: Embedding) -> None:
        """Move the points."""

    def show_coloring(self, coloring: Coloring) -> None:
        """Colour the points, and show the legend."""

    def show_novel(self, novel: npt.NDArray[np.bool_]) -> None:
        """Mark the samples that are unlike those trained on, bool of shape (n_samples,)."""

    def show_selection(self, selection: Selection) -> None:
        """Highlight the selected samples."""

    def show_hovered(self, hovered: Hovered) -> None:
        """Highlight the sample under the pointer."""

    def show_gates(self, gates: GateSet, counts: pd.DataFrame) -> None:
        """Draw the gates and list how many samples each holds."""

    def show_reconstruction(
        self, reconstruction: Reconstruction | tuple[Reconstruction, ...] | None
    ) -> None:
        """Show decoded samples: one `Reconstruction`, a tuple along a path, or None."""

    def show_sample_reconstructions(
        self, reconstructions: tuple[SampleReconstruction, ...]
    ) -> None:
        """Show real samples beside their reconstructions; may be empty."""

    def show_explanation(self, explanation: Explanation | None) -> None:
        """Show what drives the positions of the selected samples, or None."""

    def show_history(self, history: History) -> None:
        """Show what can be undone and redone."""

    def show_message(self, text: str) -> None:
        """Show one line about what was done."""

    def show_error(self, error: Exception) -> None:
        """Show what is wrong and what to do; nothing has changed."""
