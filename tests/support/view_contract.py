"""Tests that every front end passes: subclass `ViewContract`, with access to your view.

The tests of a front end make a view, read what it shows, and act like its user::

    class TestMyView(ViewContract):
        def make_view(self): ...
        def read(self, view) -> Shown: ...
        def lasso(self, view, polygon, mode): ...
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from embedscope.explorer import ColorBy, Explorer, Presenter, ViewIntents
from embedscope.samples import samples_from_array

N_SAMPLES = 60
SQUARE = np.array([[-1.0, -1.0], [0.5, -1.0], [0.5, 0.5], [-1.0, 0.5]])


@dataclass
class Shown:
    """What a user sees in a view."""

    n_points: int
    selected: list[int]
    hovered: int | None
    gates: dict[str, int]  # name and count
    parameters: dict[str, Any]
    phase: str
    positions: np.ndarray | None = None
    loss_names: list[str] = field(default_factory=list)
    error: str = ""
    novel: list[int] = field(default_factory=list)


def explorer_with_map() -> Explorer:
    """An explorer with its samples on a grid, without a trained map."""
    rng = np.random.default_rng(0)
    explorer = Explorer(samples_from_array(rng.normal(size=(N_SAMPLES, 4)).astype(np.float32)))
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 10), np.linspace(-1, 1, 6)), axis=-1)
    explorer.place(grid.reshape(-1, 2).astype(np.float32))
    return explorer


class ViewContract:
    """The tests of the contract."""

    def make_view(self) -> Any:
        raise NotImplementedError

    def read(self, view: Any) -> Shown:
        raise NotImplementedError

    def lasso(self, view: Any, polygon: np.ndarray, mode: str) -> None:
        """Draw a lasso around points, with the gesture of a user."""
        raise NotImplementedError

    def settle(self, view: Any) -> None:
        """Wait until the screen is up to date."""

    @pytest.fixture
    def view(self) -> Any:
        return self.make_view()

    @pytest.fixture
    def explorer(self) -> Explorer:
        return explorer_with_map()

    @pytest.fixture
    def presenter(self, explorer: Explorer, view: Any) -> Any:
        made = Presenter(explorer, view, "view")
        self.settle(view)
        yield made
        made.close()

    def shown(self, view: Any) -> Shown:
        self.settle(view)
        return self.read(view)

    def test_a_late_view_shows_what_was_done_before(self, explorer: Explorer, view: Any) -> None:
        explorer.select_polygon(SQUARE)
        gate = explorer.add_gate(SQUARE, "corner")
        explorer.hover(3)
        explorer.set_parameters(n_neighbors=7)
        presenter = Presenter(explorer, view, "late")
        shown = self.shown(view)
        assert shown.n_points == N_SAMPLES
        assert shown.selected == explorer.selection.rows.tolist()
        assert shown.gates == {gate.name: len(explorer.selection)}
        assert shown.hovered == 3
        assert shown.parameters["n_neighbors"] == 7
        assert shown.phase == "idle"
        presenter.close()

    def test_every_change_is_shown(self, explorer: Explorer, view: Any, presenter: Any) -> None:
        explorer.select_rows([1, 4, 9])
        assert self.shown(view).selected == [1, 4, 9]
        explorer.select_rows([4], "subtract")
        assert self.shown(view).selected == [1, 9]
        explorer.undo()
        assert self.shown(view).selected == [1, 4, 9]
        explorer.clear_selection()
        assert self.shown(view).selected == []
        explorer.add_gate(SQUARE, "a gate")
        assert self.shown(view).gates == {"a gate": int(_inside(explorer).sum())}
        explorer.edit_gate("a gate", name="renamed")
        assert list(self.shown(view).gates) == ["renamed"]
        explorer.remove_gate("renamed")
        assert self.shown(view).gates == {}
        explorer.set_parameters(min_dist=0.25)
        assert self.shown(view).parameters["min_dist"] == pytest.approx(0.25)

    def test_points_move_with_the_embedding(
        self, explorer: Explorer, view: Any, presenter: Any
    ) -> None:
        moved = explorer.embedding.positions[::-1].copy()
        explorer.place(moved)
        shown = self.shown(view)
        if shown.positions is not None:
            np.testing.assert_allclose(shown.positions, moved, atol=1e-5)
        assert shown.n_points == N_SAMPLES

    def test_samples_unlike_those_trained_on_are_marked(
        self, explorer: Explorer, view: Any, presenter: Any
    ) -> None:
        assert self.shown(view).novel == []
        explorer.events.novel_changed.emit(np.isin(np.arange(N_SAMPLES), [3, 17]))
        assert self.shown(view).novel == [3, 17]
        explorer.set_samples(np.zeros((5, 3), np.float32) + np.arange(5)[:, None])
        assert self.shown(view).novel == []

    def test_setters_emit_no_intent(self, explorer: Explorer, view: Any, presenter: Any) -> None:
        fired: list[Any] = []
        view.intents.connect(fired.append)
        explorer.select_polygon(SQUARE)
        explorer.add_gate(SQUARE)
        explorer.hover(2)
        explorer.hover(None)
        explorer.set_parameters(n_neighbors=9, min_dist=0.2, metric="cosine")
        explorer.color(ColorBy("frame"))
        explorer.place(explorer.embedding.positions + 1)
        presenter.show_all()
        self.settle(view)
        assert fired == []

    def test_a_lasso_selects_with_its_origin(
        self, explorer: Explorer, view: Any, presenter: Any
    ) -> None:
        self.lasso(view, SQUARE, "replace")
        self.settle(view)
        inside = np.flatnonzero(_inside(explorer))
        assert 0 < len(inside) < N_SAMPLES
        np.testing.assert_array_equal(explorer.selection.rows, inside)
        assert explorer.selection.origin == "view"
        assert self.shown(view).selected == inside.tolist()

    def test_a_lasso_adds_and_subtracts(
        self, explorer: Explorer, view: Any, presenter: Any
    ) -> None:
        explorer.select_rows([N_SAMPLES - 1])
        self.lasso(view, SQUARE, "add")
        self.settle(view)
        assert len(explorer.selection) == _inside(explorer).sum() + 1
        self.lasso(view, SQUARE, "subtract")
        self.settle(view)
        assert explorer.selection.rows.tolist() == [N_SAMPLES - 1]

    def test_an_intent_that_breaks_a_rule_shows_an_error_and_changes_nothing(
        self, explorer: Explorer, view: Any, presenter: Any
    ) -> None:
        before = explorer.parameters
        view.intents.parameters_requested.emit({"n_neighbors": -5})
        shown = self.shown(view)
        assert "n_neighbors must be" in shown.error
        assert explorer.parameters == before
        view.intents.decode_requested.emit(np.zeros(2))
        assert "trained" in self.shown(view).error

    def test_two_views_show_the_same_state(
        self, explorer: Explorer, view: Any, presenter: Any
    ) -> None:
        other = self.make_view()
        second = Presenter(explorer, other, "other")
        self.lasso(view, SQUARE, "replace")
        self.settle(view)
        assert self.shown(other).selected == self.shown(view).selected != []
        second.close()

    def test_a_closed_presenter_leaves_no_listener(self, explorer: Explorer, view: Any) -> None:
        counts = [len(signal) for signal in explorer.events.signals.values()]
        n_intents = [len(signal) for signal in view.intents.signals.values()]
        Presenter(explorer, view, "view").close()
        assert [len(signal) for signal in explorer.events.signals.values()] == counts
        assert [len(signal) for signal in view.intents.signals.values()] == n_intents
        explorer.select_rows([0])
        assert self.shown(view).selected == []

    def test_other_samples_clear_selection_and_gates(
        self, explorer: Explorer, view: Any, presenter: Any
    ) -> None:
        explorer.select_rows([1, 2])
        explorer.add_gate(SQUARE)
        explorer.set_samples(np.zeros((5, 3), np.float32) + np.arange(5)[:, None])
        shown = self.shown(view)
        assert (shown.n_points, shown.selected, shown.gates) == (5, [], {})
        explorer.set_samples(None)
        assert self.shown(view).n_points == 0


def _inside(explorer: Explorer) -> np.ndarray:
    x, y = explorer.embedding.positions.T
    return (x > -1.0) & (x < 0.5) & (y > -1.0) & (y < 0.5) | _on_edge(x, y)


def _on_edge(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Points of the grid on the left and lower side, which belong to the polygon."""
    return (x == -1.0) & (y < 0.5) | (y == -1.0) & (x < 0.5)


class RecordingView:
    """A view that only records the calls of its setters."""

    def __init__(self) -> None:
        self.intents = ViewIntents()
        self.told: dict[str, Any] = {}
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("show_"):
            raise AttributeError(name)

        def remember(*values: Any) -> None:
            self.told[name.removeprefix("show_")] = values
            self.calls.append(name)

        return remember
