"""The widget in Python, without a kernel."""

from __future__ import annotations

import base64
import gc
import json
import re
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import matplotlib.image
import numpy as np
import pytest
import traitlets
from fake_page import FakePage
from IPython.core.interactiveshell import InteractiveShell
from view_contract import N_SAMPLES, SQUARE, explorer_with_map

import embedscope
from embedscope._errors import InvalidInputError, InvalidTypeError
from embedscope.explorer import Explorer
from embedscope.jupyter_widget import ExplorerWidget
from embedscope.jupyter_widget.pictures._atlas import PLACES_PER_SIDE
from embedscope.jupyter_widget.protocol._messages import PROTOCOL
from embedscope.jupyter_widget.protocol._state import Traits
from embedscope.samples import samples_from_array


def wait_until(holds: Callable[[], Any], timeout_s: float = 20) -> None:
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.01)  # what is waited for changes in several threads, so it is polled


def connect(widget: ExplorerWidget) -> FakePage:
    """A fake page that receives what the widget sends."""
    page = FakePage()
    widget._view.pump._send = page.receive
    page.send = lambda content, buffers=(): widget._handle_custom_msg(content, list(buffers))
    page.hello()
    return page


@pytest.fixture
def explorer() -> Explorer:
    return explorer_with_map()


@pytest.fixture
def widget(explorer: Explorer) -> Iterator[ExplorerWidget]:
    made = ExplorerWidget(explorer)
    yield made
    made.close()


@pytest.fixture(scope="module")
def trained() -> Explorer:
    """Sixty small pictures with a map and a decoder."""
    rng = np.random.default_rng(0)
    pictures = rng.random((60, 8, 8, 1), dtype=np.float32) * 0.2
    pictures[:30, :4] += 0.7
    explorer = Explorer(samples_from_array(pictures))
    explorer.set_parameters(reconstruction=True, n_neighbors=8, encoder="dense", random_state=0)
    explorer.train()
    assert explorer.wait(120).phase.name == "DONE"
    return explorer


def test_the_traits_are_those_that_the_page_is_written_against(widget: ExplorerWidget):
    synced = {name for name in widget.keys if not name.startswith("_")}
    synced -= {"layout", "tabbable", "tooltip"}
    assert synced == set(Traits.__dataclass_fields__)
    assert widget.protocol == PROTOCOL
    state = json.loads(json.dumps({name: getattr(widget, name) for name in synced}))
    assert state["catalog"]["n_samples"] == N_SAMPLES
    assert state["status"]["phase"] == "idle"
    assert {field["name"] for field in state["form"]} == set(state["parameters"])


def test_the_selection_is_a_trait(explorer: Explorer, widget: ExplorerWidget):
    heard: list[int] = []
    widget.observe(lambda change: heard.append(len(change.new)), "selection")
    explorer.select_rows([2, 5])
    assert [one.label for one in widget.selection] == [2, 5]
    widget.selection = [("array", 0, 7)]
    assert explorer.selection.rows.tolist() == [7]
    assert explorer.selection.origin == "python"
    widget.selection = ()
    assert len(explorer.selection) == 0
    assert heard == [2, 1, 0]


def test_samples_that_text_identifies():
    values = np.random.default_rng(0).random((3, 2))
    explorer = Explorer(samples_from_array(values, ids=["007", "AAC-1", "é"]))
    explorer.place(values)
    widget = ExplorerWidget(explorer)
    page = connect(widget)
    page.wait_for_arrival(20)
    widget.selection = (("array", 0, "007"),)
    assert explorer.selection.rows.tolist() == [0]
    explorer.select_ids([("array", 0, "é")])
    wait_until(lambda: widget.selection == (("array", 0, "é"),))
    wait_until(lambda: page.mask.tolist() == [False, False, True])
    widget.close()


