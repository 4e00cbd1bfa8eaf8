"""Dispatchers, which bring the worker's events to the thread of their listeners.

A dispatcher is a parameter, never guessed. It takes a function without arguments and has it called,
in order: at once (`immediate`), or on an asyncio loop. A front end with another event loop has its
own dispatcher.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Dispatcher = Callable[[Callable[[], None]], None]


def immediate(callback: Callable[[], None]) -> None:
    """Call at once, in the current thread: for scripts and tests.

    Parameters
    ----------
    callback : callable
    """
    callback()


class AsyncioDispatcher:
    """Calls functions on an asyncio loop, in order.

    Once the loop is closed, nothing is called any more.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __call__(self, callback: Callable[[], None]) -> None:
        """Have the loop call `callback`; may be called from any thread."""
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:
            if not self._loop.is_closed():
                raise
