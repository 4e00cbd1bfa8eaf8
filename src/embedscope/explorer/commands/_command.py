"""What makes of a method a command of an explorer: one at a time, and all of it or nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from psygnal import EmitLoopError

if TYPE_CHECKING:
    from embedscope.explorer.commands._explorer_state import ExplorerState

_Method = TypeVar("_Method", bound=Callable[..., Any])

# Never taken back: what only ever grows, and what keeps its own state.
_SERVICES = frozenset({"events", "_lock", "_marks", "_queries", "_revision", "_rng", "_runs"})


def command(method: _Method) -> _Method:
    """One command at a time, all of it or nothing.

    A notebook's cell and its widget may call from different threads. A command that fails, for
    whatever reason, leaves everything as it was.
    """

    @functools.wraps(method)
    def locked(self: ExplorerState, *arguments: Any, **keywords: Any) -> Any:
        with self._lock:
            bring_back = _keep(self)
            try:
                return method(self, *arguments, **keywords)
            except EmitLoopError:  # a listener failed; the command had done its part
                raise
            except BaseException:
                bring_back()
                raise

    return cast(_Method, locked)


def _keep(explorer: ExplorerState) -> Callable[[], None]:
    """What brings everything back as it is now, and tells it where it had changed."""
    kept = {name: value for name, value in vars(explorer).items() if name not in _SERVICES}
    gates, selection = explorer.gates, explorer.selection
    owners = explorer._marks.keep(), explorer._runs.keep()

    def bring_back() -> None:
        has_changed = explorer.gates is not gates or explorer.selection is not selection
        for name, value in kept.items():
            has_changed |= getattr(explorer, name) is not value
            setattr(explorer, name, value)
        for bring_owner_back in owners:
            bring_owner_back()
        if has_changed:  # listeners may have heard of a part of it
            explorer.events.parameters_changed.emit(explorer.parameters)
            explorer._tell_all()

    return bring_back
