"""Progress on standard error: a line that is redrawn on a terminal, one line a step in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LEAST_SECONDS = 0.1  # between two redraws: faster is only flicker


class Progress:
    """Says what is done now, and how far it is.

    Parameters
    ----------
    quiet : bool
        Say nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._redraws = sys.stderr.isatty()
        self._drawn_at = 0.0
        self._width = 0
        self._title = ""

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Name a step; its seconds are said at the end.

        Parameters
        ----------
        title : str
        """
        began = time.perf_counter()
        self._title = title
        if self._redraws:
            self._draw(f"{title} ...")
        try:
            yield
        except BaseException:
            self._finish_line()
            raise
        seconds = time.perf_counter() - began
        self._draw(f"{self._title}: {seconds:.1f} s")
        self._finish_line()

    def say(self, text: str) -> None:
        """Say one line within a step.

        Parameters
        ----------
        text : str
        """
        if self._redraws:
            self._draw("")
        self._draw(text)
        self._finish_line()

    def show(self, title: str, fraction: float, rest: str = "") -> None:
        """Show how far the step is: on a terminal only, at most ten times a second.

        Parameters
        ----------
        title : str
        fraction : float
            Share that is done, 0..1.
        rest : str
            What else there is to say.
        """
        now = time.monotonic()
        if self._redraws and now - self._drawn_at >= _LEAST_SECONDS:
            self._drawn_at = now
            self._draw(f"{title} {100 * fraction:3.0f} %{f', {rest}' if rest else ''}")

    def _draw(self, text: str) -> None:
        if self._quiet:
            return
        if self._redraws:
            sys.stderr.write("\r" + text.ljust(self._width))
        else:
            sys.stderr.write(text)
        self._width = len(text)
        sys.stderr.flush()

    def _finish_line(self) -> None:
        if not self._quiet and self._width:
            sys.stderr.write("\n")
            sys.stderr.flush()
        self._width = 0