def test_what_the_page_saves_of_the_selection(explorer: Explorer, widget: ExplorerWidget):
    """Python has the selection before: other cells of a marimo notebook read it at once."""
    told: list[tuple[int, int]] = []

    def receive(message: Any, _: Any) -> None:
        if message.kind == "sel":
            told.append((message.count, len(widget.selection)))

    widget._view.pump._send = receive
    widget._handle_custom_msg({"t": "hello", "have": {}, "webgl": True}, [])
    explorer.select_rows([1, 2, 3])
    wait_until(lambda: told and told[-1][0] == 3)
    assert told[-1] == (3, 3)
    widget.set_state({"selected": {"count": 3, "revision": 7}})
    assert widget.get_state()["selected"] == {"count": 3, "revision": 7}
    assert len(widget.selection) == 3
    with pytest.raises(traitlets.TraitError):
        widget.set_state({"selected": {"count": "many", "revision": 8}})


def test_a_selection_of_unknown_samples_is_refused(explorer: Explorer, widget: ExplorerWidget):
    explorer.select_rows([1])
    for wrong in ([("elsewhere", 0, 1)], [("array", 3, 1)]):
        with pytest.raises(InvalidInputError):
            widget.selection = wrong
    assert [one.label for one in widget.selection] == [1]
    assert explorer.selection.rows.tolist() == [1]


@pytest.mark.parametrize("wrong", [None, 5, "abc", [1, 2], [("array", 0)], np.arange(3)])
def test_a_selection_of_something_else_is_refused(widget: ExplorerWidget, wrong: Any):
    with pytest.raises((InvalidTypeError, traitlets.TraitError), match="selection"):
        widget.selection = wrong
    assert widget.selection == ()


def test_what_the_page_shows_is_set_by_the_widget_alone(explorer: Explorer, widget: ExplorerWidget):
    for name in ("status", "catalog", "history", "form"):
        before = getattr(widget, name)
        with pytest.raises(InvalidInputError, match=f"{name} must be left to the widget"):
            setattr(widget, name, type(before)())
        assert getattr(widget, name) == before
    with pytest.raises(AttributeError):
        widget.explorer = explorer  # type: ignore[misc]
    with pytest.raises(traitlets.TraitError):
        widget.height = 10


def test_parameters_are_a_trait(explorer: Explorer, widget: ExplorerWidget):
    widget.parameters = {**widget.parameters, "n_neighbors": 9}
    assert explorer.parameters.n_neighbors == 9
    with pytest.raises(InvalidInputError, match="n_neighbors must be in"):
        widget.parameters = {"n_neighbors": -1}
    explorer.set_parameters(n_neighbors=12)
    wait_until(lambda: widget.parameters["n_neighbors"] == 12)


def test_the_selection_links_to_another_widget(explorer: Explorer, widget: ExplorerWidget):
    count = ipywidgets.IntText()
    traitlets.dlink((widget, "selection"), (count, "value"), len)
    explorer.select_rows([1, 2, 3])
    assert count.value == 3
    box = ipywidgets.HBox([widget, count])
    assert box.children[0] is widget
    box.close()
    count.close()


def test_two_widgets_show_the_same_without_an_echo(explorer: Explorer, widget: ExplorerWidget):
    other = ExplorerWidget(explorer)
    pages = [connect(widget), connect(other)]
    wait_until(lambda: all(len(page.positions) == N_SAMPLES for page in pages))
    changes: list[str] = []
    explorer.events.selection_changed.connect(lambda selection: changes.append(selection.origin))
    pages[0].lasso(SQUARE, "replace")
    wait_until(lambda: pages[1].mask.any())
    time.sleep(0.3)  # no echo may arrive in this time
    assert len(changes) == 1
    assert changes[0].startswith("widget")
    np.testing.assert_array_equal(pages[0].mask, pages[1].mask)
    assert widget.selection == other.selection != ()
    other.close()


def test_a_closed_widget_leaves_no_thread_and_no_listener(explorer: Explorer):
    threads = set(threading.enumerate())
    listeners = [len(signal) for signal in explorer.events.signals.values()]
    made = ExplorerWidget(explorer)
    assert len(set(threading.enumerate()) - threads) == 3
    made.close()
    assert set(threading.enumerate()) <= threads
    assert [len(signal) for signal in explorer.events.signals.values()] == listeners
    made.close()  # a second time changes nothing
    explorer.select_rows([1])


