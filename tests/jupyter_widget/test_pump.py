"""What is sent, when, and by which thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from fake_page import FakePage, PageAndView
from view_contract import SQUARE, explorer_with_map

from embedscope.explorer import Explorer, Presenter
from embedscope.jupyter_widget.wire._outbox import PageOutbox
from embedscope.jupyter_widget.wire._pump import TRAIT, Pace


@pytest.fixture
def explorer() -> Explorer:
    return explorer_with_map()


@pytest.fixture
def view(explorer: Explorer) -> Iterator[PageAndView]:
    made = PageAndView()
    presenter = Presenter(explorer, made, "page")
    made.settle()
    yield made
    presenter.close()
    made.close()


def test_a_newer_value_replaces_a_waiting_one():
    outbox = PageOutbox()
    for value in "abc":
        outbox.put("emb", value)
    outbox.put("sel", 1)
    assert outbox.waiting() == ("emb", "sel")
    slot = outbox.take("emb")
    assert (slot.value, slot.revision) == ("c", 3)
    assert outbox.waiting() == ("sel",)


def test_a_revision_is_never_smaller_than_asked():
    outbox = PageOutbox()
    outbox.put("sel", "x", least_revision=7)
    outbox.put_again("sel", least_revision=9)
    assert outbox.take("sel").revision == 9
    outbox.put("sel", "y", least_revision=2)
    assert outbox.take("sel").revision == 10


def test_at_most_ten_a_second_and_each_kind_every_tenth():
    pace, now, sent = Pace(), 0.0, []
    while now < 5:
        for kind in ("status", "loss", "sel", "gates"):
            if pace.delay(kind, now) <= 0:
                pace.record(kind, 1, now)
                sent.append((kind, now))
        now += 0.005
    times = np.array([when for _, when in sent])
    assert max(((times >= t) & (times < t + 1)).sum() for t in times) <= 10
    assert 45 <= len(times) <= 50
    for kind in ("status", "loss", "sel", "gates"):
        assert np.diff([when for what, when in sent if what == kind]).min() > 0.0999


def test_the_next_map_waits_for_the_page_or_two_seconds():
    pace = Pace()
    pace.record("emb", 4, 10.0)
    assert pace.delay("emb", 10.5) == pytest.approx(1.5)
    assert pace.delay("emb", 12.0) <= 0
    pace.acknowledge(3)  # of an older map
    assert pace.delay("emb", 10.5) > 0
    pace.acknowledge(4)
    assert pace.delay("emb", 10.5) <= 0


def test_a_flood_is_thinned_and_ends_with_the_latest(explorer: Explorer, view: PageAndView):
    before = len(view.page.heads)
    started = time.monotonic()
    moved = explorer.embedding.positions
    while time.monotonic() - started < 1.0:
        moved = moved + np.float32(0.01)
        explorer.place(moved)
        explorer.select_rows([1])
        explorer.clear_selection()
        time.sleep(0.002)  # 500 changes a second; the loop must last a second to measure a rate
    view.settle()
    seconds = time.monotonic() - started
    assert len(view.page.heads) - before <= 10 * (seconds + 1)
    np.testing.assert_array_equal(view.page.positions, explorer.embedding.positions)
    assert not view.page.mask.any()


def test_a_page_that_acknowledges_nothing_gets_a_map_every_two_seconds(explorer: Explorer):
    view = PageAndView(FakePage(acknowledges=False))
    presenter = Presenter(explorer, view, "page")
    while "emb" not in view.page.revisions:
        view.page.wait_for_arrival(1.0)
    for _ in range(5):
        explorer.place(explorer.embedding.positions + np.float32(0.5))
        time.sleep(0.05)  # so that the pump could send each
    view.settle()
    sent = [when for kind, when in view.page.times if kind == "emb"]
    assert min(np.diff(sent)) > 1.9
    np.testing.assert_array_equal(view.page.positions, explorer.embedding.positions)
    presenter.close()
    view.close()


def test_only_one_thread_sends(explorer: Explorer, view: PageAndView):
    explorer.select_polygon(SQUARE)
    threading.Thread(target=explorer.clear_selection).start()
    view.page.lasso(SQUARE, "replace")
    view.settle()
    assert view.page.threads == {"embedscope-pump"}


def test_a_poll_is_answered_in_its_own_thread(explorer: Explorer, view: PageAndView):
    """For hosts that show nothing sent by other threads."""
    view.page.threads.clear()
    view.page.heads.clear()
    view.page.send({"t": "poll", "have": {}})
    assert threading.current_thread().name in view.page.threads
    kinds = {head["t"] for head in view.page.heads}
    assert kinds >= {"emb", "attr", "sel", "gates", "sync"}


def test_a_page_that_was_reloaded_gets_everything(explorer: Explorer, view: PageAndView):
    explorer.select_polygon(SQUARE)
    explorer.add_gate(SQUARE, "corner")
    explorer.hover(5)
    view.settle()
    fresh = FakePage()
    before = view.page
    view.page = fresh
    view.pump._send, view.pump._set_trait = fresh.receive, fresh.set_trait
    fresh.send = view.dispatcher.receive
    fresh.hello()
    view.settle()
    np.testing.assert_array_equal(fresh.positions, before.positions)
    np.testing.assert_array_equal(fresh.mask, before.mask)
    assert fresh.gates == {"corner": len(explorer.selection)}
    assert fresh.hovered == 5


def test_a_page_that_lacks_nothing_gets_no_array_again(view: PageAndView):
    view.page.heads.clear()
    view.page.send({"t": "poll", "have": view.outbox.revisions()})
    view.settle()
    assert [head["t"] for head in view.page.heads] == ["sync"]
    revisions = view.page.heads[0]["revs"]
    assert revisions.items() <= view.outbox.revisions().items()


def test_before_a_page_is_open_only_traits_are_sent(explorer: Explorer):
    view = PageAndView.__new__(PageAndView)
    page = FakePage()
    page.hello = lambda: None  # type: ignore[method-assign]
    PageAndView.__init__(view, page)
    presenter = Presenter(explorer, view, "page")
    while any(kind.startswith(TRAIT) for kind in view.outbox.waiting()):
        page.wait_for_arrival(1.0)
    with view.pump._sending:  # what is being sent has arrived
        assert page.heads == []
        assert page.traits["catalog"]["n_samples"] == 60
    FakePage.hello(page)
    view.settle()
    assert len(page.positions) == 60
    presenter.close()
    view.close()


def test_an_error_of_sending_is_logged(explorer: Explorer, view: PageAndView, caplog):
    def fail(message, buffers):
        raise RuntimeError("the comm is closed")

    receive, view.pump._send = view.pump._send, fail
    explorer.select_rows([1])
    view.settle()
    assert "the comm is closed" in caplog.text
    view.pump._send = receive
    explorer.select_rows([2])
    view.settle()
    assert np.flatnonzero(view.page.mask).tolist() == [2]


def test_losses_are_sent_once_and_a_new_run_begins_again(view: PageAndView):
    for length in (1, 3, 5):
        losses = {"umap": np.linspace(1, 0.5, 5)[:length].tolist(), "decoder": [0.1] * length}
        view.show_losses(losses)
        view.settle()
    starts = [head["start"] for head in view.page.heads if head["t"] == "loss"]
    assert starts[-3:] == [0, 1, 3]
    assert view.page.losses["umap"] == pytest.approx(np.linspace(1, 0.5, 5))
    runs = {head["run"] for head in view.page.heads if head["t"] == "loss"}
    view.show_losses({"umap": [7.0] * 9})
    view.settle()
    assert view.page.heads[-1]["run"] not in runs
    assert view.page.losses["umap"] == pytest.approx([7.0] * 9)
