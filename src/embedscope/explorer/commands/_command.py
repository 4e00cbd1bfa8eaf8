"""The decorator of an explorer's commands: one at a time, and all or nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from psygnal import EmitLoopError

if TYPE_CHECKING:
    from embedscope.explorer.commands._explorer_state import ExplorerState

_Method = TypeVar("_Method", bound=Callable[..., Any])


def command(method: _Method) -> _Method:
    """Make a method a command: one runs at a time, and does all of its work or nothing.

    A notebook's cell and its widget may call from different threads. If a command fails, for any
    reason, the state is as it was before.
    """

    @functools.wraps(method)
    def locked(self: ExplorerState, *arguments: Any, **keywords: Any) -> Any:
        with self._lock:
            before, bring_runs_back = self._state, self._runs.keep()
            try:
                return method(self, *arguments, **keywords)
            except EmitLoopError:  # a listener failed; the command itself was done
                raise
            except BaseException:
                bring_runs_back()
                self._become(before)  # emits signals where listeners have got a new value
                raise

    return cast(_Method, locked)
