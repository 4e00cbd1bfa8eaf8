"""Answers that are not shown, and messages about gates and undo."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.training import TrainingParameters

SQUARE = np.array([[-1e3, -1e3], [1e3, -1e3], [1e3, 1e3], [-1e3, 1e3]])  # around everything


@pytest.fixture(scope="module")
def trained() -> Explorer:
    rng = np.random.default_rng(0)
    table = rng.normal(size=(60, 4)).astype(np.float32)
    table[:30, 0] += 8
    parameters = TrainingParameters(n_neighbors=5, n_training_epochs=1, encoder="dense")
    explorer = Explorer(table, parameters=parameters)
    explorer.train()
    assert explorer.wait(120).phase.value == "done"
    return explorer


@pytest.fixture
def fresh(trained: Explorer) -> Explorer:
    explorer = Explorer()
    explorer.show_result(trained.model)
    return explorer


def test_explanation_of_a_gate_is_shown_on_request_only(fresh: Explorer) -> None:
    told: list[object] = []
    fresh.events.explanation_changed.connect(told.append)
    half = fresh.embedding.positions[:, 0] < np.median(fresh.embedding.positions[:, 0])
    middle = float(np.median(fresh.embedding.positions[:, 0]))
    fresh.add_gate([[-1e3, -1e3], [middle, -1e3], [middle, 1e3], [-1e3, 1e3]], "left")
    found = fresh.find_reasons(gate="left")
    np.testing.assert_array_equal(found.rows, np.flatnonzero(half))
    assert told == []
    assert fresh.explanation is None
    fresh.show_explanation(found)
    assert told == [found]
    assert fresh.explanation is found
    fresh.show_explanation(None)
    assert fresh.explanation is None


def test_explanations_of_missing_gates_and_samples_are_refused(fresh: Explorer) -> None:
    with pytest.raises(InvalidInputError, match="must be that of a gate"):
        fresh.find_reasons(gate="nowhere")
    fresh.add_gate([[1e5, 1e5], [2e5, 1e5], [1e5, 2e5]], "empty")
    with pytest.raises(InvalidInputError):
        fresh.find_reasons(gate="empty")
    found = fresh.find_reasons([59])
    fresh.set_samples(np.zeros((5, 4), np.float32) + np.arange(5)[:, None])
    with pytest.raises(InvalidInputError):
        fresh.show_explanation(found)


def test_other_threads_can_issue_commands_during_an_explanation(
    fresh: Explorer,
) -> None:
    """A computation does not hold the lock: a command of another thread runs meanwhile."""
    analysis = fresh._state.analysis
    began, go_on = threading.Event(), threading.Event()
    explain = analysis.explain

    def slow(*arguments: object) -> object:
        began.set()
        assert go_on.wait(30)
        return explain(*arguments)

    analysis.explain = slow  # type: ignore[method-assign]  # as on a slow machine
    worker = threading.Thread(target=lambda: fresh.find_reasons([1, 2]))
    worker.start()
    assert began.wait(30)
    fresh.select_rows([3])  # would wait for ever if the lock were held
    go_on.set()
    worker.join(30)
    assert fresh.selection.rows.tolist() == [3]


def test_grid_is_decoded_and_not_shown(fresh: Explorer) -> None:
    grid = fresh.draw_grid(4)
    assert grid.samples.shape == (16, 4)
    assert fresh.reconstruction is None
    positions = fresh.embedding.positions
    assert (grid.low < positions.min(axis=0)).all()
    assert (grid.high > positions.max(axis=0)).all()


def test_novel_samples_are_those_with_a_high_score(fresh: Explorer) -> None:
    assert not fresh.novel.any()
    later = np.concatenate([fresh.samples.table[:3], np.full((2, 4), 60, np.float32)])
    fresh.add_samples(later.astype(np.float32))
    np.testing.assert_array_equal(fresh.novel, fresh.novelty >= 0.99)
    assert fresh.novel[-2:].all()
    assert not fresh.novel[:60].any()


def test_commands_on_gates_send_messages(fresh: Explorer) -> None:
    said: list[str] = []
    fresh.events.message_sent.connect(said.append)
    fresh.add_gate(SQUARE, "all")
    fresh.edit_gate("all", name="everything")
    fresh.add_gate(SQUARE, "more")
    fresh.combine_gates("difference", ["everything", "more"], "none")
    fresh.remove_gate("none")
    fresh.undo()
    fresh.redo()
    fresh.redo()
    assert said == [
        "all: 60 of 60 samples",
        "everything: 60 of 60 samples",
        "more: 60 of 60 samples",
        "none: 0 of 60 samples",
        "Removed none; its samples stay",
        "Undone: removal of gate none",
        "Redone: removal of gate none",
        "Nothing to redo",
    ]