def test_a_closed_widget_does_not_reference_its_explorer():
    explorer = Explorer(np.zeros((20, 3), np.float32))
    widget = ExplorerWidget(explorer)
    widget.close()
    gone = weakref.ref(widget), weakref.ref(explorer)
    del widget, explorer
    gc.collect()
    assert [each() for each in gone] == [None, None]


def test_training_goes_on_when_its_widget_is_closed_and_shows_in_another():
    rng = np.random.default_rng(1)
    explorer = Explorer(samples_from_array(rng.normal(size=(60, 4)).astype(np.float32)))
    explorer.set_parameters(reconstruction=False)
    first = ExplorerWidget(explorer)
    page = connect(first)
    page.send({"t": "cmd", "req": 1, "name": "train"})
    wait_until(lambda: explorer.status.phase.is_at_work)
    first.close()
    assert explorer.wait(120).phase.name == "DONE"
    second = ExplorerWidget(explorer)
    late = connect(second)
    wait_until(lambda: len(late.losses) and len(late.positions))
    np.testing.assert_array_equal(late.positions, explorer.embedding.positions)
    for name, values in explorer.losses.items():
        assert late.losses[name] == pytest.approx(values, nan_ok=True)
    second.close()


def test_a_png_of_the_map(explorer: Explorer, widget: ExplorerWidget, tmp_path: Path):
    explorer.select_rows([0, 1])
    png = widget.to_png(tmp_path / "map.png", dpi=100)
    assert (tmp_path / "map.png").read_bytes() == png
    picture = matplotlib.image.imread(tmp_path / "map.png")
    assert picture.shape == (480, 640, 4)
    assert (picture[..., :3].min(axis=2) < 0.9).sum() > 500  # points were drawn


def test_an_explorer_without_samples_has_a_widget():
    made = ExplorerWidget()
    assert made.selection == ()
    assert made.catalog["n_samples"] == 0
    with pytest.raises((InvalidInputError, traitlets.TraitError)):
        made.selection = [("array", 0, 1)]
    made.explorer.set_samples(np.zeros((4, 3), np.float32) + np.arange(4)[:, None])
    wait_until(lambda: made.catalog["n_samples"] == 4)
    assert made.to_png().startswith(b"\x89PNG")
    made.close()


def test_outside_a_kernel_both_are_shown_by_their_repr(widget: ExplorerWidget):
    formatter = InteractiveShell.instance().display_formatter
    assert embedscope.Explorer.display is not None
    for shown in (widget, widget.explorer):
        data, _ = formatter.format(shown)
        assert data["text/plain"].startswith(("ExplorerWidget(", "<embedscope"))
    InteractiveShell.clear_instance()


def test_the_decoder_answers_with_the_request_it_answers(trained: Explorer):
    made = ExplorerWidget(trained)
    page = connect(made)
    x, y = trained.embedding.positions[3].tolist()
    page.send({"t": "decode", "req": 17, "x": x, "y": y})
    wait_until(lambda: "dec" in page.pictures)
    head, (rgb, spread) = page.pictures["dec"]
    assert (head["req"], head["decoded"], head["w"], head["h"]) == (17, True, 8, 8)
    assert head["rows"][0] == 3
    assert len(head["names"]) == len(head["distances"]) == len(head["rows"])
    picture = np.frombuffer(rgb, np.uint8).reshape(8, 8, 3)
    np.testing.assert_array_equal(picture, trained.reconstruction.picture)
    assert spread == trained.reconstruction.spread_picture.tobytes() != b""
    assert (head["style"], head["style_name"]) == (
        "typical",
        "",
    )  # without style codes
    path = [[x, y], [x + 1, y]]
    page.send({"t": "decode-path", "req": 18, "points": path, "n": 5})
    wait_until(lambda: "path" in page.pictures)
    head, (sheet, places, _) = page.pictures["path"]
    assert (head["n"], len(sheet)) == (5, 5 * 8 * 8 * 3)
    np.testing.assert_allclose(np.frombuffer(places, "<f4")[[0, 1, 8]], [x, y, x + 1], atol=1e-5)
    made.close()


