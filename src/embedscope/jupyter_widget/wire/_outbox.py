"""What waits to be sent to the page: the latest of each kind of state, and answers in order.

Whoever changes something only puts it here, which takes microseconds and waits for nobody; one pump
sends it (see `_pump`). A newer value replaces one that still waits, so that a slow page is late but
never behind.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from embedscope.jupyter_widget.protocol._heads import Message

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
        Not sent yet, or to be sent again.
    """

    value: Any = None
    revision: int = 0
    waits: bool = False


class Outbox:
    """Slots by kind, and a queue of answers; safe on any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._slots: dict[str, Slot] = {}
        self._order: deque[str] = deque()  # kinds that wait, longest first
        self._answers: deque[tuple[Message, Buffers]] = deque()
        self._news = False

    def put(self, kind: str, value: Any, least_revision: int = 0) -> None:
        """Let `value` be the latest of its kind; its revision is at least `least_revision`."""
        with self._changed:
            slot = self._slots.setdefault(kind, Slot())
            slot.value = value
            slot.revision = max(slot.revision + 1, least_revision)
            self._queue(kind, slot)

    def put_again(self, kind: str, least_revision: int = 0) -> None:
        """Send the latest of a kind once more, if there is any, under no smaller a revision."""
        with self._changed:
            slot = self._slots.get(kind)
            if slot is not None:
                slot.revision = max(slot.revision, least_revision)
                self._queue(kind, slot)

    def answer(self, message: Message, buffers: Buffers = ()) -> None:
        """Send this once, after the answers before it."""
        with self._changed:
            self._answers.append((message, buffers))
            self._wake()

    def revisions(self) -> dict[str, int]:
        """The latest revision of each kind."""
        with self._changed:
            return {kind: slot.revision for kind, slot in self._slots.items()}

    def take_answer(self) -> tuple[Message, Buffers] | None:
        """The answer that waits longest, or None."""
        with self._changed:
            return self._answers.popleft() if self._answers else None

    def waiting(self) -> tuple[str, ...]:
        """The kinds that wait, longest first."""
        with self._changed:
            return tuple(self._order)

    def take(self, kind: str) -> Slot:
        """What waits of a kind; it then waits no longer."""
        with self._changed:
            slot = self._slots[kind]
            if slot.waits:
                slot.waits = False
                self._order.remove(kind)
            return Slot(slot.value, slot.revision)

    def wait(self, timeout_s: float | None) -> None:
        """Wait until something new is put in, or `wake` is called, or the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._news, timeout_s)
            self._news = False

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
        self._news = True
        self._changed.notify_all()
