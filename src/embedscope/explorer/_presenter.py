"""Connects a view to an explorer: signals to setters, and intents to commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from embedscope._errors import EmbedscopeError, InvalidInputError
from embedscope.explorer._explorer import Explorer
from embedscope.explorer._view import ExplorerView

# ``run(work, done, failed)``
RunTask = Callable[[Callable[[], Any], Callable[[Any], None], Callable[[Exception], None]], None]


def run_in_this_thread(
    work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[Exception], None]
) -> None:
    """Do some work, and call `done` with its result or `failed` with its error."""
    try:
        result = work()
    except EmbedscopeError as error:
        failed(error)
    else:
        done(result)


class Presenter:
    """Connects one view to an explorer, until it is closed.

    The view shows the present state at once. An intent that breaks a rule leads to
    ``view.show_error``, and the explorer does not change. Selections and hovers from this view have
    its name as their origin.

    Parameters
    ----------
    explorer : Explorer
    view : ExplorerView
    name : str
        Different from those of other views of the same explorer.
    slowly : callable
        ``slowly()`` is called once for each kind of question that may take a second or more. It
        returns ``run(work, done, failed)``, which calls ``done(work())`` or ``failed(error)``. A
        front end with a window returns a worker thread for each kind, so that none blocks another,
        and calls `done` or `failed` in the main thread.
    """

    def __init__(
        self,
        explorer: Explorer,
        view: ExplorerView,
        name: str,
        *,
        slowly: Callable[[], RunTask] = lambda: run_in_this_thread,
    ) -> None:
        self.explorer = explorer
        self.view = view
        self.name = name
        self._run_explain, self._run_reconstruct = slowly(), slowly()
        self._n_cleared = 0
        self._connections: list[tuple[Any, Callable[..., None]]] = []
        self._connect_events()
        self._connect_intents()
        self.show_all()

    def show_all(self) -> None:
        """Call every setter of the view with the present state."""
        explorer, view = self.explorer, self.view
        view.show_parameters(explorer.parameters)
        view.show_samples(explorer.samples)
        view.show_status(explorer.status)
        view.show_losses(explorer.losses)
        view.show_embedding(explorer.embedding)
        view.show_coloring(explorer.coloring)
        view.show_novel(explorer.novel)
        view.show_gates(explorer.gates, explorer.gate_counts())
        view.show_selection(explorer.selection)
        view.show_hovered(explorer.hovered)
        view.show_reconstruction(explorer.reconstruction)
        view.show_sample_reconstructions(explorer.sample_reconstructions)
        view.show_explanation(explorer.explanation)
        view.show_history(explorer.history)

    def close(self) -> None:
        """Disconnect the two; the explorer, and a run in it, go on."""
        connections, self._connections = self._connections, []
        for signal, slot in connections:
            signal.disconnect(slot, missing_ok=True)

    def _connect_events(self) -> None:
        events, view = self.explorer.events, self.view
        for signal, slot in (
            (events.samples_changed, view.show_samples),
            (events.parameters_changed, view.show_parameters),
            (events.status_changed, view.show_status),
            (events.losses_changed, view.show_losses),
            (events.embedding_changed, view.show_embedding),
            (events.coloring_changed, view.show_coloring),
            (events.novel_changed, view.show_novel),
            (events.selection_changed, view.show_selection),
            (events.hovered_changed, view.show_hovered),
            (events.gates_changed, self._show_gates),
            (events.reconstruction_changed, view.show_reconstruction),
            (events.sample_reconstructions_changed, view.show_sample_reconstructions),
            (events.explanation_changed, view.show_explanation),
            (events.history_changed, view.show_history),
            (events.message_sent, view.show_message),
        ):
            self._connect(signal, slot)

    def _show_gates(self, gates: Any) -> None:
        self.view.show_gates(gates, self.explorer.gate_counts())

    def _connect_intents(self) -> None:
        intents, explorer = self.view.intents, self.explorer
        from_here = {"origin": self.name}
        for signal, command, more in (
            (intents.parameters_requested, lambda changes: explorer.set_parameters(**changes), {}),
            (intents.train_requested, explorer.train, {}),
            (intents.train_from_requested, self._train_from, {}),
            (intents.pause_requested, explorer.pause, {}),
            (intents.resume_requested, explorer.resume, {}),
            (intents.stop_requested, explorer.stop, {}),
            (intents.polygon_selection_requested, explorer.select_polygon, from_here),
            (intents.rectangle_selection_requested, explorer.select_rectangle, from_here),
            (intents.nearest_selection_requested, explorer.select_nearest, from_here),
            (intents.rows_selection_requested, explorer.select_rows, from_here),
            (intents.gate_selection_requested, explorer.select_gate, from_here),
            (intents.clear_selection_requested, explorer.clear_selection, from_here),
            (intents.invert_selection_requested, explorer.invert_selection, from_here),
            (intents.hover_requested, explorer.hover, from_here),
            (intents.undo_requested, explorer.undo, {}),
            (intents.redo_requested, explorer.redo, {}),
            (intents.gate_requested, self._add_gate, {}),
            (intents.combined_gate_requested, explorer.combine_gates, {}),
            (
                intents.gate_edit_requested,
                lambda name, changes: explorer.edit_gate(name, **changes),
                {},
            ),
            (intents.gate_removal_requested, explorer.remove_gate, {}),
            (intents.color_requested, explorer.color, {}),
            (intents.decode_requested, explorer.decode, {}),
            (intents.path_requested, explorer.decode_path, {}),
            (intents.styled_decode_requested, explorer.decode, {}),
            (intents.styled_path_requested, explorer.decode_path, {}),
            (
                intents.turned_decode_requested,
                lambda point, style, angle: explorer.decode(point, style, angle=angle),
                {},
            ),
            (
                intents.turned_path_requested,
                lambda points, n, style, angle: explorer.decode_path(points, n, style, angle=angle),
                {},
            ),
            (intents.reconstruction_clearing_requested, explorer.clear_reconstruction, {}),
            (intents.sample_reconstructions_requested, self._reconstruct, {}),
            (
                intents.sample_reconstructions_clearing_requested,
                self._clear_reconstructed,
                {},
            ),
            (intents.explanation_requested, self._explain, {}),
            (intents.gate_explanation_requested, self._explain, {}),
            (intents.replay_requested, explorer.show_snapshot, {}),
        ):
            self._connect(signal, self._guarded(command, more))

    def _train_from(self, columns: list[str]) -> None:
        self.explorer.learn_from(columns or None)
        self.explorer.train()

    def _add_gate(self, polygon: Any, name: str | None, color: str | None) -> None:
        """Add a gate that was drawn: on an empty map its coordinates would mean nothing."""
        if not np.isfinite(self.explorer.embedding.positions).any():
            raise InvalidInputError(
                "A gate must be drawn on a map; got none yet. Train, and wait until the points are "
                "there."
            )
        self.explorer.add_gate(polygon, name, color)

    def _explain(self, gate: str = "") -> None:
        explorer = self.explorer
        self._run_explain(
            lambda: explorer.find_reasons(gate=gate),
            explorer.show_explanation,
            self.view.show_error,
        )

    def _reconstruct(self, n_most: int) -> None:
        explorer, n_cleared = self.explorer, self._n_cleared

        def show(found: Any) -> None:
            if n_cleared == self._n_cleared:  # else they were cleared before they were there
                explorer.show_sample_reconstructions(found)

        self._run_reconstruct(
            lambda: explorer.reconstruct(n_most=n_most), show, self.view.show_error
        )

    def _clear_reconstructed(self) -> None:
        self._n_cleared += 1
        self.explorer.show_sample_reconstructions(())

    def _guarded(self, command: Callable[..., Any], more: dict[str, Any]) -> Callable[..., None]:
        """The command, whose errors the view shows."""

        def run_command(*arguments: Any) -> None:
            try:
                command(*arguments, **more)
            except EmbedscopeError as error:
                self.view.show_error(error)

        return run_command

    def _connect(self, signal: Any, slot: Callable[..., None]) -> None:
        signal.connect(slot, check_nargs=False)
        self._connections.append((signal, slot))