def test_thumbnails_are_those_of_the_samples(trained: Explorer):
    made = ExplorerWidget(trained)
    page = connect(made)
    page.send({"t": "thumbs", "rows": [40, 2]})
    wait_until(lambda: "thumb" in page.pictures)
    head, (sheet,) = page.pictures["thumb"]
    pictures = np.frombuffer(sheet, np.uint8).reshape(2, head["h"], head["w"], 3)
    for row, picture in zip([40, 2], pictures, strict=True):
        np.testing.assert_array_equal(picture, trained.samples.thumbnail(row))
    made.close()


def test_the_atlas_covers_the_map_and_is_what_the_decoder_draws(trained: Explorer):
    made = ExplorerWidget(trained)
    page = connect(made)
    wait_until(lambda: "atlas" in page.pictures)
    head, (sheet, support) = page.pictures["atlas"]
    assert head["nx"] == head["ny"] == PLACES_PER_SIDE
    pictures = np.frombuffer(sheet, np.uint8).reshape(-1, head["h"], head["w"], 3)
    assert len(pictures) == len(support) == PLACES_PER_SIDE**2
    low, high = trained.embedding.positions.min(axis=0), trained.embedding.positions.max(axis=0)
    assert head["x0"] < low[0] < high[0] < head["x1"]
    assert head["y0"] < low[1] < high[1] < head["y1"]
    cell = np.array([head["x1"] - head["x0"], head["y1"] - head["y0"]]) / PLACES_PER_SIDE
    column, row = 5, 9
    place = np.array([head["x0"], head["y0"]]) + cell * [column + 0.5, row + 0.5]
    drawn = trained.draw(place[None])[0]
    there = pictures[row * PLACES_PER_SIDE + column]
    assert np.abs(there.astype(int) - drawn.picture.astype(int)).max() <= 1
    made.close()


def test_the_explanation_and_the_replay(trained: Explorer):
    made = ExplorerWidget(trained)
    page = connect(made)
    trained.select_rows([1, 2, 3])
    page.send({"t": "why", "req": 4})
    wait_until(lambda: "explain" in page.pictures)
    head, (saliency,) = page.pictures["explain"]
    assert (head["req"], len(saliency)) == (4, 64)
    assert max(saliency) == 255
    assert "3 samples" in head["title"]
    index = len(trained.replay) // 2
    page.send({"t": "replay", "req": 5, "index": index})
    wait_until(lambda: page.heads and any(h.get("snapshot") == index for h in page.heads))
    np.testing.assert_allclose(page.positions, trained.replay.positions(index), atol=1e-6)
    page.send({"t": "replay", "req": 6, "index": -1})
    wait_until(lambda: [h["snapshot"] for h in page.heads if h["t"] == "emb"][-1] == -1)
    made.close()


def test_a_static_page_holds_everything(trained: Explorer, tmp_path: Path):
    made = ExplorerWidget(trained)
    with pytest.raises(InvalidInputError, match="most_thumbnails must be 0 or more"):
        made.save_html(tmp_path / "map.html", most_thumbnails=-1)
    made.save_html(tmp_path / "map.html", title="A <map>", most_thumbnails=20)
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "<title>A &lt;map&gt;</title>" in page
    assert not re.search(r"""(src|href)=["']?https?:""", page)
    text = re.search(r'id="recording">(.*?)</script>', page, re.DOTALL)
    assert text is not None
    recording = json.loads(text[1])
    assert recording["traits"]["is_static"] is True
    assert recording["traits"].keys() == Traits.__dataclass_fields__.keys()
    kinds = [message["head"]["t"] for message in recording["messages"]]
    assert {"emb", "attr", "loss", "sel", "gates", "thumb", "atlas"} <= set(kinds)
    first = recording["messages"][kinds.index("emb")]
    deflated = base64.b64decode(first["buffers"][0]["deflated"])
    xy = np.frombuffer(zlib.decompress(deflated), "<f4").reshape(-1, 2)
    np.testing.assert_array_equal(xy, trained.embedding.positions)
    snapshots = [m["head"]["snapshot"] for m in recording["messages"] if m["head"]["t"] == "emb"]
    assert snapshots == [-1, *range(len(recording["traits"]["catalog"]["epochs"]))]
    thumbnails = [m["head"]["rows"] for m in recording["messages"] if m["head"]["t"] == "thumb"]
    assert sum(map(len, thumbnails)) == 20
    made.close()
