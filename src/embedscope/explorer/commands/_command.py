"""What makes of a method a command of an explorer: one at a time, and all of it or nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from psygnal import EmitLoopError

if TYPE_CHECKING:
    from embedscope.explorer.commands._explorer_state import ExplorerState

_Method = TypeVar("_Method", bound=Callable[..., Any])


def command(method: _Method) -> _Method:
    """One command at a time, all of it or nothing.

    A notebook's cell and its widget may call from different threads. A command that fails, for
    whatever reason, leaves everything as it was.
    """

    @functools.wraps(method)
    def locked(self: ExplorerState, *arguments: Any, **keywords: Any) -> Any:
        with self._lock:
            before, bring_runs_back = self._state, self._runs.keep()
            try:
                return method(self, *arguments, **keywords)
            except EmitLoopError:  # a listener failed; the command had done its part
                raise
            except BaseException:
                bring_runs_back()
                self._become(before)  # tells listeners that have heard of a part of it
                raise

    return cast(_Method, locked)
