"""Answers that the page has to remove when the samples or the map change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from fake_page import PageAndView
from view_contract import explorer_with_map

from embedscope.explorer import Explorer, Presenter
from embedscope.jupyter_widget.pictures._atlas import PLACES_PER_SIDE, AtlasUpdater
from embedscope.samples import samples_from_array


@pytest.fixture(scope="module")
def trained() -> Explorer:
    """Sixty small pictures, of which two maps were made; the second is shown."""
    rng = np.random.default_rng(0)
    pictures = rng.random((60, 6, 6, 1), dtype=np.float32) * 0.2
    pictures[:30, :3] += 0.7
    explorer = Explorer(samples_from_array(pictures))
    explorer.set_parameters(reconstruction=True, n_neighbors=8, encoder="dense")
    for seed in (0, 1):
        explorer.set_parameters(random_state=seed)
        explorer.train()
        assert explorer.wait(120).phase.name == "DONE"
    return explorer


@pytest.fixture
def show() -> Iterator[Callable[[Explorer], PageAndView]]:
    presenters: list[Presenter] = []

    def show(explorer: Explorer) -> PageAndView:
        view = PageAndView(explorer=explorer)
        presenters.append(Presenter(explorer, view, f"page {len(presenters)}"))
        view.settle()
        return view

    yield show
    for presenter in presenters:
        presenter.close()
        presenter.view.close()


def received(view: PageAndView, kind: str) -> list[dict[str, Any]]:
    view.settle()
    return [head for head in view.page.heads if head["t"] == kind]


class AtlasRecorder:
    """Records atlases; jobs run only when the test calls `draw`, as in a busy worker thread."""

    def __init__(self, explorer: Explorer) -> None:
        self.shown: list[Any] = []
        self.jobs: dict[str, Callable[[], None]] = {}
        self.removed = threading.Event()
        self.updater = AtlasUpdater(
            explorer, self._put, lambda job, key: self.jobs.update({key: job})
        )

    def _put(self, atlas: Any) -> None:
        self.shown.append(atlas)
        if atlas is None:
            self.removed.set()

    def draw(self) -> None:
        self.jobs.pop("atlas")()


def test_other_samples_remove_every_answer(show: Any):
    explorer = explorer_with_map()
    view = show(explorer)
    view.page.heads.clear()
    explorer.set_samples(samples_from_array(np.zeros((60, 4), np.float32)))
    (gone,) = received(view, "gone")
    assert set(gone["what"]) == {"decoded", "path", "reconstructed", "explained", "thumbnails"}


def test_an_earlier_snapshot_keeps_the_atlas(trained: Explorer):
    recorder = AtlasRecorder(trained)
    recorder.draw()
    trained.show_snapshot(0)
    trained.show_snapshot(-1)
    assert len(recorder.shown) == 1
    assert recorder.jobs == {}
    recorder.updater.close()


def test_a_page_removes_what_was_decoded_and_has_a_gate_explained(trained: Explorer, show: Any):
    view = show(trained)
    trained.decode(trained.embedding.positions[0])
    view.page.send({"t": "decode-clear", "req": 7})
    assert received(view, "gone")[-1]["what"] == ["decoded"]
    assert trained.reconstruction is None
    around = 1e4 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    trained.add_gate(around, "all")
    view.page.send({"t": "gate-why", "req": 8, "name": "all"})
    (answer,) = received(view, "explain")
    assert answer["req"] == 8
    assert "60 samples" in answer["title"]
    trained.remove_gate("all")


def test_another_map_removes_only_what_was_shown(trained: Explorer, show: Any):
    view = show(trained)
    trained.decode(trained.embedding.positions[0])
    trained.explain([1, 2])
    view.settle()
    view.page.heads.clear()
    first, second = trained.results
    trained.show_result(first)
    assert {what for gone in received(view, "gone") for what in gone["what"]} == {
        "decoded",
        "explained",
    }
    view.page.heads.clear()
    view.page.hello()
    assert received(view, "dec") == []  # a page that is opened later does not get it either
    trained.show_result(second)


def test_pictures_of_earlier_samples_are_not_sent(trained: Explorer, show: Any, monkeypatch):
    view = show(trained)
    others = samples_from_array(np.zeros((60, 6, 6, 1), np.float32))
    real = type(trained.samples).thumbnail

    def change_meanwhile(samples, row, size=None):
        view.samples = others
        return real(samples, row, size)

    monkeypatch.setattr(type(trained.samples), "thumbnail", change_meanwhile)
    view.page.send({"t": "thumbs", "rows": [1]})
    assert received(view, "thumb") == []


def test_an_atlas_is_removed_with_its_map_and_the_next_is_decoded(trained: Explorer):
    recorder = AtlasRecorder(trained)
    recorder.draw()
    (make_head, _) = recorder.shown.pop()
    assert make_head(rev=1).nx == PLACES_PER_SIDE
    first, second = trained.results
    trained.show_result(first)
    assert recorder.shown == [None]
    recorder.draw()
    assert make_head.keywords != recorder.shown.pop()[0].keywords  # another map, other corners
    recorder.updater.close()
    trained.show_result(second)
    assert recorder.shown == [None]
    assert recorder.jobs == {}


def test_an_atlas_that_was_begun_for_an_earlier_map_is_dropped(trained: Explorer):
    recorder = AtlasRecorder(trained)
    begun = recorder.jobs.pop("atlas")
    first, second = trained.results
    trained.show_result(first)
    begun()
    assert recorder.shown == []
    trained.show_result(second)
    recorder.updater.close()


def test_a_run_removes_the_atlas_and_its_end_adds_one(trained: Explorer):
    recorder = AtlasRecorder(trained)
    recorder.draw()
    trained.set_parameters(n_training_epochs=50)
    trained.train()
    assert recorder.removed.wait(60)
    trained.stop()
    assert trained.wait(120).phase.is_finished
    assert recorder.shown[1:] == [None]
    recorder.draw()
    assert recorder.shown[2] is not None
    recorder.updater.close()


def test_the_nearest_pictures_are_sent_with_what_is_decoded_each_once(trained, show):
    view = show(trained)
    places = trained.embedding.positions

    def ask(**intent: Any) -> list[dict[str, Any]]:
        view.page.heads.clear()
        view.page.send(intent)
        view.settle()
        return [head for head in view.page.heads if head["t"] in ("thumb", "dec")]

    def decode(row: int) -> tuple[list[int], list[int]]:
        """Rows whose pictures came, and rows of the nearest samples."""
        x, y = places[row].tolist()
        *pictures, decoded = ask(t="decode", req=1, x=x, y=y)
        assert decoded["t"] == "dec"  # after the pictures of the nearest samples
        return [row for head in pictures for row in head["rows"]], decoded["rows"]

    known, nearest = decode(0)
    assert known == nearest
    assert len(nearest) == 5
    assert decode(0)[0] == []
    for row in (1, 40):
        new, nearest = decode(row)
        assert new == [row for row in nearest if row not in known]
        known += new
    other = max(set(range(60)) - set(known))
    ask(t="thumbs", rows=[other])
    new, nearest = decode(other)
    assert other in nearest
    assert other not in new
    ask(t="hello", have={}, webgl=True)  # a page that has no pictures
    assert decode(other)[0] == nearest
