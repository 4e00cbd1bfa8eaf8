"""The queue to the page: the latest value of each kind of state, and answers in order.

Any thread puts values here, which takes microseconds and never blocks; one thread sends them (see
`_pump`). A newer value replaces a waiting one of its kind, so a slow page skips values but always
gets the latest.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from embedscope.jupyter_widget.protocol._message_base import Message

Buffers = tuple[Any, ...]


@dataclass
class Slot:
    """The latest value of one kind.

    Attributes
    ----------
    value : object
    revision : int
        Grows with every value.
    waits : bool
        The value is still to be sent.
    """

    value: Any = None
    revision: int = 0
    waits: bool = False


class PageOutbox:
    """Slots by kind, and a queue of answers; thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._slots: dict[str, Slot] = {}
        self._order: deque[str] = deque()  # waiting kinds, the oldest first
        self._answers: deque[tuple[Message, Buffers]] = deque()
        self._was_woken = False

    def put(self, kind: str, value: Any, least_revision: int = 0) -> None:
        """Set the latest value of a kind; its revision is at least `least_revision`."""
        with self._changed:
            slot = self._slots.setdefault(kind, Slot())
            slot.value = value
            slot.revision = max(slot.revision + 1, least_revision)
            self._queue(kind, slot)

    def put_again(self, kind: str, least_revision: int = 0) -> None:
        """Send the latest value of a kind again, if there is one, with at least this revision."""
        with self._changed:
            slot = self._slots.get(kind)
            if slot is not None:
                slot.revision = max(slot.revision, least_revision)
                self._queue(kind, slot)

    def answer(self, message: Message, buffers: Buffers = ()) -> None:
        """Send a message once, after the earlier answers."""
        with self._changed:
            self._answers.append((message, buffers))
            self._wake()

    def revisions(self) -> dict[str, int]:
        """The latest revision of each kind."""
        with self._changed:
            return {kind: slot.revision for kind, slot in self._slots.items()}

    def take_answer(self) -> tuple[Message, Buffers] | None:
        """Remove and return the oldest answer; None if there is none."""
        with self._changed:
            return self._answers.popleft() if self._answers else None

    def waiting(self) -> tuple[str, ...]:
        """The waiting kinds, the oldest first."""
        with self._changed:
            return tuple(self._order)

    def take(self, kind: str) -> Slot:
        """The slot of a kind, which then no longer waits."""
        with self._changed:
            slot = self._slots[kind]
            if slot.waits:
                slot.waits = False
                self._order.remove(kind)
            return Slot(slot.value, slot.revision)

    def wait(self, timeout_s: float | None) -> None:
        """Block until something is put in, `wake` is called, or the timeout passes."""
        with self._changed:
            self._changed.wait_for(lambda: self._was_woken, timeout_s)
            self._was_woken = False

    def wake(self) -> None:
        """End a `wait`."""
        with self._changed:
            self._wake()

    def _queue(self, kind: str, slot: Slot) -> None:
        if not slot.waits:
            slot.waits = True
            self._order.append(kind)
        self._wake()

    def _wake(self) -> None:
        self._was_woken = True
        self._changed.notify_all()
