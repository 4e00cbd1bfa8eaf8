"""A lock that lets only one parallel numba kernel run at a time in the process.

numba's `workqueue` threading layer, the only one that every installation has, aborts the process
when two threads start parallel kernels at once. A kernel uses all cores, so waiting costs nothing.
The interpreter lock is free while a kernel waits or runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import ParamSpec

Parameters = ParamSpec("Parameters")

_TURN = Lock()


def one_at_a_time(kernel: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Make a kernel wait until no other decorated kernel runs."""

    @wraps(kernel)
    def in_turn(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        with _TURN:
            kernel(*args, **kwargs)

    return in_turn
