"""Intents of a page are answered or refused with a reason, and never end the kernel."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fake_page import PageAndView
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from view_contract import N_SAMPLES, SQUARE, explorer_with_map

from embedscope.explorer import ColorBy, Explorer, Presenter, describe_row
from embedscope.jupyter_widget._typescript import TARGET, write_interfaces
from embedscope.jupyter_widget.protocol._intents import FROM_PAGE
from embedscope.jupyter_widget.wire._worker import MOST_WAITING, Worker
from embedscope.samples import samples_from_table


@pytest.fixture(scope="module")
def explorer() -> Explorer:
    return explorer_with_map()


@pytest.fixture(scope="module")
def view(explorer: Explorer) -> Iterator[PageAndView]:
    made = PageAndView(explorer=explorer)
    presenter = Presenter(explorer, made, "page")
    made.settle()
    yield made
    presenter.close()
    made.close()


@pytest.fixture(autouse=True)
def _clean(explorer: Explorer, view: PageAndView) -> None:
    view.settle()
    view.page.errors.clear()
    view.page.heads.clear()


def ask(view: PageAndView, buffers: Any = (), **intent: Any) -> list[dict[str, Any]]:
    """All heads that are received after an intent."""
    view.page.heads.clear()
    view.page.send(intent, buffers)
    view.settle()
    return list(view.page.heads)


def test_the_typescript_is_written_from_these_classes():
    assert TARGET.read_text(encoding="utf-8") == write_interfaces()


def test_commands_reach_the_explorer(explorer: Explorer, view: PageAndView):
    ask(view, t="cmd", req=1, name="invert")
    assert len(explorer.selection) == N_SAMPLES
    assert explorer.selection.origin == "page"
    ask(view, t="cmd", req=2, name="undo")
    assert len(explorer.selection) == 0
    ask(view, t="cmd", req=3, name="redo")
    ask(view, t="cmd", req=4, name="clear")
    assert len(explorer.selection) == 0
    assert view.page.errors == []


def test_parameters_change_and_a_broken_rule_is_answered(explorer: Explorer, view: PageAndView):
    ask(view, t="params", req=5, values={"n_neighbors": 11})
    assert explorer.parameters.n_neighbors == 11
    assert view.page.traits["parameters"]["n_neighbors"] == 11
    (refusal,) = ask(view, t="params", req=6, values={"n_neighbors": -1})
    assert refusal == {
        "t": "err",
        "req": 6,
        "message": "n_neighbors must be in [2, 500]; got -1.",
        "hint": "Give a value in this range.",
    }


def test_a_map_of_columns_is_trained_and_a_missing_column_is_answered(
    explorer: Explorer, view: PageAndView
):
    before, positions = explorer.samples, explorer.embedding.positions
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 3)), columns=["a", "b", "c"])
    explorer.set_samples(table.assign(c=np.where(table.index == 4, np.nan, table["c"])))
    view.settle()
    assert view.page.traits["catalog"]["learn_columns"] == ["a", "b", "c"]
    assert view.page.traits["catalog"]["learned_kind"] == "shown"
    (refusal,) = ask(view, t="train-from", req=7, columns=["d"])
    assert refusal["req"] == 7
    assert "['d'] are missing" in refusal["message"]
    assert explorer.status.phase.value == "idle", "nothing was trained"
    explorer.set_parameters(n_neighbors=30)  # refused: the choice is made, and no run started
    ask(view, t="train-from", req=8, columns=["a", "b"])
    catalog = view.page.traits["catalog"]
    assert (catalog["learned_columns"], catalog["learned_kind"]) == (["a", "b"], "columns")
    assert catalog["learns_from"] == "a, b"
    ask(view, t="train-from", req=9, columns=[])
    assert view.page.traits["catalog"]["learns_from"] == "whole rows"
    explorer.set_parameters(n_neighbors=11)
    explorer.set_samples(before)
    explorer.place(positions)


def test_gates_are_drawn_combined_edited_and_removed(explorer: Explorer, view: PageAndView):
    ask(view, t="gate-add", req=1, polygon=SQUARE.tolist())
    ask(view, t="gate-add", req=2, polygon=(SQUARE + 0.7).tolist())
    first, second = explorer.gates.names
    ask(view, t="gate-combine", req=3, operation="union", members=[first, second])
    assert view.page.gates[explorer.gates.names[2]] == explorer.gate_counts()["count"].iloc[2]
    change = {"new_name": "corner", "color": "#112233", "polygon": None}
    ask(view, t="gate-edit", req=4, rev=0, name=first, **change)
    assert explorer.gates["corner"].color == "#112233"
    for polygon in (None, [[0, 0], [1, 1]]):  # nothing to change; refused
        change = {"new_name": None, "color": None, "polygon": polygon}
        heads = ask(view, t="gate-edit", req=5, rev=90, name="corner", **change)
        assert [head["req"] for head in heads if head["t"] == "err"] == [5] * (polygon is not None)
        (gates,) = (head for head in heads if head["t"] == "gates")
        assert gates["rev"] == 90  # the revision that the page shows
        assert gates["gates"][0]["polygon"] == SQUARE.tolist()
    ask(view, t="gate-select", req=5, name="corner", mode="replace")
    assert len(explorer.selection) == view.page.gates["corner"] > 0
    (refusal,) = ask(view, t="gate-remove", req=6, name="corner")
    assert refusal["req"] == 6  # another is made of it
    for name in reversed(explorer.gates.names):
        ask(view, t="gate-remove", req=7, name=name)
    assert view.page.gates == {}


def test_colours(explorer: Explorer, view: PageAndView):
    heads = ask(view, t="color", req=1, by="selection", name="", palette="", limits=None, hidden=[])
    (colors,) = [head for head in heads if head["t"] == "attr"]
    assert colors["by"] == explorer.color_by.kind == "selection"
    assert sum(entry["count"] for entry in colors["legend"]) == N_SAMPLES
    wrong = {"by": "feature", "name": "no such column", "palette": "", "limits": None}
    refusal, unchanged = ask(view, t="color", req=2, hidden=[], **wrong)
    assert [refusal["t"], refusal["req"]] == ["err", 2]
    assert [unchanged["t"], unchanged["by"]] == ["attr", "selection"]
    assert explorer.color_by.kind == "selection"


def test_a_refused_selection_is_answered_by_the_unchanged_one(
    explorer: Explorer, view: PageAndView
):
    explorer.select_rows([3, 4])
    view.settle()
    view.page.mask = np.ones(N_SAMPLES, bool)
    revision = view.page.revisions["sel"] = 1000
    heads = ask(view, [b"\x01"], t="select", rev=revision, origin="map", mode="replace")
    assert {head["t"] for head in heads} == {"err", "sel"}
    assert np.flatnonzero(view.page.mask).tolist() == [3, 4]
    assert view.outbox.revisions()["sel"] >= 1000


def test_a_selection_that_changes_nothing_is_answered_too(explorer: Explorer, view: PageAndView):
    explorer.clear_selection()
    view.settle()
    bits = bytes((N_SAMPLES + 7) // 8)
    heads = ask(view, [bits], t="select", rev=5000, origin="map", mode="add")
    assert any(head["t"] == "sel" and head["rev"] >= 5000 for head in heads)


def test_tables_have_names_for_thumbnails(view: PageAndView):
    (sheet,) = ask(view, t="thumbs", rows=[0, 59])
    assert (sheet["w"], sheet["h"], sheet["rows"]) == (0, 0, [0, 59])
    assert len(sheet["names"]) == 2
    (refusal,) = ask(view, t="thumbs", rows=[60])
    assert "60" in refusal["message"]


def test_the_hover_text_has_the_values_of_describe_row():
    """The first three features and the one that colours, in the words of both front ends."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(60, 5)), columns=list("abcde")).assign(kind="x")
    explorer = Explorer(samples_from_table(table))
    view = PageAndView(explorer=explorer)
    presenter = Presenter(explorer, view, "page")
    for colored_by in ("", "b", "kind"):
        explorer.color(ColorBy("feature", colored_by) if colored_by else ColorBy())
        view.settle()
        (sheet,) = ask(view, t="thumbs", rows=[59, 3, 59])
        for row, values in zip(sheet["rows"], sheet["values"], strict=True):
            shown = sorted(values, key=lambda value: value[0] != colored_by)[:3]  # as the page does
            expected = describe_row(explorer.samples, row, colored_by).values[:3]
            assert [tuple(value) for value in shown] == list(expected)
            assert len(values) == (4 if colored_by == "kind" else 3)
    explorer.add_gate(SQUARE, "kind")
    explorer.color(ColorBy("gate", "kind"))  # named as a feature, but none
    view.settle()
    (sheet,) = ask(view, t="thumbs", rows=[3])
    assert [name for name, _ in sheet["values"][0]] == ["a", "b", "c"]
    presenter.close()
    view.close()


