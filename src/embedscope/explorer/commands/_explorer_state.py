"""The state of an explorer, the one function that replaces it, and the callbacks of a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import EmitLoopError

from embedscope._errors import InvalidInputError
from embedscope.explorer.answers._analysis import MapAnalysis
from embedscope.explorer.answers._decoding import Reconstruction
from embedscope.explorer.answers._explained import Explained
from embedscope.explorer.answers._novelty import NOVEL
from embedscope.explorer.answers._queries import MapQueries
from embedscope.explorer.answers._reconstructing import SampleReconstruction
from embedscope.explorer.coloring._coloring import color_samples
from embedscope.explorer.coloring._colors import ColorBy, Coloring
from embedscope.explorer.commands._map_state import MapState, copied, embedding_at
from embedscope.explorer.commands._runs import RunListener, Runs
from embedscope.explorer.marks._events import Embedding, ExplorerEvents, Hovered
from embedscope.explorer.marks._gates import GateSet
from embedscope.explorer.marks._selection import Selection
from embedscope.explorer.marks._undo import History
from embedscope.samples import SampleId, Samples
from embedscope.training import (
    Dispatcher,
    Replay,
    SourceTold,
    Status,
    TrainedMap,
    TrainingParameters,
    TrainingRun,
)

if TYPE_CHECKING:
    from embedscope.explorer.answers._explanation import Explanation

# Each signal, and its part of the state. A signal is emitted if its part is another object, in this
# order: the status comes last, so that views show the map of a run before its end.
_SIGNALS: tuple[tuple[str, Callable[[MapState], Any]], ...] = (
    ("parameters_changed", lambda state: state.parameters),
    ("samples_changed", lambda state: state.samples),
    ("losses_changed", lambda state: state.losses),
    ("embedding_changed", lambda state: state.shown),
    ("novel_changed", lambda state: state.novelty),
    ("coloring_changed", lambda state: state.coloring),
    ("gates_changed", lambda state: state.marks.gates),
    ("selection_changed", lambda state: state.marks.selection),
    ("history_changed", lambda state: state.marks.steps),
    ("hovered_changed", lambda state: state.hovered),
    ("reconstruction_changed", lambda state: state.reconstruction),
    ("sample_reconstructions_changed", lambda state: state.sample_reconstructions),
    ("explanation_changed", lambda state: state.explanation),
    ("status_changed", lambda state: state.status),
)


class ExplorerState:
    """Holds the state of an `Explorer`; its commands are in the classes that build on this one."""

    def __init__(self, parameters: TrainingParameters | None, dispatcher: Dispatcher) -> None:
        self.events = ExplorerEvents()
        self._lock = threading.RLock()
        listener = RunListener(
            self._on_status,
            self._on_losses,
            self._on_positions,
            self._on_end,
            self._on_late_result,
        )
        self._runs = Runs(listener, dispatcher, self._guarded)
        self._queries = MapQueries()
        self._rng = np.random.default_rng()
        self._state = self._colored(
            MapState.of(None, parameters or TrainingParameters(), ColorBy())
        )

    def _guarded(self, method: Callable[..., None]) -> Callable[..., None]:
        """The method with the lock held: reports of a run may come from any thread."""

        def locked(*arguments: Any) -> None:
            with self._lock:
                method(*arguments)

        return locked

    # -- the one place where the state changes -----------------------------------------------------

    def _become(self, state: MapState) -> None:
        """Replace the state, and emit the signals of all that differs.

        The colours are computed again if what they depend on has changed. If the samples change,
        all signals but `parameters_changed` are emitted. If a listener fails, psygnal skips the
        later listeners of the same signal; all other signals are still emitted, and the first error
        is raised at the end.
        """
        if _differ(state.color_key, state.colored_for):
            state = self._colored_if_possible(state)
        before, self._state = self._state, state
        failures: list[EmitLoopError] = []
        for name in _changed(state, before):
            try:
                # The present value: a listener may have issued a command meanwhile.
                getattr(self.events, name).emit(getattr(self, name.removesuffix("_changed")))
            except EmitLoopError as failure:
                failures.append(failure)
        if failures:
            raise failures[0]

    def _change(self, **changes: Any) -> None:
        """Replace some fields of the state."""
        self._become(replace(self._state, **changes))

    def _colored_if_possible(self, state: MapState) -> MapState:
        """Keep the choice of colours, or use a plain one if its feature or gate is missing."""
        try:
            return self._colored(state)
        except InvalidInputError:
            # If one gate is gone, the other gates still give colours.
            plain = ColorBy("gate" if state.color_by.kind == "gate" else "none")
            return self._colored(replace(state, color_by=plain))

    def _colored(self, state: MapState) -> MapState:
        if state.samples is None:
            return replace(state, coloring=Coloring.empty(), colored_for=state.color_key)
        is_by_gate = state.color_by.kind == "gate"
        coloring = color_samples(
            state.color_by,
            state.samples,
            self._queries.memberships(state.embedding, state.marks.gates) if is_by_gate else {},
            gates=state.marks.gates,
            selected=state.marks.selected,
            in_training=state.in_training,
            novelty=state.novelty,
        )
        return replace(state, coloring=coloring, colored_for=state.color_key)

    # -- the state, read --------------------------------------------------------------------------

    @property
    def samples(self) -> Samples | None:
        """The explored samples, or None."""
        return self._state.samples

    @property
    def parameters(self) -> TrainingParameters:
        """Parameters of the next run."""
        return self._state.parameters

    @property
    def status(self) -> Status:
        """Status of the latest run."""
        return self._state.status

    @property
    def losses(self) -> Mapping[str, list[float]]:
        """The history of each loss of the run, by name: one entry per report."""
        return self._state.losses

    @property
    def embedding(self) -> Embedding:
        """The positions that are shown: the present ones, or those of `show_snapshot`."""
        return self._state.shown

    @property
    def in_training(self) -> np.ndarray:
        """Which samples the map was trained on, bool of shape (n_samples,)."""
        return self._state.in_training

    @property
    def novelty(self) -> np.ndarray:
        """Out-of-distribution score of samples added later, 0..1; NaN for those trained on."""
        return self._state.novelty

    @property
    def novel(self) -> np.ndarray:
        """Which samples are unlike the training samples: bool of shape (n_samples,)."""
        return np.asarray(self._state.novelty >= NOVEL)  # NaN is not

    @property
    def selection(self) -> Selection:
        """The selected samples."""
        return self._state.marks.selection

    @property
    def selected_ids(self) -> list[SampleId]:
        """Identities of the selected samples."""
        state = self._state
        if state.samples is None:
            return []
        return [state.samples.identities[row] for row in state.marks.selection.rows]

    @property
    def hovered(self) -> Hovered:
        """The sample under the pointer."""
        return self._state.hovered

    @property
    def color_by(self) -> ColorBy:
        """What the points are coloured by."""
        return self._state.color_by

    @property
    def coloring(self) -> Coloring:
        """The colour of each sample, and the legend."""
        return self._state.coloring

    @property
    def gates(self) -> GateSet:
        """The named regions of the map."""
        return self._state.marks.gates

    @property
    def reconstruction(self) -> Reconstruction | tuple[Reconstruction, ...] | None:
        """What was decoded last, at a point or along a path."""
        return self._state.reconstruction

    @property
    def sample_reconstructions(self) -> tuple[SampleReconstruction, ...]:
        """The reconstructions of real samples that are shown; may be empty."""
        return self._state.sample_reconstructions

    @property
    def explained(self) -> Explained | None:
        """How much of unseen samples the decoder explains, by the latest losses; or None."""
        return Explained.of_losses(self._state.losses)

    @property
    def source_told(self) -> SourceTold | None:
        """How well the source of a sample is told by its neighbours on the map.

        None without a map, and for samples of one source.
        """
        analysis = self._state.analysis
        return None if analysis is None else analysis.source_told

    @property
    def explanation(self) -> Explanation | None:
        """The explanation that is shown: what drives the positions of some samples."""
        return self._state.explanation

    @property
    def history(self) -> History:
        """What can be undone and redone."""
        return self._state.marks.steps.history

    @property
    def model(self) -> TrainedMap | None:
        """The trained map that is shown, or None before there is one."""
        return self._state.model

    @property
    def results(self) -> tuple[TrainedMap, ...]:
        """Every map that was trained, also of earlier samples."""
        return tuple(self._runs.results)

    @property
    def replay(self) -> Replay | None:
        """Snapshots of the map from its training."""
        return self._state.replay

    # -- callbacks of a run ------------------------------------------------------------------------

    def _on_status(self, status: Status) -> None:
        self._change(status=status)

    def _on_losses(self, losses: Mapping[str, float]) -> None:
        before = self._state.losses
        self._change(
            losses={name: [*before.get(name, []), value] for name, value in losses.items()}
        )

    def _on_positions(self, run: TrainingRun, positions: np.ndarray, epoch: int) -> None:
        state = self._of_run(run, self._state)
        self._become(state.at(embedding_at(positions, epoch=epoch, is_final=False)))

    def _of_run(self, run: TrainingRun, state: MapState) -> MapState:
        """The state without the samples that a run has left out."""
        if state.samples is None or len(run.samples) == len(state.samples):
            return state
        fewer = state.learning_from(run.samples)
        return replace(fewer, status=state.status, losses=state.losses)

    def _on_end(self, run: TrainingRun, status: Status) -> None:
        state = replace(self._state, status=status)
        try:
            if run.result is not None:
                state = self._of_run(run, state)
                state = replace(self._showing(run.result, state), replay=run.replay)
            else:  # nothing was learned: the map before the run is restored
                before, model = state.before_run, state.model
                losses = {} if model is None else copied(model.losses)
                embedding = embedding_at(before.positions, epoch=before.epoch)
                state = replace(state.at(embedding), losses=losses)
            self._become(state)
        except EmitLoopError:  # a listener failed; the state is the new one
            raise
        except BaseException:  # the result cannot be shown: listeners wait for the end all the same
            self._change(status=status)
            raise
        self._say(status.message + self._state.left_out_text)

    def _on_late_result(self, result: TrainedMap) -> None:
        self._say(f"The map of {len(result.samples):,} earlier samples is among the results")

    def _showing(self, result: TrainedMap, state: MapState) -> MapState:
        """The state with a trained map of its samples."""
        analysis = MapAnalysis(result)
        analysis.prepare()
        return state.with_result(analysis)

    # -- for the commands --------------------------------------------------------------------------

    def _memberships(self) -> dict[str, np.ndarray]:
        return self._queries.memberships(self._state.embedding, self._state.marks.gates)

    def _say(self, text: str) -> None:
        self.events.message_sent.emit(text)

    def _mask(self, rows: Any) -> np.ndarray:
        return self._state.marks.mask(rows)

    def _need_samples(self) -> Samples:
        if self._state.samples is None:
            raise InvalidInputError(
                "samples must be there first; got none. Choose an image and labels, a table or an "
                "array."
            )
        return self._state.samples

    def _need_model(self) -> MapAnalysis:
        if self._state.analysis is None:
            raise InvalidInputError(
                "A map must be trained first; got none. Train, and wait until it is done, or open "
                "a session."
            )
        return self._state.analysis


def _changed(state: MapState, before: MapState) -> list[str]:
    """The signals to emit."""
    changed = {name for name, part in _SIGNALS if part(state) is not part(before)}
    if state.samples is not before.samples:
        changed.update(name for name, _ in _SIGNALS if name != "parameters_changed")
    if state.embedding is not before.embedding and len(state.marks.gates):
        changed.add("gates_changed")  # they hold other samples now
    if state.analysis is not before.analysis or state.replay is not before.replay:
        changed.add("status_changed")  # they have no signal; views look at them with the status
    return [name for name, _ in _SIGNALS if name in changed]


def _differ(parts: tuple[object, ...], others: tuple[object, ...]) -> bool:
    return len(parts) != len(others) or any(a is not b for a, b in zip(parts, others, strict=True))
