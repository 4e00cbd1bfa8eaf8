"""How the worker's events reach the thread that wants them: handed in, never found out.

A dispatcher takes a function without arguments and sees to it that it is called, in order: at once
(`immediate`), or on an asyncio loop. A front end with a loop of its own brings a third.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Dispatcher = Callable[[Callable[[], None]], None]


def immediate(callback: Callable[[], None]) -> None:
    """Call at once, in whatever thread this is: for scripts and tests.

    Parameters
    ----------
    callback : callable
    """
    callback()


class AsyncioDispatcher:
    """Calls on an asyncio loop, in the order of the requests.

    Once the loop is closed there is nobody left to tell, and requests are dropped.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __call__(self, callback: Callable[[], None]) -> None:
        """Ask the loop to call `callback`; from any thread."""
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:
            if not self._loop.is_closed():
                raise
