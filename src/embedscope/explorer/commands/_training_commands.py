"""Commands for training runs: parameters, start, pause, stop, results and replay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from embedscope._errors import InvalidInputError, InvalidTypeError
from embedscope.explorer.commands._command import command
from embedscope.explorer.commands._explorer_state import ExplorerState
from embedscope.explorer.commands._map_state import MapState, embedding_at
from embedscope.training import Status, TrainedMap, check_enough


class TrainingCommands(ExplorerState):
    """Train, and show results. See `Explorer`."""

    @command
    def set_parameters(self, **changes: Any) -> None:
        """Change parameters of the next run; all of them, or none if one breaks a rule.

        Parameters
        ----------
        **changes
            Values by the names of `TrainingParameters`.

        Raises
        ------
        InvalidInputError
            If there is no parameter of a name, or a value is out of bounds.
        """
        self._change(parameters=self._state.parameters.replace(**changes))

    @command
    def train(self) -> None:
        """Start a training run in a worker thread.

        Raises
        ------
        InvalidInputError
            If there are no samples, too few for `n_neighbors`, or a run goes on.
        """
        samples = self._need_samples()
        self._runs.check_idle("train")
        parameters = self._state.parameters
        check_enough(len(samples), parameters.n_neighbors)
        # First: a listener of the first status may fail, or show another result.
        self._change(before_run=self._state.embedding, losses={})
        self._runs.start(samples, parameters)

    def pause(self) -> None:
        """Pause the run, until `resume`."""
        self._runs.latest.pause()

    def resume(self) -> None:
        """Continue a paused run."""
        self._runs.latest.resume()

    def stop(self) -> None:
        """End the run after the present batch, with the best map so far as its result."""
        self._runs.latest.stop()

    def wait(self, timeout_s: float | None = None) -> Status:
        """Wait for the end of the run.

        Parameters
        ----------
        timeout_s : float, optional
            In seconds; without limit by default.

        Returns
        -------
        Status
            Of the run. If the time is up, the run has not ended.
        """
        return self._runs.latest.wait(timeout_s)

    @command
    def show_result(self, result: TrainedMap) -> None:
        """Show a map that was trained earlier, and its samples.

        Parameters
        ----------
        result : TrainedMap
            One of `results`, or of another explorer's.

        Raises
        ------
        InvalidTypeError
            If it is no `TrainedMap`.
        """
        if not isinstance(result, TrainedMap):
            raise InvalidTypeError(
                f"result must be a TrainedMap; got {type(result).__name__}. Take one of results."
            )
        if result not in self._runs.results:
            self._runs.results.append(result)
        state = self._state
        if state.samples is not result.samples:
            self._runs.unwatch()
            state = MapState.of(result.samples, state.parameters, state.color_by)
        if result is not state.model:
            state = replace(state, replay=None)  # it shows how another map formed
        self._become(self._showing(result, state))

    @command
    def show_snapshot(self, index: Any) -> None:
        """Show a snapshot of the map from its training; -1 for the present map.

        Parameters
        ----------
        index : int
            Number of the snapshot in `replay`, or -1.

        Raises
        ------
        InvalidInputError
            If there is no such snapshot.
        """
        state = self._state
        n_snapshots = 0 if state.replay is None else len(state.replay)
        if not isinstance(index, int | np.integer) or not -1 <= index < n_snapshots:
            raise InvalidInputError(
                f"index must be -1 or the number of a snapshot, below {n_snapshots}; got "
                f"{index!r}. Train first, or take a smaller number."
            )
        if index == -1 or state.replay is None:
            self._change(shown=state.embedding)
            return
        # Samples that were added later had no position then.
        positions = np.full_like(state.embedding.positions, np.nan)
        positions[state.in_training] = state.replay.positions(int(index))
        epoch = state.replay.epochs[index]
        self._change(shown=embedding_at(positions, epoch=epoch, is_final=False))
