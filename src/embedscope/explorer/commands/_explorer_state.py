"""What an explorer holds, what changes when a run reports, and who is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from embedscope._errors import InvalidInputError
from embedscope.explorer.answers._analysis import MapAnalysis
from embedscope.explorer.answers._decoding import Reconstruction
from embedscope.explorer.answers._explained import Explained
from embedscope.explorer.answers._novelty import NOVEL
from embedscope.explorer.answers._queries import MapQueries
from embedscope.explorer.answers._reconstructing import SampleReconstruction
from embedscope.explorer.coloring._coloring import color_samples
from embedscope.explorer.coloring._colors import ColorBy, Coloring
from embedscope.explorer.commands._runs import RunListener, Runs
from embedscope.explorer.marks._events import Embedding, ExplorerEvents, Hovered
from embedscope.explorer.marks._gates import GateSet
from embedscope.explorer.marks._marks import Marks
from embedscope.explorer.marks._selection import Selection
from embedscope.explorer.marks._undo import History
from embedscope.samples import SampleId, Samples
from embedscope.training import (
    Dispatcher,
    Replay,
    Status,
    TrainedMap,
    TrainingParameters,
    TrainingRun,
)

if TYPE_CHECKING:
    from embedscope.explorer.answers._explanation import Explanation
    from embedscope.explorer.session._session_samples import Absence


class ExplorerState:
    """The state of an `Explorer`; its commands are in the classes that build on this one."""

    def __init__(self, parameters: TrainingParameters | None, dispatcher: Dispatcher) -> None:
        self.events = ExplorerEvents()
        self._lock = threading.RLock()
        self._parameters = parameters or TrainingParameters()
        listener = RunListener(
            self._on_status,
            self._on_losses,
            self._on_positions,
            self._on_end,
            self._on_late_result,
        )
        self._runs = Runs(listener, dispatcher, self._guarded)
        self._marks = Marks(self.events)
        self._color_by = ColorBy()
        self._revision = 0
        self._queries = MapQueries()
        self._rng = np.random.default_rng()
        self._clear()
        self.events.gates_changed.connect(self._recolor_for("gate"))
        self.events.selection_changed.connect(self._recolor_for("selection"))

    def _clear(self) -> None:
        """Forget all that belongs to particular samples."""
        self._samples: Samples | None = None
        self._forget_training()
        self._marks.restart(np.zeros(0, dtype=bool), GateSet())
        self._hovered = Hovered()
        self._coloring = Coloring.empty()
        self._reconstruction: Reconstruction | tuple[Reconstruction, ...] | None = None
        self._sample_reconstructions: tuple[SampleReconstruction, ...] = ()
        self._explanation: Explanation | None = None
        self._absences: tuple[Absence, ...] = ()
        self._place(np.empty((0, 2), np.float32), epoch=0, is_final=True)
        self._before_run = self._embedding

    def _forget_training(self) -> None:
        """Forget all that a run has found out about the samples that are shown."""
        self._runs.unwatch()
        n_samples = 0 if self._samples is None else len(self._samples)
        self._model: TrainedMap | None = None
        self._analysis: MapAnalysis | None = None
        self._replay: Replay | None = None
        self._status = Status(run_id=0)
        self._losses: dict[str, list[float]] = {}
        self._in_training = np.zeros(n_samples, dtype=bool)
        self._novelty = np.full(n_samples, np.nan, dtype=np.float32)

    def _take(self, samples: Samples) -> None:
        n_samples = len(samples)
        self._samples = samples
        self._forget_training()
        self._place(np.full((n_samples, 2), np.nan, np.float32), epoch=0, is_final=True)
        self._marks.restart(np.zeros(n_samples, dtype=bool), GateSet())

    def _guarded(self, method: Callable[..., None]) -> Callable[..., None]:
        """A method that holds the lock: what a run reports may come from any thread."""

        def locked(*arguments: Any) -> None:
            with self._lock:
                method(*arguments)

        return locked

    def _recolor_for(self, kind: str) -> Callable[[Any], None]:
        """What is coloured by selection or gates changes with them."""

        def recolor(_: Any) -> None:
            if self._color_by.kind == kind:
                self._recolor_if_possible()

        return recolor

    # -- what is read ------------------------------------------------------------------------------

    @property
    def samples(self) -> Samples | None:
        """What is explored, or None."""
        return self._samples

    @property
    def parameters(self) -> TrainingParameters:
        """Parameters of the next run."""
        return self._parameters

    @property
    def status(self) -> Status:
        """Where the latest run is."""
        return self._status

    @property
    def losses(self) -> Mapping[str, list[float]]:
        """Each loss of the run by name, an entry for each report so far."""
        return self._losses

    @property
    def embedding(self) -> Embedding:
        """The map that is shown: as it is now, or the snapshot that `show_snapshot` chose."""
        return self._shown

    @property
    def in_training(self) -> np.ndarray:
        """Which samples the map was trained on, bool of shape (n_samples,)."""
        return self._in_training

    @property
    def novelty(self) -> np.ndarray:
        """Out-of-distribution score of samples added later, 0..1; NaN for those trained on."""
        return self._novelty

    @property
    def novel(self) -> np.ndarray:
        """Which samples are unlike those trained on, by `novelty`: bool of shape (n_samples,)."""
        return np.asarray(self._novelty >= NOVEL)  # NaN is not

    @property
    def selection(self) -> Selection:
        """The selected samples."""
        return self._marks.selection

    @property
    def selected_ids(self) -> list[SampleId]:
        """Identities of the selected samples."""
        samples = self._samples
        return [] if samples is None else [samples.identities[row] for row in self.selection.rows]

    @property
    def hovered(self) -> Hovered:
        """The sample under the pointer."""
        return self._hovered

    @property
    def color_by(self) -> ColorBy:
        """What the points are coloured by."""
        return self._color_by

    @property
    def coloring(self) -> Coloring:
        """The colour of each sample, and the legend."""
        return self._coloring

    @property
    def gates(self) -> GateSet:
        """The named regions of the map."""
        return self._marks.gates

    @property
    def reconstruction(self) -> Reconstruction | tuple[Reconstruction, ...] | None:
        """What was decoded last: at a point, or along a path."""
        return self._reconstruction

    @property
    def sample_reconstructions(self) -> tuple[SampleReconstruction, ...]:
        """Real samples beside their drawings, as shown last; empty if none are."""
        return self._sample_reconstructions

    @property
    def explained(self) -> Explained | None:
        """How much of unseen samples the decoder explains by the latest losses; None if unknown."""
        return Explained.of_losses(self._losses)

    @property
    def explanation(self) -> Explanation | None:
        """What drives the place of the samples that were last asked about."""
        return self._explanation

    @property
    def history(self) -> History:
        """What can be undone and done again."""
        return self._marks.history

    @property
    def model(self) -> TrainedMap | None:
        """The trained map that is shown, or None before there is one."""
        return self._model

    @property
    def results(self) -> tuple[TrainedMap, ...]:
        """Every map that was trained, of whatever samples; none is lost."""
        return tuple(self._runs.results)

    @property
    def replay(self) -> Replay | None:
        """How the map formed, epoch by epoch."""
        return self._replay

    # -- what a run reports ------------------------------------------------------------------------

    def _on_status(self, status: Status) -> None:
        self._status = status
        self.events.status_changed.emit(status)

    def _on_losses(self, losses: Mapping[str, float]) -> None:
        self._losses = {
            name: [*self._losses.get(name, []), value] for name, value in losses.items()
        }
        self.events.losses_changed.emit(self._losses)

    def _on_positions(self, positions: np.ndarray, epoch: int) -> None:
        self._place(positions, epoch=epoch, is_final=False)
        self._tell_embedding()

    def _on_end(self, run: TrainingRun, status: Status) -> None:
        self._status = status
        try:
            if run.result is not None:
                self._replay = run.replay
                self._show(run.result)
            else:  # nothing was learned: what was there before stands
                self._restore_map()
        finally:  # whoever waits for the end is told, also where a listener of the map has failed
            self.events.status_changed.emit(status)
        self._say(status.message)

    def _restore_map(self) -> None:
        before = self._before_run
        self._place(before.positions, epoch=before.epoch, is_final=True)
        losses = {} if self._model is None else self._model.losses
        self._losses = {name: list(values) for name, values in losses.items()}
        self.events.losses_changed.emit(self._losses)
        self._tell_embedding()

    def _on_late_result(self, result: TrainedMap) -> None:
        self._say(f"The map of {len(result.samples):,} earlier samples is among the results")

    def _show(self, result: TrainedMap) -> None:
        """Make a trained map the one that is shown; its samples are there already."""
        self._model = result
        self._analysis = MapAnalysis(result)
        self._analysis.prepare()
        self._losses = {name: list(values) for name, values in result.losses.items()}
        self._in_training = np.ones(len(result.samples), dtype=bool)
        self._novelty = np.full(len(result.samples), np.nan, dtype=np.float32)
        epoch = max((len(values) for values in self._losses.values()), default=0)
        self._place(result.embedding, epoch=epoch, is_final=True)
        self._before_run = self._embedding  # a run that goes on and learns nothing ends here
        self._forget_answers()
        self.events.losses_changed.emit(self._losses)
        self._tell_embedding()
        self._tell_known()

    # -- for the commands --------------------------------------------------------------------------

    def _place(self, positions: np.ndarray, *, epoch: int, is_final: bool) -> None:
        """Let the samples stand at new positions, and show these."""
        self._embedding = Embedding(self._next_revision(), read_only(positions), epoch, is_final)
        self._shown = self._embedding

    def _next_revision(self) -> int:
        self._revision += 1
        return self._revision

    def _forget_answers(self) -> None:
        """Put away what another map, in other coordinates, was asked."""
        if self._reconstruction is not None:
            self._reconstruction = None
            self.events.reconstruction_changed.emit(None)
        if self._sample_reconstructions:
            self._sample_reconstructions = ()
            self.events.sample_reconstructions_changed.emit(())
        if self._explanation is not None:
            self._explanation = None
            self.events.explanation_changed.emit(None)

    def _tell_embedding(self) -> None:
        """Tell of new positions, and of what follows from them."""
        self.events.embedding_changed.emit(self._shown)
        if len(self.gates):  # their counts are others now
            self.events.gates_changed.emit(self.gates)

    def _tell_nothing_trained(self) -> None:
        """Tell of what a run has found out, after it was forgotten."""
        self.events.status_changed.emit(self._status)
        self.events.losses_changed.emit(self._losses)
        self._tell_known()

    def _tell_known(self) -> None:
        """Tell which samples a run knows, and how it finds the others."""
        self.events.novel_changed.emit(self.novel)
        if self._color_by.kind in ("training", "novelty"):
            self._recolor()

    def _tell_all(self) -> None:
        """Tell of everything, after the samples have changed."""
        events = self.events
        events.samples_changed.emit(self._samples)
        events.status_changed.emit(self._status)
        events.losses_changed.emit(self._losses)
        events.embedding_changed.emit(self._shown)
        events.novel_changed.emit(self.novel)
        self._recolor_if_possible()
        self._marks.tell_all()
        events.hovered_changed.emit(self._hovered)
        events.reconstruction_changed.emit(self._reconstruction)
        events.sample_reconstructions_changed.emit(self._sample_reconstructions)
        events.explanation_changed.emit(self._explanation)

    def _recolor(self) -> None:
        self._show_coloring(self._colored(self._color_by))

    def _show_coloring(self, coloring: Coloring) -> None:
        self._coloring = coloring
        self.events.coloring_changed.emit(coloring)

    def _recolor_if_possible(self) -> None:
        """Colour new samples as those before, or plainly where they lack the feature or gate."""
        try:
            self._recolor()
        except InvalidInputError:
            # Of a gate that is gone, the others are left.
            self._color_by = ColorBy("gate" if self._color_by.kind == "gate" else "none")
            self._recolor()

    def _colored(self, color_by: ColorBy) -> Coloring:
        if self._samples is None:
            return Coloring.empty()
        return color_samples(
            color_by,
            self._samples,
            self._memberships() if color_by.kind == "gate" else {},
            gates=self.gates,
            selected=self._marks.selected,
            in_training=self._in_training,
            novelty=self._novelty,
        )

    def _memberships(self) -> dict[str, np.ndarray]:
        return self._queries.memberships(self._embedding, self.gates)

    def _say(self, text: str) -> None:
        self.events.message_sent.emit(text)

    def _mask(self, rows: Any) -> np.ndarray:
        return self._marks.mask(rows)

    def _need_samples(self) -> Samples:
        if self._samples is None:
            raise InvalidInputError(
                "samples must be there first; got none. Choose an image and labels, a table or an "
                "array."
            )
        return self._samples

    def _need_model(self) -> MapAnalysis:
        if self._analysis is None:
            raise InvalidInputError(
                "A map must be trained first; got none. Train, and wait until it is done, or open "
                "a session."
            )
        return self._analysis


def read_only(positions: np.ndarray) -> np.ndarray:
    view = positions.view()
    view.flags.writeable = False
    return view
