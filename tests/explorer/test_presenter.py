"""The presenter and the view contract, with a view that only records calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from view_contract import N_SAMPLES, RecordingView, Shown, ViewContract, explorer_with_map

from embedscope.explorer import Explorer, Presenter


class TestRecordingView(ViewContract):
    def make_view(self) -> RecordingView:
        return RecordingView()

    def read(self, view: RecordingView) -> Shown:
        told = view.told
        gates, counts = told.get("gates", ((), None))
        totals = {} if counts is None else counts.groupby("gate", sort=False)["count"].sum()
        embedding = told["embedding"][0]
        return Shown(
            n_points=len(embedding.positions),
            selected=told["selection"][0].rows.tolist(),
            hovered=told["hovered"][0].row,
            gates={gate.name: int(totals.get(gate.name, 0)) for gate in gates},
            parameters=told["parameters"][0].to_dict(),
            phase=told["status"][0].phase.value,
            positions=embedding.positions,
            loss_names=list(told["losses"][0]),
            error=str(told.get("error", [""])[0]),
            novel=np.flatnonzero(told["novel"][0]).tolist(),
        )

    def lasso(self, view: RecordingView, polygon: np.ndarray, mode: str) -> None:
        view.intents.polygon_selection_requested.emit(polygon, mode)

    def test_a_closed_presenter_leaves_no_listener(self, explorer: Any, view: Any) -> None:
        counts = [len(signal) for signal in explorer.events.signals.values()]
        Presenter(explorer, view, "view").close()
        assert [len(signal) for signal in explorer.events.signals.values()] == counts
        n_calls = len(view.calls)
        explorer.select_rows([0])
        assert len(view.calls) == n_calls


def test_every_setter_is_called_at_the_start() -> None:
    view = RecordingView()
    Presenter(explorer_with_map(), view, "view")
    missing = {"message", "error"}  # nothing was done, and nothing is wrong
    from embedscope.explorer import ExplorerView

    setters = {name[5:] for name in vars(ExplorerView) if name.startswith("show_")}
    assert setters - set(view.told) == missing


@pytest.mark.parametrize(
    ("intent", "arguments"),
    [
        ("rows_selection_requested", ([N_SAMPLES], "replace")),
        ("rows_selection_requested", ([0], "sideways")),
        ("polygon_selection_requested", ([[0, 0], [1, 1]], "replace")),
        ("nearest_selection_requested", ([np.nan, 0], 1.0, "replace")),
        ("gate_selection_requested", ("nobody", "replace")),
        ("gate_requested", ([[0, 0], [1, 0], [1, 1]], "", None)),
        ("gate_edit_requested", ("nobody", {"color": "#000000"})),
        ("gate_removal_requested", ("nobody",)),
        ("combined_gate_requested", ("union", ["a", "b"], None)),
        ("hover_requested", (-1,)),
        ("pause_requested", ()),
        ("stop_requested", ()),
        ("decode_requested", ([0.0, 0.0],)),
        ("explanation_requested", ()),
        ("replay_requested", (3,)),
        ("parameters_requested", ({"no such thing": 1},)),
    ],
)
def test_an_intent_that_breaks_a_rule_shows_an_error(
    intent: str, arguments: tuple[Any, ...]
) -> None:
    explorer, view = explorer_with_map(), RecordingView()
    Presenter(explorer, view, "view")
    getattr(view.intents, intent).emit(*arguments)
    error = str(view.told["error"][0])
    assert "must" in error
    assert "got" in error
    assert len(explorer.selection) == 0
    assert len(explorer.gates) == 0
    assert explorer.history.n_undo == 0


def test_a_gate_that_is_drawn_before_there_is_a_map_is_refused() -> None:
    explorer, view = Explorer(np.eye(20)), RecordingView()
    Presenter(explorer, view, "view")
    view.intents.gate_requested.emit([[0, 0], [1, 0], [1, 1]], None, None)
    assert "must be drawn on a map; got none yet" in str(view.told["error"][0])
    assert len(explorer.gates) == 0


def test_slow_questions_run_separately() -> None:
    explorer, view = explorer_with_map(), RecordingView()
    given: list[list[Any]] = []

    def slowly() -> Any:
        given.append([])
        mine = given[-1]
        return lambda work, done, failed: mine.append((done, failed))

    Presenter(explorer, view, "view", slowly=slowly)
    view.intents.explanation_requested.emit()
    view.intents.sample_reconstructions_requested.emit(2)
    assert [len(asked) for asked in given] == [1, 1]
