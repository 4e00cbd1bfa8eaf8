"""Which rows of the loss history a page has already, so that only new ones are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Losses = Mapping[str, Sequence[float]]


class LossRows:
    """Numbers the loss histories, one for each training run, and counts the rows that were sent."""

    def __init__(self) -> None:
        self._run = 0
        self._seen: Losses = {}
        self._sent = (0, 0)  # run, rows

    def next(self, losses: Losses) -> tuple[int, Losses]:
        """The number of the history that `losses` belong to, and the losses."""
        if not _continues(self._seen, losses):
            self._run += 1
        self._seen = losses
        return self._run, losses

    def start(self, run: int, losses: Losses) -> int:
        """The first row that was not sent yet; from now on all rows count as sent."""
        sent_run, n_sent = self._sent
        length = _length(losses)
        self._sent = (run, length)
        return min(n_sent, length) if run == sent_run else 0

    def forget_sent(self) -> None:
        """Send all rows next time: a page lacks some."""
        self._sent = (0, 0)


def _length(losses: Losses) -> int:
    return max((len(column) for column in losses.values()), default=0)


def _continues(before: Losses, after: Losses) -> bool:
    """Whether a history is the earlier one with more rows."""
    if list(before) != list(after) or _length(after) < _length(before) or not _length(before):
        return False
    return all(before[name][:1] == after[name][:1] for name in before)
