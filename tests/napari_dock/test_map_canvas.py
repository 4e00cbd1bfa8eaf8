"""The map under the mouse: real mouse events in, intents out."""

from __future__ import annotations

import numpy as np
import pytest
from map_pixels import as_array, settle
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from embedscope.napari_dock.map._gestures import Tool
from embedscope.napari_dock.map._map_canvas import PICK_RADIUS_PX, MapCanvas
from embedscope.napari_dock.map._map_overlay import VERTEX_RADIUS_PX, GateOutline, _apart
from embedscope.napari_dock.widgets._theme import LIGHT

LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
NO_KEYS = Qt.KeyboardModifier.NoModifier
KEYS = {
    "replace": NO_KEYS,
    "add": Qt.KeyboardModifier.ShiftModifier,
    "subtract": Qt.KeyboardModifier.AltModifier,
    "invert": Qt.KeyboardModifier.ControlModifier,
}
LASSO = [(60, 60), (200, 70), (210, 200), (70, 190)]
GATE = GateOutline("G", "#ff0000", np.array([[0.2, 0.2], [0.8, 0.2], [0.5, 0.8]]))


SIGNALS = (
    "polygon_drawn",
    "rectangle_drawn",
    "gate_drawn",
    "gate_reshaped",
    "path_drawn",
    "decode_requested",
    "point_clicked",
    "hovered",
)


class Told:
    """What a canvas asked for."""

    def __init__(self, canvas: MapCanvas) -> None:
        self.asked: list[tuple[str, tuple[object, ...]]] = []
        for name in SIGNALS:
            signal = getattr(canvas, name)
            signal.connect(lambda *args, name=name: self.asked.append((name, args)))

    def take(self) -> list[tuple[str, tuple[object, ...]]]:
        """Everything but hovering, once."""
        asked, self.asked = self.asked, []
        return [one for one in asked if one[0] != "hovered"]


@pytest.fixture
def canvas(show_widget):
    canvas = show_widget(MapCanvas(), 300, 300)
    canvas.map_view.set_positions(np.array([[0, 0], [1, 1], [0.5, 0.5]], np.float32))
    settle()
    return canvas


@pytest.fixture
def told(canvas) -> Told:
    return Told(canvas)


def send(canvas, kind, pixel, button=LEFT, keys=NO_KEYS):
    """An event as Qt sends it: QTest cannot hold a button while it moves."""
    held = button if kind != QEvent.Type.MouseButtonRelease else Qt.MouseButton.NoButton
    changed = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else button
    place = QPointF(*pixel)
    event = QMouseEvent(kind, place, canvas.native.mapToGlobal(place), changed, held, keys)
    QApplication.sendEvent(canvas.native, event)


def press(canvas, pixel, **more):
    send(canvas, QEvent.Type.MouseButtonPress, pixel, **more)


def move(canvas, pixel, **more):
    send(canvas, QEvent.Type.MouseMove, pixel, **more)


def release(canvas, pixel, **more):
    send(canvas, QEvent.Type.MouseButtonRelease, pixel, **more)


def drag(canvas, points, **more):
    press(canvas, points[0], **more)
    for point in points[1:]:
        move(canvas, point, **more)
    release(canvas, points[-1], **more)


@pytest.mark.parametrize("mode", KEYS)
def test_a_lasso_says_where_it_was_and_how_it_combines(canvas, told, mode):
    drag(canvas, LASSO, keys=KEYS[mode])
    ((name, (polygon, said)),) = told.take()
    assert (name, said) == ("polygon_drawn", mode)
    expected = [canvas.map_view.to_map(pixel) for pixel in LASSO]
    np.testing.assert_allclose(polygon, expected)


def test_a_rectangle_has_two_corners_whichever_way_it_is_drawn(canvas, told):
    canvas.set_tool(Tool.RECTANGLE)
    drag(canvas, [(200, 50), (120, 100), (60, 180)])
    ((name, (low, high, mode)),) = told.take()
    assert (name, mode) == ("rectangle_drawn", "replace")
    np.testing.assert_allclose(low, canvas.map_view.to_map((60, 180)))
    np.testing.assert_allclose(high, canvas.map_view.to_map((200, 50)))


@pytest.mark.parametrize("tool", [Tool.LASSO, Tool.RECTANGLE, Tool.GATE, Tool.PATH, Tool.NAVIGATE])
def test_a_click_picks_whatever_the_tool(canvas, told, tool):
    canvas.set_tool(tool)
    QTest.mouseClick(canvas.native, LEFT, KEYS["add"], QPoint(120, 80))
    ((name, (point, radius, mode)),) = told.take()
    assert (name, mode) == ("point_clicked", "add")
    np.testing.assert_allclose(point, canvas.map_view.to_map((120, 80)))
    assert radius == pytest.approx(PICK_RADIUS_PX * canvas.map_view.map_units_per_pixel)


