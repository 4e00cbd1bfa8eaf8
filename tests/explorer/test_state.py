"""The one function that replaces an explorer's state: which signals are emitted, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from psygnal import EmitLoopError

from embedscope import Explorer
from embedscope.explorer import ColorBy
from embedscope.explorer.commands import _explorer_state
from embedscope.training import Phase, TrainingParameters

SQUARE = [[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]]
QUICK = TrainingParameters(n_neighbors=10, encoder="dense")


def placed() -> Explorer:
    rng = np.random.default_rng(0)
    explorer = Explorer(rng.random((12, 3)))
    explorer.place(rng.random((12, 2)))
    return explorer


@pytest.fixture
def explorer() -> Explorer:
    return placed()


@pytest.fixture(scope="module")
def trained() -> Explorer:
    explorer = Explorer(np.random.default_rng(0).random((60, 3)), parameters=QUICK)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE
    return explorer


def emitted(explorer: Explorer, command: Callable[[], Any]) -> list[str]:
    """The signals that a command emits, in order and without messages."""
    names: list[str] = []
    for name, signal in explorer.events.signals.items():
        if name != "message_sent":
            signal.connect(lambda _, name=name: names.append(name.removesuffix("_changed")))
    command()
    return names


def fail(_: Any) -> None:
    raise ZeroDivisionError("a listener's own mistake")


EVERYTHING = [name.removesuffix("_changed") for name, _ in _explorer_state._SIGNALS]


@pytest.mark.parametrize(
    ("command", "signals"),
    [
        (lambda explorer: explorer.set_parameters(n_neighbors=5), ["parameters"]),
        (lambda explorer: explorer.select_rows([1]), ["selection", "history"]),
        (lambda explorer: explorer.select_rows([]), []),
        (lambda explorer: explorer.add_gate(SQUARE), ["gates", "history"]),
        (lambda explorer: explorer.hover(3), ["hovered"]),
        (lambda explorer: explorer.hover(None), []),
        (lambda explorer: explorer.color(ColorBy("frame")), ["coloring"]),
        (lambda explorer: explorer.undo(), []),
        (lambda explorer: explorer.clear_reconstruction(), []),
        (lambda explorer: explorer.show_snapshot(-1), []),
        (
            lambda explorer: explorer.place(np.ones((12, 2))),
            ["losses", "embedding", "novel", "status"],
        ),
        (lambda explorer: explorer.set_samples(np.ones((4, 2))), EVERYTHING[1:]),
    ],
)
def test_a_command_emits_the_signals_of_what_it_changed_once_each(
    command: Callable[[Explorer], Any], signals: list[str], explorer: Explorer
) -> None:
    """Other samples change everything except the parameters."""
    assert emitted(explorer, lambda: command(explorer)) == signals


def test_first_command_of_an_empty_explorer_emits_its_own_signal_alone() -> None:
    explorer = Explorer()
    assert emitted(explorer, lambda: explorer.set_parameters(n_neighbors=5)) == ["parameters"]


def test_undo_of_a_gate_leaves_the_selection_alone(explorer: Explorer) -> None:
    explorer.select_rows([1, 2])
    explorer.add_gate(SQUARE)
    assert emitted(explorer, explorer.undo) == ["gates", "history"]


def test_gates_are_emitted_when_positions_change_and_there_are_some(explorer: Explorer) -> None:
    explorer.add_gate(SQUARE, "corner")
    counts: list[int] = []
    explorer.events.gates_changed.connect(
        lambda _: counts.append(int(explorer.gate_counts()["count"].sum()))
    )
    explorer.place(np.full((12, 2), 0.25))
    explorer.place(np.full((12, 2), 9.0))
    assert counts == [12, 0]


def test_colors_follow_what_they_depend_on_and_nothing_else(explorer: Explorer) -> None:
    explorer.color(ColorBy("gate"))
    assert "coloring" not in emitted(explorer, lambda: explorer.place(np.ones((12, 2))))
    assert emitted(explorer, lambda: explorer.add_gate(SQUARE)) == ["coloring", "gates", "history"]
    assert (explorer.coloring.codes == 1).all()  # in no gate
    names = emitted(explorer, lambda: explorer.place(np.full((12, 2), 0.25)))
    assert names.count("coloring") == 1
    assert (explorer.coloring.codes == 0).all()
    assert "coloring" not in emitted(explorer, lambda: explorer.select_rows([0]))


def test_a_listener_reads_the_whole_new_state(explorer: Explorer) -> None:
    """The state is replaced before the first signal is emitted."""
    seen: list[tuple[int, int, int]] = []
    explorer.select_rows([1, 2])
    explorer.events.samples_changed.connect(
        lambda samples: seen.append(
            (len(samples), len(explorer.embedding.positions), len(explorer.selection))
        )
    )
    explorer.set_samples(np.ones((4, 2)))
    assert seen == [(4, 4, 0)]


def test_failing_listener_keeps_no_other_signal_back_and_the_command_stands(
    explorer: Explorer,
) -> None:
    explorer.events.gates_changed.connect(fail)

    def add() -> None:
        with pytest.raises(EmitLoopError, match="ZeroDivisionError"):
            explorer.add_gate(SQUARE, "corner")

    assert emitted(explorer, add) == ["history"]  # the gates' own later listeners are skipped
    assert [gate.name for gate in explorer.gates] == ["corner"]
    assert explorer.history.n_undo == 1


def test_first_of_several_errors_of_listeners_is_raised(explorer: Explorer) -> None:
    def fail_later(_: Any) -> None:
        raise KeyError("later")

    explorer.events.history_changed.connect(fail_later)
    explorer.events.selection_changed.connect(fail)
    with pytest.raises(EmitLoopError) as caught:
        explorer.select_rows([1])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_all_listeners_end_with_the_value_after_a_command_of_a_listener(
    explorer: Explorer,
) -> None:
    seen: dict[str, list[list[int]]] = {"before": [], "after": []}
    selection = explorer.events.selection_changed
    selection.connect(lambda value: seen["before"].append(value.rows.tolist()))

    def select_more(value: Any) -> None:
        if len(value) == 1:
            explorer.select_rows([5], "add")

    selection.connect(select_more)
    selection.connect(lambda value: seen["after"].append(value.rows.tolist()))
    undone: list[int] = []
    explorer.events.history_changed.connect(lambda history: undone.append(history.n_undo))
    explorer.select_rows([1])
    assert seen == {"before": [[1], [1, 5]], "after": [[1, 5]]}
    assert set(undone) == {2}
    explorer.undo()
    assert explorer.selection.rows.tolist() == [1, 5]  # the listener selects again


def test_refused_command_of_a_listener_leaves_the_command_before_it(explorer: Explorer) -> None:
    def remove(_: Any) -> None:
        explorer.remove_gate("no such gate")

    explorer.events.selection_changed.connect(remove)
    with pytest.raises(EmitLoopError):
        explorer.select_rows([1])
    assert explorer.selection.rows.tolist() == [1]
    assert explorer.history.n_undo == 1


def test_rollback_emits_what_had_changed_and_nothing_else(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The selection is told twice: as it became, and as it was."""

    def run_out(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(Explorer, "_say", run_out)

    def select() -> None:
        with pytest.raises(MemoryError):
            explorer.select_rows([1])

    before = explorer.selection
    assert emitted(explorer, select) == ["selection", "history"] * 2
    assert explorer.selection is before


def test_failure_in_an_empty_explorer_emits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = Explorer()

    def run_out(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(_explorer_state, "color_samples", run_out)

    def set_samples() -> None:
        with pytest.raises(MemoryError):
            explorer.set_samples(np.ones((4, 2)))

    assert emitted(explorer, set_samples) == []
    assert explorer.samples is None


def test_another_model_of_the_same_samples_is_told_with_the_status(trained: Explorer) -> None:
    """Views offer the model and its replay after `status_changed`; both lack a signal."""
    model, replay = trained.model, trained.replay
    assert replay is not None
    trained.place(np.zeros((60, 2)))
    seen: list[bool] = []
    slot = trained.events.status_changed.connect(lambda _: seen.append(trained.model is model))
    trained.show_result(model)
    trained.events.status_changed.disconnect(slot)
    assert seen == [True]


def test_end_of_a_run_is_told_where_its_map_cannot_be_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors: list[BaseException] = []

    def keep(callback: Callable[[], None]) -> None:
        try:
            callback()
        except BaseException as error:
            errors.append(error)

    def run_out(*_: Any) -> None:
        raise MemoryError

    explorer = Explorer(np.random.default_rng(0).random((60, 3)), parameters=QUICK, dispatcher=keep)
    monkeypatch.setattr(_explorer_state.MapAnalysis, "prepare", run_out)
    explorer.train()
    assert explorer.wait(120).phase is Phase.DONE
    assert explorer.status.phase is Phase.DONE
    assert any(isinstance(error.__cause__, MemoryError) for error in errors)


def test_run_starts_from_the_present_map_where_a_listener_of_its_start_fails() -> None:
    """If it learns nothing, these positions come back, and the losses are its own."""
    explorer = placed()
    explorer.set_parameters(**{**QUICK.to_dict(), "n_neighbors": 5})
    positions = explorer.embedding.positions
    slot = explorer.events.status_changed.connect(fail)
    with pytest.raises(EmitLoopError):
        explorer.train()
    explorer.events.status_changed.disconnect(slot)
    assert explorer._state.before_run.positions is positions
    explorer.stop()
    assert explorer.wait(120).phase.is_finished
