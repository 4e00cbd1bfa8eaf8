"""Work in a thread: whatever becomes of it, whoever waits for it is told."""

from __future__ import annotations

import threading

import pytest
from qtpy.QtCore import QObject

from embedscope._errors import InvalidInputError
from embedscope.napari_dock._qt_dispatcher import QtDispatcher
from embedscope.napari_dock.widgets._background import Background


@pytest.mark.parametrize(
    ("error", "is_raised"),
    [(InvalidInputError("a rule"), False), (KeyError("a fault"), True), (RuntimeError("x"), True)],
)
def test_every_error_is_told_and_what_nobody_foresaw_is_raised_too(
    qtbot, monkeypatch, error, is_raised
):
    raised, failed, owner = [], [], QObject()
    monkeypatch.setattr(threading, "excepthook", lambda given: raised.append(given.exc_value))
    work = Background(QtDispatcher(owner))

    def fail() -> None:
        raise error

    work.start(fail, lambda _: None, failed.append)
    qtbot.waitUntil(lambda: bool(failed), timeout=60_000)
    assert failed == [error]
    for thread in threading.enumerate():
        if thread.name == "embedscope samples":
            thread.join(10)
    assert raised == ([error] if is_raised else [])
