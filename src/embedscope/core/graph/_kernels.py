"""One parallel kernel at a time, in the whole process.

numba's `workqueue` threading layer, the one that is always there, ends the process when two
threads start parallel kernels at once. A kernel uses all cores anyway, so they take turns; while
one waits or runs, the interpreter lock is free.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import ParamSpec

Parameters = ParamSpec("Parameters")

_TURN = Lock()


def one_at_a_time(kernel: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Let only one kernel that is decorated so run at any moment."""

    @wraps(kernel)
    def in_turn(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        with _TURN:
            kernel(*args, **kwargs)

    return in_turn
