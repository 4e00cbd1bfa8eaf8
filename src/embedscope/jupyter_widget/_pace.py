"""How often state is sent: a slow page or network throttles itself, and a fast one is not flooded.

Notebook servers drop messages beyond about a thousand a second, for all widgets together, and every
one costs the page a turn of its only thread.
"""

from __future__ import annotations

from collections import deque

PER_SECOND = 10
ACKNOWLEDGED_WITHIN_S = 2.0
EMBEDDING = "emb"


class Pace:
    """When each kind of state may be sent again.

    At most ten messages in any second, each kind at most every tenth of a second, and a map only
    after the page has shown the last one, or two seconds after it was sent. Answers to requests are
    not counted: the page paces them by what it asks.
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
        """A message was sent."""
        self._sent.append(now)
        self._last[kind] = now
        if kind == EMBEDDING:
            self._unacknowledged = revision

    def acknowledge(self, revision: int) -> None:
        """A page has shown the map of this revision."""
        if revision >= self._unacknowledged:
            self._unacknowledged = 0

    def forget_unacknowledged(self) -> None:
        """A new page is there, which waits for its first map."""
        self._unacknowledged = 0