def test_decoding_without_a_map_says_what_to_do(view: PageAndView):
    (refusal,) = ask(view, t="decode", req=9, x=0.0, y=0.0)
    assert refusal["req"] == 9
    assert "trained" in refusal["message"]
    assert refusal["hint"]


def test_hover(explorer: Explorer, view: PageAndView):
    ask(view, t="hover", row=7)
    assert explorer.hovered.row == 7
    ask(view, t="hover", row=-1)
    assert explorer.hovered.row is None


_scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_json = st.recursive(
    _scalar,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
_field_names = sorted({field.name for intent in FROM_PAGE for field in dataclasses.fields(intent)})
# Hello and poll have other answers; training takes too long here.
_kinds = [intent.kind for intent in FROM_PAGE if intent.kind not in ("hello", "poll", "ack")]
_almost = st.fixed_dictionaries(
    {"t": st.sampled_from(_kinds)}, optional=dict.fromkeys(_field_names, _json)
).filter(lambda intent: intent.get("name") != "train")


@given(content=_json | _almost, buffer=st.binary(max_size=16))
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_message_of_a_page_is_answered_and_ends_no_thread(
    explorer: Explorer, view: PageAndView, content: Any, buffer: bytes
):
    view.page.errors.clear()
    view.dispatcher.receive(content, [buffer])
    view.dispatcher.wait_idle()
    view.pump.turn()
    if not _is_intent(content):
        assert len(view.page.errors) == 1, content
        assert view.page.errors[0]["message"]
    view.dispatcher.receive({"t": "thumbs", "rows": [1]})
    assert view.dispatcher.wait_idle()
    assert view.dispatcher._commands._thread.is_alive()
    assert view.dispatcher._drawing._thread.is_alive()


def _is_intent(content: Any) -> bool:
    from embedscope._errors import InvalidInputError
    from embedscope.jupyter_widget.protocol._reading import read_intent

    try:
        read_intent(content)
    except InvalidInputError:
        return False
    return True


def test_nothing_of_a_refusal_breaks_json(view: PageAndView):
    for value in (float("nan"), float("inf"), -(10**400), "\ud800", [[]] * 3):
        view.page.send({"t": "decode", "req": 1, "x": value, "y": 0.0})
    view.settle()
    assert len(view.page.errors) == 5
    json.dumps(view.page.errors, allow_nan=False)


def test_too_many_requests_are_refused():
    import threading

    worker, gate = Worker("test"), threading.Event()
    worker.post(lambda: gate.wait(10) and None)
    while worker._jobs:  # the first has begun
        pass
    done: list[int] = []
    accepted = [worker.post(lambda: done.append(1)) for _ in range(MOST_WAITING + 3)]
    assert accepted.count(False) == 3
    gate.set()
    assert worker.wait_idle(10)
    assert len(done) == MOST_WAITING
    worker.close()


def test_of_several_waiting_points_only_the_last_is_decoded():
    import threading

    worker, gate = Worker("test"), threading.Event()
    worker.post(lambda: gate.wait(10) and None)
    while worker._jobs:
        pass
    done: list[int] = []
    for place in range(5):
        worker.post(lambda place=place: done.append(place), "decode")
    gate.set()
    assert worker.wait_idle(10)
    assert done == [4]
    worker.close()


def test_a_later_request_comes_after_what_was_asked_in_between():
    """Decode, clear, decode: the last picture is not cleared."""
    import threading

    worker, gate = Worker("test"), threading.Event()
    worker.post(lambda: gate.wait(10) and None)
    while worker._jobs:
        pass
    done: list[str] = []
    for job in ("decode 1", "clear", "decode 2"):
        worker.post(lambda job=job: done.append(job), job.split()[0])
    gate.set()
    assert worker.wait_idle(10)
    assert done == ["clear", "decode 2"]
    worker.close()


def test_a_question_about_the_selection_waits_for_the_selection(
    explorer: Explorer, view: PageAndView
):
    """Commands and questions have different threads."""
    import threading

    explorer.select_rows([1])
    asked: list[list[int]] = []
    gate = threading.Event()
    view.intents.explanation_requested.connect(lambda: asked.append(list(explorer.selection.rows)))
    view.dispatcher._commands.post(lambda: gate.wait(10) and None)
    bits = np.packbits(np.arange(N_SAMPLES) < 3, bitorder="little").tobytes()
    view.page.send({"t": "select", "rev": 1, "origin": "map", "mode": "replace"}, [bits])
    view.page.send({"t": "why", "req": 2})
    assert view.dispatcher._drawing.wait_idle(10)
    assert asked == []
    gate.set()
    view.settle()
    assert asked == [[0, 1, 2]]


def test_the_map_is_sent_to_a_page_that_asks_for_the_present_one(view: PageAndView):
    heads = ask(view, t="replay", req=3, index=-1)
    assert [head["snapshot"] for head in heads if head["t"] == "emb"] == [-1]


def test_colours_say_which_request_they_include(explorer: Explorer, view: PageAndView):
    plain = {"t": "color", "palette": "", "limits": None, "hidden": []}
    for req, by in ((5, "selection"), (6, "selection"), (7, "none")):  # 6 changes nothing
        heads = ask(view, **plain, req=req, by=by, name="")
        assert [head["req"] for head in heads if head["t"] == "attr"][-1] == req
    explorer.color(ColorBy("selection"))
    view.settle()
    assert view.page.heads[-1]["req"] == 7


def test_a_selection_of_earlier_samples_selects_no_present_ones(
    explorer: Explorer, view: PageAndView
):
    """The number of samples is the same, so the bits do not show it."""
    seen = view.page.revisions["emb"]
    explorer.set_samples(np.zeros((N_SAMPLES, 2), np.float32))
    explorer.place(np.ones((N_SAMPLES, 2)))
    view.settle()  # all messages of the new map have been received
    bits = np.packbits(np.ones(N_SAMPLES, bool), bitorder="little").tobytes()
    intent = {"t": "select", "origin": "map", "mode": "replace"}
    heads = ask(view, [bits], **intent, rev=500, emb=seen)
    assert [head["t"] for head in heads if head["t"] in ("err", "sel")] == ["err", "sel"]
    assert len(explorer.selection) == 0
    ask(view, [bits], **intent, rev=501, emb=view.page.revisions["emb"])
    assert len(explorer.selection) == N_SAMPLES
