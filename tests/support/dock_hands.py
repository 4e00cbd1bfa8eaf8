"""Acts on the dock as a user does: real mouse events on the map and on the viewer's canvas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from map_pixels import settle
from qtpy.QtCore import QDeadlineTimer, QEvent, QObject, QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QLineEdit, QMenu, QMessageBox

from embedscope.napari_dock.map._gestures import Tool

MOVE_TIMEOUT_MS = 60_000
NO_KEYS = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def drag_map(dock: Any, tool: Tool, way: Any, keys: Any = NO_KEYS) -> None:
    """Press the button of a tool, then drag along a way on the map.

    `way` is in pixels of the map, of shape (k, 2).
    """
    dock.view.map_panel.tools[tool].click()
    native = dock.view.canvas.native
    send(native, QEvent.Type.MouseButtonPress, way[0], keys)
    for pixel in way[1:]:
        send(native, QEvent.Type.MouseMove, pixel, keys)
    send(native, QEvent.Type.MouseButtonRelease, way[-1], keys)
    settle()


def click_point(dock: Any, row: int, keys: Any = NO_KEYS) -> None:
    """Click the point of a sample on the map."""
    (pixel,) = pixels_of(dock, [row])
    drag_map(dock, Tool.LASSO, [pixel], keys)


def box_around(dock: Any, rows: Sequence[int], room_px: float = 3.0) -> np.ndarray:
    """A way around these samples on the map, closed, with points close to each other."""
    places = pixels_of(dock, rows)
    (left, top), (right, bottom) = places.min(axis=0) - room_px, places.max(axis=0) + room_px
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    sides = [np.linspace(a, b, 6) for a, b in pairwise(corners)]
    return np.concatenate(sides)


def circle_on_screen(view: Any, n_points: int = 120, share: float = 0.3) -> np.ndarray:
    """A round way in the middle of a view's map, its radius a share of the smaller side."""
    width, height = view.canvas.native.width(), view.canvas.native.height()
    turn = np.linspace(0, 2 * np.pi, n_points)
    middle, radius = np.array([width, height]) / 2, share * min(width, height)
    return middle + radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def pixels_of(dock: Any, rows: Sequence[int]) -> np.ndarray:
    """Where these samples are on the map's widget."""
    map_view = dock.view.canvas.map_view
    return map_view.to_pixels(map_view.points.positions[list(rows)].astype(np.float64))


def click_image(viewer: Any, world: Any, keys: Any = NO_KEYS) -> None:
    """Click a place of the world, (y, x), on the viewer's canvas, which shows two dimensions."""
    native = canvas_of(viewer)

    def place() -> np.ndarray:
        camera = viewer.scene.camera
        middle = np.array([native.height(), native.width()]) / 2
        return (middle + (np.asarray(world) - camera.center[-2:]) * camera.zoom)[::-1]

    move_mouse(native, place)
    QTest.mouseClick(native, Qt.MouseButton.LeftButton, keys, _as_point(place()))
    settle()


class _MovesSeen(QObject):
    """Collects the mouse moves that a widget is told of."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[QPoint] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseMove:
            self.places.append(event.position().toPoint())
        return False


def move_mouse(native: Any, pixel: Any) -> None:
    """Move the mouse to a pixel (x, y) of a widget, and wait until the widget was told.

    QTest moves the cursor of the screen. The widget's event comes back from the X server, on a busy
    machine later than `settle` waits. If the window was laid out meanwhile, the event is of another
    pixel, so the mouse is moved again after a second. `pixel` may be a function that finds it.
    """
    seen = _MovesSeen()
    native.installEventFilter(seen)
    patience = QDeadlineTimer(MOVE_TIMEOUT_MS)
    while True:
        place = _as_point(pixel() if callable(pixel) else pixel)
        assert native.rect().contains(place), "this place is not on the screen"
        beside = QPoint(place.x() - 3 if place.x() >= 3 else place.x() + 3, place.y())
        for step in (beside, place):  # a cursor that is there already would not move
            QTest.mouseMove(native, step)
        moment = QDeadlineTimer(1000)
        while seen.places[-1:] != [place] and not moment.hasExpired():
            QTest.qWait(5)
        if seen.places[-1:] == [place] or patience.hasExpired():
            break
        native.window().raise_()  # a window of an earlier test may lie above
    native.removeEventFilter(seen)
    assert seen.places[-1:] == [place], f"the widget was told of {seen.places[-3:]}, not {place}"
    settle()


def _as_point(pixel: Any) -> QPoint:
    return QPoint(round(float(pixel[0])), round(float(pixel[1])))


def canvas_of(viewer: Any) -> Any:
    """The widget that napari draws in; a test may look behind the proxy for plugins."""
    return getattr(viewer, "__wrapped__", viewer).window._qt_viewer.canvas.native


def send(native: Any, kind: QEvent.Type, pixel: Any, keys: Any = NO_KEYS) -> None:
    """An event as Qt sends it: QTest cannot hold a button while it moves."""
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    place = QPointF(float(pixel[0]), float(pixel[1]))
    changed = none if kind == QEvent.Type.MouseMove else left
    held = none if kind == QEvent.Type.MouseButtonRelease else left
    event = QMouseEvent(kind, place, native.mapToGlobal(place), changed, held, keys)
    QApplication.sendEvent(native, event)


def choose_entry(menu: QMenu, title: str) -> None:
    """Choose an entry of a menu."""
    (action,) = [each for each in menu.actions() if each.text() == title]
    assert action.isEnabled()
    action.trigger()
    settle()


def answer_file_dialog(path: Any, kind: str = "") -> None:
    """Type a path into the file dialog that comes up next, and press Enter; "" cancels it.

    `kind` begins the name of the filter to be chosen first.
    """

    def answer(dialog: Any) -> None:
        if not path:
            dialog.reject()
            return
        for chosen in dialog.nameFilters() if kind else ():
            if chosen.startswith(kind):
                dialog.selectNameFilter(chosen)
                dialog.filterSelected.emit(chosen)  # as a click in its list does
        entry = dialog.findChild(QLineEdit)
        entry.setText(str(path))
        QTest.keyClick(entry, Qt.Key.Key_Return)

    answer_dialog(QFileDialog, answer)


def answer_dialog(kind: type, answer: Callable[[Any], None]) -> None:
    """Do something with the dialog of this kind that comes up next."""

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, kind):
            answer(dialog)
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)


def answer_question(button: str) -> list[str]:
    """Press a button of the question that comes up next; returns what it has asked by then."""
    asked: list[str] = []

    def answer(question: QMessageBox) -> None:
        asked.append(question.text())
        (found,) = [each for each in question.buttons() if each.text().startswith(button)]
        found.click()

    answer_dialog(QMessageBox, answer)
    return asked


def hover_frame(viewer: Any) -> Any:
    """The overlay that frames the hovered object in the image; `position` has its corners."""
    overlays = viewer.canvas.overlays
    (name,) = (each for each in overlays if each.startswith("embedscope_pointed"))
    return overlays[name]


def cell_field() -> np.ndarray:
    """Labels of 30 cells on a grid, with gaps between the ids."""
    labels = np.zeros((120, 144), np.int32)
    for number, (y, x) in enumerate(np.ndindex(5, 6)):
        labels[24 * y + 6 : 24 * y + 18, 24 * x + 6 : 24 * x + 18] = 7 * number + 3
    return labels
