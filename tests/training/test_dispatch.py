"""Dispatchers call in order; the queue coalesces what it may, and drops nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import numpy as np
import pytest
from psygnal import EmitLoopError, Signal

from embedscope.training import AsyncioDispatcher, Phase, Status, immediate
from embedscope.training._report_queue import ReportQueue


class Signals:
    """The signals of a run, and their events."""

    status_changed = Signal(Status)
    loss_reported = Signal(int, int, dict)
    embedding_changed = Signal(int, int, np.ndarray)
    finished = Signal(Status)

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []
        self.status_changed.connect(lambda status: self.events.append(("status", status.fraction)))
        self.loss_reported.connect(lambda run, epoch, losses: self.events.append(("loss", epoch)))
        self.embedding_changed.connect(lambda run, epoch, z: self.events.append(("map", epoch)))
        self.finished.connect(lambda status: self.events.append(("end", status.phase)))


class BusyThread:
    """A dispatcher whose thread calls its callbacks only when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, callback: Callable[[], None]) -> None:
        self.waiting.append(callback)

    def call_waiting(self) -> None:
        waiting, self.waiting = self.waiting, []
        for callback in waiting:
            callback()


def test_a_busy_thread_gets_one_callback_with_the_latest_and_all_losses_and_phases():
    signals, thread = Signals(), BusyThread()
    queue = ReportQueue(signals, thread)
    for epoch in range(5):
        queue.put_status(Status(1, Phase.FITTING, fraction=epoch / 10))
        queue.put_losses(1, epoch, {"loss": 1.0})
        queue.put_embedding(1, epoch, np.zeros((2, 2), np.float32))
        queue.send(at_once=True)
    queue.put_status(Status(1, Phase.DONE, fraction=1.0))
    queue.put_final(Status(1, Phase.DONE, fraction=1.0))
    queue.send(at_once=True)
    assert len(thread.waiting) == 1
    assert signals.events == []
    thread.call_waiting()
    losses = [("loss", epoch) for epoch in range(5)]
    assert signals.events == [
        *losses,
        ("map", 4),
        ("status", 0.4),
        ("status", 1.0),
        ("end", Phase.DONE),
    ]


def test_statuses_come_about_ten_times_a_second():
    signals = Signals()
    queue = ReportQueue(signals, immediate)
    for step in range(1_000):
        queue.put_status(Status(1, Phase.FITTING, fraction=step / 1_000))
        queue.send()
    assert len(signals.events) == 1  # a thousand steps take far less than a tenth of a second
    queue.send(at_once=True)
    assert signals.events[-1] == ("status", 0.999)


def test_the_error_of_a_listener_is_raised_and_other_listeners_still_get_events():
    signals = Signals()

    def fail(*event: object) -> None:
        raise ValueError("a listener's own mistake")

    signals.loss_reported.connect(fail)
    queue = ReportQueue(signals, immediate)
    queue.put_losses(1, 0, {"loss": 1.0})
    queue.put_final(Status(1, Phase.DONE))
    with pytest.raises(EmitLoopError) as caught:
        queue.send(at_once=True)
    assert isinstance(caught.value.__cause__, ValueError)
    assert signals.events == [("loss", 0), ("end", Phase.DONE)]
    queue.put_status(Status(1, Phase.DONE, fraction=0.7))
    queue.send(at_once=True)
    assert signals.events[-1] == ("status", 0.7)


def test_after_a_dispatcher_has_failed_the_next_delivery_has_everything():
    signals, thread = Signals(), BusyThread()
    is_broken = True

    def dispatcher(callback: Callable[[], None]) -> None:
        if is_broken:
            raise OSError("nobody there")
        thread(callback)

    queue = ReportQueue(signals, dispatcher)
    queue.put_losses(1, 7, {})
    with pytest.raises(OSError, match="nobody there"):
        queue.send(at_once=True)
    is_broken = False
    queue.send(at_once=True)
    thread.call_waiting()
    assert signals.events == [("loss", 7)]


def test_an_asyncio_loop_gets_callbacks_in_order_on_its_own_thread():
    came: list[tuple[int, threading.Thread]] = []

    async def listen() -> None:
        dispatcher = AsyncioDispatcher(asyncio.get_running_loop())
        done = asyncio.Event()

        def work() -> None:
            for number in range(100):
                dispatcher(lambda number=number: came.append((number, threading.current_thread())))
            dispatcher(done.set)

        threading.Thread(target=work).start()
        await done.wait()

    asyncio.run(listen())
    assert [number for number, _ in came] == list(range(100))
    assert {thread for _, thread in came} == {threading.main_thread()}


def test_a_closed_loop_gets_nothing_and_no_error_is_raised():
    loop = asyncio.new_event_loop()
    loop.close()
    AsyncioDispatcher(loop)(lambda: pytest.fail("must not be called"))
