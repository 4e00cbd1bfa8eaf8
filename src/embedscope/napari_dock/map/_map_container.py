"""Holds the map in the dock, or in a window of its own."""

from __future__ import annotations

from typing import Any

from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from embedscope.napari_dock.widgets._buttons import text_button

_WINDOW_SHARE = 0.7  # of the screen's height
_MARGIN_PX = 8


class MapContainer(QWidget):
    """Moves the map panel, with its camera and tools, between the dock and its own window.

    Parameters
    ----------
    map_panel : QWidget
    parent : QWidget, optional
    """

    moved = Signal(bool)  # whether the map is in a window of its own

    def __init__(self, map_panel: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._map_panel = map_panel
        self.window_of_map = _MapWindow(self)
        self.window_of_map.closing.connect(self.dock_back)
        self.placeholder = QWidget()
        bring_back = text_button(
            "Bring the map back", "Put the map into the dock again.", self.dock_back
        )
        inside = QVBoxLayout(self.placeholder)
        inside.addWidget(QLabel("The map is in a window of its own."))
        inside.addWidget(bring_back)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(map_panel)
        layout.addWidget(self.placeholder)
        self.placeholder.hide()

    @property
    def is_popped_out(self) -> bool:
        """Whether the map is in a window of its own."""
        return self._map_panel.parentWidget() is self.window_of_map

    def toggle(self) -> None:
        """Move the map from the dock to its window, or back."""
        if self.is_popped_out:
            self.dock_back()
        else:
            self.pop_out()

    def pop_out(self) -> None:
        """Show the map in a window of its own."""
        self._move(self.window_of_map)
        self.placeholder.show()
        self.window_of_map.show_large()
        self.moved.emit(True)

    def dock_back(self) -> None:
        """Put the map back into the dock, unless it is there."""
        if not self.is_popped_out:
            return
        self._move(self)
        self.placeholder.hide()
        self.window_of_map.hide()
        self.moved.emit(False)

    def _move(self, target: QWidget) -> None:
        layout = target.layout()
        assert isinstance(layout, QVBoxLayout)  # dock and window have one
        layout.insertWidget(0, self._map_panel)
        self._map_panel.show()


class _MapWindow(QWidget):
    """A window for the map alone; closing it only puts the map back."""

    closing = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Map")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)

    def show_large(self) -> None:
        screen = self.screen()
        assert screen is not None  # a window is on one
        room = screen.availableGeometry()
        side = round(_WINDOW_SHARE * room.height())
        self.resize(side, side)
        self.move(room.center() - self.rect().center())
        self.show()
        self.raise_()

    def closeEvent(self, event: Any) -> None:
        self.closing.emit()
        super().closeEvent(event)
