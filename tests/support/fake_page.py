"""A page without a browser: it receives messages and sends intents as the page of a user does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from embedscope.explorer import ColorBy, Explorer
from embedscope.explorer.marks._regions import in_polygon
from embedscope.jupyter_widget._dispatcher import IntentDispatcher
from embedscope.jupyter_widget._page_view import PageView
from embedscope.jupyter_widget.protocol._message_base import Message


class FakePage:
    """The state of a page, from messages and traits only; everything passes through JSON."""

    def __init__(self, *, acknowledges: bool = True) -> None:
        self.acknowledges = acknowledges
        self.traits: dict[str, Any] = {}
        self.heads: list[dict[str, Any]] = []
        self.times: list[tuple[str, float]] = []
        self.threads: set[str] = set()
        self.revisions: dict[str, int] = {}
        self.positions = np.empty((0, 2), np.float32)
        self.mask = np.empty(0, bool)
        self.levels = np.empty(0, np.uint8)
        self.losses: dict[str, np.ndarray] = {}
        self.hovered = -1
        self.novel = np.empty(0, np.uint32)
        self.gates: dict[str, int] = {}
        self.pictures: dict[str, tuple[dict[str, Any], list[bytes]]] = {}
        self.errors: list[dict[str, Any]] = []
        self.send: Callable[..., None] = lambda content, buffers=(): None
        self._lock = threading.RLock()
        self._arrived = threading.Event()

    # -- receiving -------------------------------------------------------------------------------

    def set_trait(self, name: str, value: Any) -> None:
        self.times.append((f"trait {name}", time.monotonic()))
        self.threads.add(threading.current_thread().name)
        self.traits[name] = json.loads(json.dumps(value, allow_nan=False))
        self._arrived.set()

    def receive(self, message: Message, buffers: tuple[Any, ...]) -> None:
        head = json.loads(json.dumps(message.to_dict(), allow_nan=False))
        with self._lock:
            self.times.append((head["t"], time.monotonic()))
            self.threads.add(threading.current_thread().name)
            self.heads.append(head)
            if head["t"] != "sel":
                self.revisions[head["t"]] = head.get("rev", 0)
            take = getattr(self, f"_take_{head['t']}", None)
            if take is None:
                self.pictures[head["t"]] = head, [bytes(buffer) for buffer in buffers]
            else:
                take(head, *(bytes(buffer) for buffer in buffers))
        self._arrived.set()

    def wait_for_arrival(self, timeout_s: float) -> None:
        """Wait for the next message or trait, but not longer than the timeout."""
        self._arrived.wait(timeout_s)
        self._arrived.clear()

    def _take_emb(self, head: dict[str, Any], xy: bytes) -> None:
        self.positions = np.frombuffer(xy, "<f4").reshape(head["n"], 2)
        if len(self.mask) != head["n"]:
            self.mask = np.zeros(head["n"], bool)
        if self.acknowledges:
            self.send({"t": "ack", "rev": head["rev"], "ms": 1.0})

    def _take_attr(self, head: dict[str, Any], levels: bytes, palette: bytes) -> None:
        assert len(palette) == 251 * 4
        self.levels = np.frombuffer(levels, np.uint8)

    def _take_loss(self, head: dict[str, Any], rows: bytes) -> None:
        table = np.frombuffer(rows, "<f4").reshape(-1, 1 + len(head["names"]))
        for column, name in enumerate(head["names"], start=1):
            before = self.losses.get(name, np.empty(0))[: head["start"]]
            assert len(before) == head["start"], "a row of losses was lost"
            self.losses[name] = np.append(before, table[:, column])
        self.losses = {name: self.losses[name] for name in head["names"]}

    def _take_sel(self, head: dict[str, Any], bits: bytes) -> None:
        if head["rev"] >= self.revisions.get("sel", 0):
            self.revisions["sel"] = head["rev"]
            n_samples = len(self.positions)
            unpacked = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")
            self.mask = unpacked[:n_samples].astype(bool)

    def _take_hovered(self, head: dict[str, Any]) -> None:
        self.hovered = head["row"]

    def _take_novel(self, head: dict[str, Any], rows: bytes) -> None:
        self.novel = np.frombuffer(rows, "<u4")

    def _take_gates(self, head: dict[str, Any]) -> None:
        self.gates = {gate["name"]: gate["count"] for gate in head["gates"]}

    def _take_err(self, head: dict[str, Any]) -> None:
        self.errors.append(head)

    # -- intents of the user ---------------------------------------------------------------------

    def hello(self) -> None:
        self.send({"t": "hello", "have": dict(self.revisions), "webgl": True})

    def lasso(self, polygon: np.ndarray, mode: str) -> None:
        """Selects at once, then sends the intent, as the page does."""
        with self._lock:
            hits = in_polygon(self.positions, polygon)
            revision = self.revisions["sel"] = self.revisions.get("sel", 0) + 1
        intent = {"t": "select", "rev": revision, "origin": "map", "mode": mode}
        self.send(intent, [memoryview(np.packbits(hits, bitorder="little"))])


class PageAndView(PageView):
    """A view that sends to a fake page, without ipywidgets."""

    def __init__(self, page: FakePage | None = None, explorer: Explorer | None = None) -> None:
        self.page = FakePage() if page is None else page
        color_by = ColorBy if explorer is None else lambda: explorer.color_by
        super().__init__(self.page.receive, self.page.set_trait, color_by=color_by)
        self.dispatcher = IntentDispatcher(self)
        self.page.send = self.dispatcher.receive
        self.page.hello()

    def settle(self, timeout_s: float = 60.0) -> None:
        """Wait until all intents are done and all messages have been received."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            assert self.dispatcher.wait_idle(timeout_s)
            with self.pump._sending:
                if not self.outbox.waiting() and not self.outbox._answers:
                    return
            self.page.wait_for_arrival(0.05)  # not longer: a message may fail to be sent
        raise AssertionError(f"still waiting: {self.outbox.waiting()}")

    def close(self) -> None:
        self.dispatcher.close()
        super().close()
