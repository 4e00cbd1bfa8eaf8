"""A failing command changes nothing, and a session that cannot be opened replaces no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sessions import cell_samples, session

from embedscope import Explorer
from embedscope._errors import InvalidInputError
from embedscope.core.storage._stored_header import seal, unseal
from embedscope.explorer import ColorBy
from embedscope.explorer.commands import _explorer_state
from embedscope.explorer.session._session import SESSION, read_session, write_session

SQUARE = [[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]]


@pytest.fixture
def explorer() -> Explorer:
    rng = np.random.default_rng(0)
    explorer = Explorer(rng.random((12, 3)))
    explorer.place(rng.random((12, 2)))
    explorer.add_gate(SQUARE, "left")
    explorer.select_rows([1, 2, 3])
    explorer.color(ColorBy("gate"))
    return explorer


def everything(explorer: Explorer) -> dict[str, Any]:
    """The state of an explorer that a front end can read."""
    return {
        "samples": explorer.samples,
        "positions": explorer.embedding.positions.tolist(),
        "selected": explorer.selected_ids,
        "gates": explorer.gates,
        "color_by": explorer.color_by,
        "levels": explorer.coloring.levels.tolist(),
        "history": explorer.history,
        "parameters": explorer.parameters,
        "losses": dict(explorer.losses),
        "in_training": explorer.in_training.tolist(),
        "results": explorer.results,
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {"kind": "feature", "name": ["0"]},
        {"kind": "feature", "name": 5},
        {"kind": "gate", "name": ("left",)},
        {"palette": ["viridis"]},
        # A set's order, and so its text, differs between the processes of a test run.
        pytest.param({"hidden": {1, "a"}}, id="hidden-mixed"),
        {"hidden": [["a"]]},
        {"hidden": 5},
    ],
    ids=str,
)
def test_color_choice_of_other_types(attributes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=r"must be (text|a set of labels)"):
        ColorBy(**attributes)


def unreadable() -> ColorBy:
    """A choice that bypassed the checks."""
    choice = ColorBy("feature", "0")
    object.__setattr__(choice, "name", ["0"])
    return choice


def test_refused_colors_do_not_stay(explorer: Explorer, tmp_path: Path) -> None:
    before = everything(explorer)
    with pytest.raises(TypeError):
        explorer.color(unreadable())
    assert everything(explorer) == before
    explorer.save(tmp_path / "session")
    assert Explorer.open(tmp_path / "session").color_by == ColorBy("gate")


@pytest.mark.parametrize(
    "command",
    [
        lambda explorer: explorer.set_samples(np.ones((5, 3))),
        lambda explorer: explorer.set_samples(None),
        lambda explorer: explorer.load(explorer.read("other")),
        lambda explorer: explorer.color("0"),
        lambda explorer: explorer.color(ColorBy()),
    ],
)
def test_failure_in_the_middle_changes_nothing(
    command: Callable[[Explorer], None],
    explorer: Explorer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A MemoryError can occur anywhere."""
    monkeypatch.chdir(tmp_path)
    Explorer(np.ones((4, 2))).save("other")
    before = everything(explorer)
    told: list[Any] = []
    explorer.events.samples_changed.connect(told.append)

    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as context:
        context.setattr(_explorer_state, "color_samples", fail)
        context.setattr(_explorer_state.Coloring, "empty", fail)
        with pytest.raises(MemoryError):
            command(explorer)
    explorer.color(explorer.color_by)
    assert everything(explorer) == before
    assert not told or told[-1] is explorer.samples
    explorer.undo()
    explorer.undo()
    assert not explorer.gates


def test_refused_command_emits_nothing(explorer: Explorer) -> None:
    explorer.add_gate(SQUARE, "right")
    explorer.color(ColorBy("gate", "left"))
    told: list[Any] = []
    for name in ("samples", "coloring", "gates", "selection", "embedding"):
        getattr(explorer.events, f"{name}_changed").connect(told.append)
    for refused in (
        lambda: explorer.color("no such feature"),
        lambda: explorer.edit_gate("left", name="right"),
        lambda: explorer.edit_gate("left", name="new", color="red"),
        lambda: explorer.remove_gate("middle"),
        lambda: explorer.set_parameters(n_neighbors=-1),
        lambda: explorer.place([[0, 0]]),
    ):
        with pytest.raises(InvalidInputError):
            refused()
    assert explorer.color_by == ColorBy("gate", "left")
    assert told == []


def test_colors_follow_a_gate_that_is_renamed(explorer: Explorer) -> None:
    explorer.color(ColorBy("gate", "left"))
    explorer.edit_gate("left", name="right")
    assert explorer.color_by == ColorBy("gate", "right")
    assert [entry.label for entry in explorer.coloring.legend] == ["right", "in no gate"]


def test_colors_by_a_gate_that_is_removed(explorer: Explorer, tmp_path: Path) -> None:
    explorer.color(ColorBy("gate", "left"))
    explorer.remove_gate("left")
    assert explorer.color_by == ColorBy("gate")
    explorer.undo()
    assert [entry.label for entry in explorer.coloring.legend] == ["left", "in no gate"]
    explorer.save(tmp_path / "session")
    assert Explorer.open(tmp_path / "session").color_by == ColorBy("gate")


def test_session_that_could_not_be_opened_replaces_none(tmp_path: Path) -> None:
    state = session(cell_samples(tmp_path), n_trained=30)
    write_session(tmp_path / "session", state)
    broken = replace(state, color_by=ColorBy("feature", "area"))
    object.__setattr__(broken.color_by, "kind", "rainbow")
    with pytest.raises(InvalidInputError, match="can be opened again; got kind must be one of"):
        write_session(tmp_path / "session", broken)
    assert read_session(tmp_path / "session").color_by == state.color_by


def test_session_of_earlier_with_refused_colors_opens(tmp_path: Path) -> None:
    """Earlier versions stored a choice that they had refused, and could not open the session."""
    Explorer(np.ones((4, 2))).save(tmp_path / "session")
    file = tmp_path / "session" / SESSION.header
    header = unseal(file.read_bytes(), SESSION)
    header["state"]["color_by"] |= {"kind": "feature", "name": ["0"]}
    file.write_bytes(seal(header, SESSION))
    assert json.loads(file.read_bytes())["state"]["color_by"]["name"] == ["0"]
    assert Explorer.open(tmp_path / "session").color_by == ColorBy()
