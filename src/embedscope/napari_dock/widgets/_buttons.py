"""The buttons that all panels use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QPushButton, QToolButton

from embedscope.napari_dock.widgets._icons import SIDE_PX, draw_icon
from embedscope.napari_dock.widgets._theme import MapColors

_PADDING_PX = 10


class IconButton(QToolButton):
    """A square button with an icon that follows the theme.

    Parameters
    ----------
    icon : str
        One of `_icons.ICONS`.
    tooltip : str
    call : callable, optional
        Called without arguments when it is pressed.
    checkable : bool
    """

    def __init__(
        self,
        icon: str,
        tooltip: str,
        call: Callable[[], Any] | None = None,
        *,
        checkable: bool = False,
    ) -> None:
        super().__init__()
        self._icon = icon
        self.setIconSize(QSize(SIDE_PX, SIDE_PX))
        self.setFixedSize(SIDE_PX + _PADDING_PX, SIDE_PX + _PADDING_PX)
        self.setCheckable(checkable)
        self.setAutoRaise(True)
        self.setToolTip(tooltip)
        self.setAccessibleName(tooltip)
        if call is not None:
            self.clicked.connect(lambda: call())

    def set_icon(self, icon: str, colors: MapColors) -> None:
        """Show another icon."""
        self._icon = icon
        self.set_theme(colors)

    def set_theme(self, colors: MapColors) -> None:
        """Draw the icon in the colours of a theme; a checked button is framed in its accent."""
        self.setIcon(draw_icon(self._icon, colors.ink))
        accent, muted = (",".join(map(str, rgb)) for rgb in (colors.accent, colors.muted))
        self.setStyleSheet(
            "QToolButton { border: 1px solid transparent; border-radius: 4px; padding: 0px;"
            " background: transparent; }"
            f"QToolButton:hover {{ background: rgba({muted}, 60); }}"
            f"QToolButton:checked {{ border: 1px solid rgb({accent});"
            f" background: rgba({accent}, 50); }}"
            "QToolButton::menu-indicator { image: none; }"
        )


def text_button(text: str, tooltip: str, call: Callable[[], Any]) -> QPushButton:
    """A button with a word on it.

    Parameters
    ----------
    text, tooltip : str
    call : callable
        Called without arguments when it is pressed.

    Returns
    -------
    QPushButton
    """
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.clicked.connect(lambda: call())
    return button
