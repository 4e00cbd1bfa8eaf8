"""Keys that act only in the dock and its windows; napari's own keys stay as they are."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut  # type: ignore[attr-defined]
from qtpy.QtWidgets import QWidget

_UNDO, _REDO = ("Ctrl+Z",), ("Ctrl+Shift+Z", "Ctrl+Y")


def bind_keys(
    widget: QWidget,
    escape: Callable[[], None],
    undo: Callable[[], None],
    redo: Callable[[], None],
) -> None:
    """Bind Escape, undo and redo for as long as the keyboard is in `widget` or a part of it.

    Parameters
    ----------
    widget : QWidget
        A window, or a part of one.
    escape, undo, redo : callable
    """
    for keys, act in (("Escape",), escape), (_UNDO, undo), (_REDO, redo):
        for key in keys:
            shortcut = QShortcut(QKeySequence(key), widget)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda act=act: act())