def test_gates_and_paths_are_drawn(canvas, told):
    canvas.set_tool(Tool.GATE)
    drag(canvas, LASSO)
    canvas.set_tool(Tool.PATH)
    drag(canvas, LASSO)
    (gate, (polygon,)), (path, (points,)) = told.take()
    assert (gate, path) == ("gate_drawn", "path_drawn")
    np.testing.assert_array_equal(polygon, points)


def test_decoding_follows_the_hand(canvas, told):
    canvas.set_tool(Tool.DECODE)
    drag(canvas, LASSO)
    asked = told.take()
    assert {name for name, _ in asked} == {"decode_requested"}
    np.testing.assert_allclose(
        [point for _, (point,) in asked], [canvas.map_view.to_map(pixel) for pixel in LASSO]
    )


def test_a_line_encloses_nobody(canvas, told):
    drag(canvas, [(50, 50), (100, 50), (150, 50)])
    assert told.take() == []


def test_a_lasso_that_is_given_up_asks_for_nothing(canvas, told):
    press(canvas, LASSO[0])
    for pixel in LASSO[1:]:
        move(canvas, pixel)
    assert canvas.cancel()
    release(canvas, LASSO[-1])
    assert told.take() == []
    assert not canvas.cancel()


def test_zooming_in_the_middle_of_a_lasso_does_not_tear_it(canvas, told):
    press(canvas, LASSO[0])
    move(canvas, LASSO[1])
    drawn = [canvas.map_view.to_map(pixel) for pixel in LASSO[:2]]
    canvas.map_view.show_box(np.array([0.2, 0.2]), np.array([0.6, 0.6]))
    for pixel in LASSO[2:]:
        move(canvas, pixel)
    release(canvas, LASSO[-1])
    ((_, (polygon, _)),) = told.take()
    np.testing.assert_allclose(polygon[:2], drawn)


@pytest.mark.parametrize(("tool", "button"), [(Tool.NAVIGATE, LEFT), (Tool.LASSO, MIDDLE)])
def test_panning_moves_the_map_with_the_hand_and_selects_nobody(canvas, told, tool, button):
    canvas.set_tool(tool)
    under = canvas.map_view.to_map((100, 100))
    drag(canvas, [(100, 100), (130, 110), (170, 140)], button=button)
    np.testing.assert_allclose(canvas.map_view.to_map((170, 140)), under, atol=1e-6)
    assert told.take() == []


def test_a_double_click_shows_all(canvas):
    canvas.map_view.show_box(np.array([0.4, 0.4]), np.array([0.5, 0.5]))
    QTest.mouseDClick(canvas.native, LEFT, NO_KEYS, QPoint(150, 150))
    assert canvas.map_view.rect[2] > 1


def test_the_corner_of_the_active_gate_can_be_dragged(canvas, told):
    canvas.set_gates([GATE], active="G")
    corner = tuple(canvas.map_view.to_pixels(GATE.polygon)[2])
    press(canvas, corner)
    move(canvas, (200, 40))
    canvas.set_gates([], "G")  # told by the explorer in the middle of it
    release(canvas, (200, 40))
    ((name, (gate, polygon)),) = told.take()
    assert (name, gate) == ("gate_reshaped", "G")
    np.testing.assert_allclose(polygon[:2], GATE.polygon[:2])
    np.testing.assert_allclose(polygon[2], canvas.map_view.to_map((200, 40)))


def side_of(canvas, number: int) -> tuple[float, float]:
    """The middle of a side of the gate on the screen."""
    corners = canvas.map_view.to_pixels(GATE.polygon)
    return tuple((corners[number] + corners[(number + 1) % len(corners)]) / 2)


@pytest.mark.parametrize("number", [0, -1])
def test_the_middle_of_a_side_becomes_a_corner(canvas, told, number):
    canvas.set_gates([GATE], active="G")
    number %= len(GATE.polygon)
    drag(canvas, [side_of(canvas, number), (140, 150), (150, 160)])
    ((name, (gate, polygon)),) = told.take()
    assert (name, gate) == ("gate_reshaped", "G")
    np.testing.assert_allclose(np.delete(polygon, number + 1, axis=0), GATE.polygon)
    np.testing.assert_allclose(polygon[number + 1], canvas.map_view.to_map((150, 160)))


