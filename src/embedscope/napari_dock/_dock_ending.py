"""Notices how a dock ends: closed by its own button, or deleted with the viewer's window.

napari sends a dock no close event. The dock's close button removes the widget from its frame, and a
window that is closed deletes it with all other widgets.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QWidget


class DockEnding(QObject):
    """Watches a dock and the window that it is in.

    Parameters
    ----------
    dock : QWidget
    left : method
        Called once the dock is in no window any more; its Qt objects still exist.
    closed : method
        Called when the window is deleted. If it is deleted without `deleteLater`, no Qt object is
        left by then.
    outlived : callable
        Called once the window is gone, even if the dock was closed before. Must hold no reference
        to the dock.
    """

    def __init__(
        self,
        dock: QWidget,
        left: Callable[[], None],
        closed: Callable[[], None],
        outlived: Callable[[], None],
    ) -> None:
        super().__init__(dock)
        # Qt keeps its listeners alive, so only weak references to dock and window are held here.
        self._dock = weakref.ref(dock)
        self._window: Callable[[], QWidget | None] = lambda: None
        self._left, self._closed = weakref.WeakMethod(left), weakref.WeakMethod(closed)
        self._outlived = outlived
        dock.installEventFilter(self)
        dock.destroyed.connect(partial(_call, self._closed))

    def eventFilter(self, watched: Any, event: Any) -> bool:
        """Observe events of the dock and its window; none is filtered out."""
        kind = event.type()
        if watched is self._dock():
            if kind == QEvent.Type.ParentChange:  # perhaps only a move into another frame
                QTimer.singleShot(0, self._look_where_it_is)
            elif kind == QEvent.Type.Show:
                self._watch_window()
        elif kind == QEvent.Type.DeferredDelete:
            _call(self._closed)
        return False

    def _look_where_it_is(self) -> None:
        dock = self._dock()
        if dock is not None and dock.parent() is None:
            _call(self._left)

    def _watch_window(self) -> None:
        """Watch the window of the viewer, also while the dock floats above it."""
        dock = self._dock()
        window = None if dock is None else dock.window()
        while window is not None and (above := window.parentWidget()) is not None:
            window = above.window()
        if window is None or window is dock or window is self._window():
            return
        self._window = weakref.ref(window)
        window.installEventFilter(self)
        window.destroyed.connect(partial(_run, self._outlived))


def _call(method: weakref.WeakMethod[Callable[[], None]], _: object = None) -> None:
    bound = method()
    if bound is not None:
        bound()


def _run(function: Callable[[], None], _: object = None) -> None:
    function()
