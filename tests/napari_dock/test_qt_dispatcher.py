"""Callbacks from any thread run in the main one, in order, and not after the end."""

from __future__ import annotations

import threading
import time

import pytest
from map_pixels import settle
from qtpy.QtCore import QObject

from embedscope.napari_dock._qt_dispatcher import QtDispatcher

N_CALLS = 200


@pytest.fixture
def owner(qapp):
    return QObject()


def delete(thing: QObject) -> None:
    thing.deleteLater()
    settle_deletions()


def settle_deletions() -> None:
    from qtpy.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    settle()


def test_three_threads_are_heard_each_in_its_order(owner, qtbot):
    dispatch, heard, ran_in = QtDispatcher(owner), [], set()

    def call(name: str) -> None:
        for number in range(N_CALLS):

            def note(number: int = number) -> None:
                heard.append((name, number))
                ran_in.add(threading.get_ident())

            dispatch(note)

    threads = [threading.Thread(target=call, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    qtbot.waitUntil(lambda: len(heard) == 3 * N_CALLS)
    assert ran_in == {threading.get_ident()}
    for name in "abc":
        assert [number for who, number in heard if who == name] == list(range(N_CALLS))


def test_from_the_main_thread_too_a_callback_waits_its_turn(owner):
    dispatch, heard = QtDispatcher(owner), []

    def outer() -> None:
        dispatch(lambda: heard.append("inner"))
        heard.append("outer")

    dispatch(outer)
    assert heard == []
    settle()
    assert heard == ["outer", "inner"]


def test_a_callback_that_fails_is_told_and_the_next_one_runs(owner, qtbot):
    dispatch, heard = QtDispatcher(owner), []
    with qtbot.capture_exceptions() as failed:
        dispatch(lambda: 1 / 0)
        dispatch(lambda: heard.append("next"))
        settle()
    assert heard == ["next"]
    assert [kind for kind, _, _ in failed] == [ZeroDivisionError]


def test_after_its_end_callbacks_are_dropped(owner):
    dispatch, heard = QtDispatcher(owner), []
    dispatch(lambda: heard.append("waits still"))
    delete(owner)
    dispatch(lambda: heard.append("too late"))
    thread = threading.Thread(target=lambda: dispatch(lambda: heard.append("too late")))
    thread.start()
    thread.join()
    settle()
    assert heard == []


def test_at_the_end_of_the_process_qt_may_delete_in_any_order(owner):
    dispatch = QtDispatcher(owner)
    delete(dispatch._queue)
    delete(owner)  # an error here would end the process
    dispatch(lambda: pytest.fail("nobody is there any more"))


def test_an_end_while_threads_call_crashes_nothing(owner):
    dispatch, stop = QtDispatcher(owner), threading.Event()
    failed: list[BaseException] = []

    def call() -> None:
        try:
            while not stop.is_set():
                dispatch(lambda: None)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    settle()
    delete(owner)
    stop.set()
    for thread in threads:
        thread.join()
    settle()
    assert failed == []


def test_a_callback_may_close_the_window_that_it_reports_to(owner, qtbot):
    dispatch, heard = QtDispatcher(owner), []

    def close() -> None:
        delete(owner)
        settle_deletions()

    with qtbot.capture_exceptions() as failed:
        dispatch(close)
        dispatch(lambda: heard.append("too late"))
        settle()
    assert failed == []
    assert heard == []


def test_after_a_slow_callback_the_next_one_waits_as_long(owner, qtbot):
    """What it takes to paint counts too, so that a run does not fill the main thread."""
    dispatch, ended = QtDispatcher(owner), []

    def slow() -> None:
        time.sleep(0.1)
        ended.append(time.perf_counter())

    dispatch(slow)
    dispatch(lambda: ended.append(time.perf_counter()))
    qtbot.waitUntil(lambda: len(ended) == 2)
    assert ended[1] - ended[0] > 0.09
    dispatch(lambda: ended.append(time.perf_counter()))  # after a quick one, at once
    settle()
    assert len(ended) == 3