def test_a_side_that_is_only_clicked_or_given_up_stays_straight(canvas, told):
    canvas.set_gates([GATE], active="G")
    drag(canvas, [side_of(canvas, 1)])
    press(canvas, side_of(canvas, 1))
    move(canvas, (150, 160))
    assert canvas.cancel()
    np.testing.assert_array_equal(canvas.overlay.gates[0].polygon, GATE.polygon)
    assert told.take() == []


def test_a_double_click_takes_a_corner_away_but_leaves_three(canvas, told):
    square = GateOutline("G", "#e69f00", np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]))
    before = canvas.map_view.rect
    for gate, expected in ((square, square.polygon[[0, 1, 3]]), (GATE, None)):
        canvas.set_gates([gate], active="G")
        corner = canvas.map_view.to_pixels(gate.polygon)[2]
        QTest.mouseDClick(canvas.native, LEFT, NO_KEYS, QPoint(*np.round(corner).astype(int)))
        asked = told.take()
        if expected is None and len(gate.polygon) == 3:
            assert asked == []
        elif expected is not None:
            np.testing.assert_allclose(asked[-1][1][1], expected)
    assert canvas.map_view.rect == before


def test_a_reshaping_that_is_given_up_leaves_the_gate(canvas, told):
    canvas.set_gates([GATE], active="G")
    press(canvas, tuple(canvas.map_view.to_pixels(GATE.polygon)[0]))
    move(canvas, (200, 40))
    assert canvas.cancel()
    np.testing.assert_array_equal(canvas.overlay.gates[0].polygon, GATE.polygon)
    assert told.take() == []


def test_the_corner_of_another_gate_begins_a_lasso(canvas, told):
    canvas.set_gates([GATE], active="")
    drag(canvas, [tuple(canvas.map_view.to_pixels(GATE.polygon)[0]), *LASSO])
    ((name, _),) = told.take()
    assert name == "polygon_drawn"


@pytest.mark.parametrize(
    ("tool", "asked"), [(Tool.DECODE, "decode_requested"), (Tool.PATH, "path_drawn")]
)
def test_looking_at_the_corner_of_a_gate_leaves_the_gate(canvas, told, tool, asked):
    canvas.set_gates([GATE], active="G")
    canvas.set_tool(tool)
    drag(canvas, [tuple(canvas.map_view.to_pixels(GATE.polygon)[0]), (150, 60), (200, 40)])
    assert {name for name, _ in told.take()} == {asked}


def test_hovering_is_told_once_in_a_while_and_ends_outside(canvas, told, qtbot):
    for x in range(60, 160, 5):
        move(canvas, (x, 90), button=Qt.MouseButton.NoButton)
    qtbot.waitUntil(lambda: bool(told.asked))
    qtbot.wait(60)
    hovered = [args for name, args in told.asked if name == "hovered"]
    assert len(hovered) < 20
    np.testing.assert_allclose(hovered[-1][0], canvas.map_view.to_map((155, 90)))
    QApplication.sendEvent(canvas.native, QEvent(QEvent.Type.Leave))
    qtbot.waitUntil(lambda: told.asked[-1][1][0] is None)


def test_what_lies_over_the_map_is_painted(canvas):
    def paint() -> np.ndarray:
        settle()
        return as_array(canvas.overlay.grab().toImage())

    bare = paint()
    changes = {
        "gate": lambda: canvas.set_gates([GATE], active="G"),
        "stroke": lambda: canvas.overlay.set_stroke(GATE.polygon, closed=True),
        "path": lambda: canvas.overlay.set_path(GATE.polygon),
        "ring": lambda: canvas.overlay.set_ring(np.array([0.1, 0.9]), "#00ff00"),
        "cross": lambda: canvas.overlay.set_cross(np.array([0.9, 0.5]), GATE.polygon),
        "hint": lambda: canvas.overlay.set_hint("Train a map."),
    }
    for name, change in changes.items():
        change()
        shown = paint()
        assert (shown != bare).any(), name
        bare = shown


def test_the_overlay_covers_the_map_and_lets_the_mouse_through(canvas, told):
    canvas.resize(360, 280)
    settle()
    assert canvas.overlay.size() == canvas.native.size()
    assert canvas.overlay.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


def test_a_theme_changes_what_is_drawn_on_it(canvas):
    canvas.set_theme(LIGHT)
    settle()
    shown = as_array(canvas.native.grabFramebuffer())
    assert shown[2, 2].tolist() == list(LIGHT.background)


def test_of_many_corners_only_those_apart_have_circles():
    line = np.stack([np.arange(50.0), np.zeros(50)], axis=1)
    kept = _apart(line)
    assert kept[0].tolist() == [0, 0]
    assert (np.diff(kept[:, 0]) > 2 * VERTEX_RADIUS_PX).all()
    np.testing.assert_array_equal(_apart(10 * line), 10 * line)
