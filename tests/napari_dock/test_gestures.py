"""What a drag means: clicks and strokes, and the keys that were held."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope.napari_dock.map._gestures import CLICK_RADIUS_PX, Gesture, Tool, mode_of


def drawn(tool: Tool, *points: tuple[float, float]) -> Gesture:
    """Drawn on a map that has one unit a pixel."""
    first, *others = points
    gesture = Gesture(tool, "replace", first, [np.array(first)])
    for point in others:
        gesture.move_to(point, np.array(point))
    return gesture


@pytest.mark.parametrize(
    ("keys", "mode"),
    [
        ({}, "replace"),
        ({"shift": True}, "add"),
        ({"alt": True}, "subtract"),
        ({"control": True}, "invert"),
        ({"shift": True, "alt": True}, "subtract"),
        ({"shift": True, "control": True}, "invert"),
    ],
)
def test_keys_say_how_it_combines(keys, mode):
    assert mode_of(**({"shift": False, "alt": False, "control": False} | keys)) == mode


@given(st.floats(0, 360), st.floats(0, CLICK_RADIUS_PX * 0.99))
def test_a_hand_that_trembles_still_clicks(angle, distance):
    turned = np.radians(angle)
    place = (50 + distance * np.cos(turned), 50 + distance * np.sin(turned))
    assert drawn(Tool.LASSO, (50, 50), place, (50, 50)).is_click


def test_a_stroke_that_comes_back_is_no_click():
    assert not drawn(Tool.LASSO, (50, 50), (80, 50), (50, 50)).is_click


def test_a_lasso_keeps_its_way_but_not_every_step():
    lasso = drawn(Tool.LASSO, (0, 0), (1, 0), (1.5, 0), (10, 0), (10, 10), (0, 10))
    assert lasso.outline.tolist() == [[0, 0], [10, 0], [10, 10], [0, 10]]
    assert lasso.encloses


@given(st.tuples(st.floats(-90, 90), st.floats(-90, 90)))
def test_a_rectangle_runs_from_press_to_release(end):
    box = drawn(Tool.RECTANGLE, (0, 0), (50, 70), end).outline
    last = drawn(Tool.RECTANGLE, (0, 0), (50, 70), end).stroke[-1]
    assert box.shape == (4, 2)
    np.testing.assert_array_equal(np.ptp(box, axis=0), np.abs(last))


@pytest.mark.parametrize("points", [[(0, 0), (9, 0)], [(0, 0), (9, 0), (20, 0)], [(0, 0)]])
def test_a_line_encloses_nothing(points):
    assert not drawn(Tool.LASSO, *points).encloses
    assert not drawn(Tool.RECTANGLE, *points).encloses
