"""The thread that sends messages and traits to the page, and its rate.

Only one thread may send: ipywidgets stores what it is about to send on the widget, so two threads
that set traits of one widget lose or repeat values. A host that shows nothing sent by this thread
polls; it is answered in the thread of its poll, under the same lock.

Notebook servers drop messages above a thousand a second (jupyter_server 2.21, averaged over 3 s),
for all widgets together, and every message takes time of the page's only thread.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from embedscope.jupyter_widget._host import start_daemon
from embedscope.jupyter_widget.protocol._message_base import Message
from embedscope.jupyter_widget.wire._outbox import Buffers, PageOutbox

PER_SECOND = 10  # messages of state, of one widget
ACKNOWLEDGED_WITHIN_S = 2.0  # then the next map is sent without an acknowledgement
EMBEDDING = "emb"


class Pace:
    """When each kind of state may be sent again.

    At most ten messages in any second, each kind at most every tenth of a second. A map is sent
    only after the page has shown the last one, or two seconds after that was sent. Answers to
    requests are not counted: the page limits its requests.
    """

    def __init__(self) -> None:
        self._sent: deque[float] = deque(maxlen=PER_SECOND)
        self._last: dict[str, float] = {}
        self._unacknowledged = 0

    def delay(self, kind: str, now: float) -> float:
        """Seconds until a message of this kind may be sent; 0 or less: now."""
        allowed = self._last.get(kind, -1.0) + 1 / PER_SECOND
        if len(self._sent) == PER_SECOND:
            allowed = max(allowed, self._sent[0] + 1.0)
        if kind == EMBEDDING and self._unacknowledged:
            allowed = max(allowed, self._last[kind] + ACKNOWLEDGED_WITHIN_S)
        return allowed - now

    def record(self, kind: str, revision: int, now: float) -> None:
        """Record a sent message."""
        self._sent.append(now)
        self._last[kind] = now
        if kind == EMBEDDING:
            self._unacknowledged = revision

    def acknowledge(self, revision: int) -> None:
        """Record that a page has shown the map of this revision."""
        if revision >= self._unacknowledged:
            self._unacknowledged = 0

    def forget_unacknowledged(self) -> None:
        """Send the next map at once: a new page waits for its first one."""
        self._unacknowledged = 0


logger = logging.getLogger(__name__)

Encode = Callable[[str, Any, int], tuple[Message, Buffers] | None]

TRAIT = "trait "  # prefix of the kinds that are traits


class Pump:
    """Sends what an outbox holds, at the pace that `Pace` allows.

    Parameters
    ----------
    outbox : PageOutbox
        Kinds that begin with `TRAIT` are traits, the others messages.
    encode : callable
        ``encode(kind, value, revision)`` gives the message and buffers of a slot, or None for
        nothing to send.
    send : callable
        ``send(message, buffers)``.
    set_trait : callable
        ``set_trait(name, value)``.
    """

    def __init__(
        self,
        outbox: PageOutbox,
        encode: Encode,
        send: Callable[[Message, Buffers], None],
        set_trait: Callable[[str, Any], None],
    ) -> None:
        self._outbox = outbox
        self._encode = encode
        self._send = send
        self._set_trait = set_trait
        self._pace = Pace()
        self._sending = threading.RLock()
        self._has_page = False
        self._is_closed = False
        self._thread = start_daemon("embedscope-pump", self._run)

    def greet(self) -> None:
        """A page was opened: messages are sent from now on."""
        self._has_page = True
        self._pace.forget_unacknowledged()
        self._outbox.wake()

    def acknowledge(self, revision: int) -> None:
        """A page has shown the map of this revision; the next may be sent."""
        self._pace.acknowledge(revision)
        self._outbox.wake()

    def close(self) -> None:
        """End the thread; waiting values are not sent."""
        self._is_closed = True
        self._outbox.wake()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=5)

    def serve(self, ask: Callable[[], None]) -> None:
        """Call `ask`, then send all that waits, at once and in this thread."""
        with self._sending:
            ask()
            self.turn(at_once=True)

    def turn(self, *, at_once: bool = False) -> float | None:
        """Send all that the rate allows now, or all that waits.

        Returns
        -------
        float or None
            Seconds until more may be sent, None if nothing waits.
        """
        with self._sending:
            while not self._is_closed and (answer := self._outbox.take_answer()):
                self._guarded(self._send, *answer)
            return self._send_state(at_once)

    def _send_state(self, at_once: bool) -> float | None:
        delays = []
        for kind in self._outbox.waiting():
            is_trait = kind.startswith(TRAIT)
            if self._is_closed or (not is_trait and not self._has_page):
                continue
            delay = self._pace.delay(kind, time.monotonic())
            if delay > 0 and not at_once:
                delays.append(delay)
                continue
            slot = self._outbox.take(kind)
            self._guarded(self._send_slot, kind, slot.value, slot.revision)
            self._pace.record(kind, slot.revision, time.monotonic())
        return min(delays, default=None)

    def _send_slot(self, kind: str, value: Any, revision: int) -> None:
        if kind.startswith(TRAIT):
            self._set_trait(kind.removeprefix(TRAIT), value)
            return
        encoded = self._encode(kind, value, revision)
        if encoded is not None:
            self._send(*encoded)

    def _guarded(self, action: Callable[..., None], *arguments: Any) -> None:
        """Log an error of one message, so that the others are still sent."""
        try:
            action(*arguments)
        except Exception:
            logger.exception("could not be sent to the page")

    def _run(self) -> None:
        while not self._is_closed:
            self._outbox.wait(self.turn())
