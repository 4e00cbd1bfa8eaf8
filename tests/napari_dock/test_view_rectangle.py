"""The pixels that a rectangle on the screen touches, for any transform of the layer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Labels, Points

from embedscope.napari_dock.layers._view_rectangle import ViewRectangle

SHAPE = (12, 9)
LABELS = np.arange(1, 12 * 9 + 1).reshape(SHAPE)  # each pixel an object of its own


def touched(layer, rectangle, level=0):
    """Values of all pixels that the rectangle touches."""
    levels = layer.data if layer.multiscale else [layer.data]
    plane = rectangle.plane_of(layer)
    found = [
        np.asarray(levels[level][key])[mask]
        for key, mask in plane.windows(levels[level].shape, levels[0].shape)
    ]
    return set(np.concatenate([np.zeros(0, int), *found]).tolist())


def test_upright_it_touches_what_it_covers_even_in_part():
    rectangle = ViewRectangle((1.6, 2.4), (4.4, 3.4), (0, 1))
    assert touched(Labels(LABELS), rectangle) == set(LABELS[2:5, 2:4].ravel().tolist())
    backwards = ViewRectangle((4.4, 3.4), (1.6, 2.4), (0, 1))
    assert touched(Labels(LABELS), backwards) == touched(Labels(LABELS), rectangle)


def test_within_one_pixel_and_without_a_width():
    assert touched(Labels(LABELS), ViewRectangle((3.1, 3.1), (3.2, 3.2), (0, 1))) == {LABELS[3, 3]}
    line = ViewRectangle((2, 3), (5, 3), (0, 1))
    assert touched(Labels(LABELS), line) == set(LABELS[2:6, 3].tolist())


def test_beyond_the_image_there_is_nothing():
    assert touched(Labels(LABELS), ViewRectangle((-9, -9), (-2, 40), (0, 1))) == set()
    everything = ViewRectangle((-99, -99), (99, 99), (0, 1))
    assert touched(Labels(LABELS), everything) == set(LABELS.ravel().tolist())


number = st.floats(-15, 15)


@settings(max_examples=150)
@given(
    st.tuples(number, number),
    st.tuples(number, number),
    st.floats(-180, 180),
    st.tuples(st.floats(0.2, 5), st.floats(0.2, 5)),
    st.floats(-0.8, 0.8),
)
def test_askew_it_touches_every_pixel_whose_middle_it_covers_and_none_farther_than_half_of_one(
    corner, opposite, angle, scale, shear
):
    layer = Labels(LABELS, rotate=angle, scale=scale, shear=[shear], translate=(3, -4))
    found = touched(layer, ViewRectangle(corner, opposite, (0, 1)))
    low, high = np.minimum(corner, opposite), np.maximum(corner, opposite)
    # A pixel's farthest corner, in world units.
    corners = np.array([layer.data_to_world(each) for each in [(0.5, 0.5), (0.5, -0.5)]])
    reach = np.abs(corners - layer.data_to_world((0, 0))).max(axis=0)
    for place, label in np.ndenumerate(LABELS):
        world = np.array(layer.data_to_world(place))
        if (low + 1e-6 <= world).all() and (world <= high - 1e-6).all():
            assert label in found
        if (world < low - reach - 1e-6).any() or (world > high + reach + 1e-6).any():
            assert label not in found


@pytest.mark.parametrize("displayed", [(1, 2), (2, 1), (0, 2)])
def test_of_a_stack_only_the_slice_counts(displayed):
    stack = Labels(np.arange(1, 4 * 5 * 6 + 1).reshape(4, 5, 6), scale=(3, 1, 1))
    hidden = 3 - sum(displayed)
    corner, opposite = [6.0, 2.0, 3.0], [6.0, 2.0, 3.0]
    for axis in displayed:
        corner[axis], opposite[axis] = 0.8 * stack.scale[axis], 2.2 * stack.scale[axis]
    key = [slice(1, 3)] * 3
    key[hidden] = (2, 2, 3)[hidden]
    found = touched(stack, ViewRectangle(tuple(corner), tuple(opposite), displayed))
    assert found == set(stack.data[tuple(key)].ravel().tolist())
    outside = [value if axis in displayed else 99.0 for axis, value in enumerate(corner)]
    beyond = tuple(99.0 if axis == hidden else opposite[axis] for axis in range(3))
    assert touched(stack, ViewRectangle(tuple(outside), beyond, displayed)) == set()


def test_of_a_large_pyramid_a_coarser_level_is_read():
    sides = [(20_000, 20_000), (5_000, 5_000), (1_000, 1_000)]
    levels = [np.broadcast_to(np.int32(7), side) for side in sides]
    pyramid = Labels(levels, multiscale=True)
    small = ViewRectangle((10, 10), (500, 500), (0, 1)).plane_of(pyramid)
    large = ViewRectangle((10, 10), (19_000, 9_000), (0, 1)).plane_of(pyramid)
    assert small.level_of(sides) == 0
    assert large.level_of(sides) == 1
    n_read = sum(mask.sum() for _, mask in large.windows(sides[1], sides[0]))
    assert n_read == pytest.approx(18_990 * 8_990 / 16, rel=0.01)


def test_a_layer_without_one_of_the_axes_is_not_touched():
    assert ViewRectangle((0, 0, 0), (5, 0, 5), (0, 2)).plane_of(Labels(LABELS)) is None


def test_points_count_by_their_middle_and_in_their_slice():
    points = Points(np.array([[0, 3, 3], [1, 3, 3], [1, 8, 8], [1.4, 4, 4]]), scale=(2, 1, 1))
    plane = ViewRectangle((2, 2, 2), (2, 5, 5), (1, 2)).plane_of(points)
    assert plane.contains(points.data).tolist() == [False, True, False, True]
