"""The row of a label: with gaps, huge ids, reused ids, and unknown ids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.napari_dock.layers._label_rows import LabelRows

LABEL = st.one_of(st.integers(1, 40), st.integers(1, 2**31 - 1), st.integers(2**32, 2**62))


@given(
    st.lists(st.tuples(LABEL, st.integers(0, 3)), unique=True, max_size=30),
    st.lists(st.one_of(LABEL, st.integers(-3, 60)), min_size=1, max_size=40),
    st.integers(0, 4),
)
def test_every_pixel_is_its_own_label_of_its_own_frame(known, pixels, frame):
    labels = np.array([label for label, _ in known], np.int64)
    frames = np.array([at for _, at in known], np.int64)
    rows = LabelRows(labels, frames)
    row_of = {pair: row for row, pair in enumerate(known)}
    # Absent ids, and ids that are known, in one image.
    image = np.array(pixels + [label for label, _ in known], np.int64)
    expected = [row_of.get((int(label), frame), -1) + 1 for label in image]
    assert rows.image_of(image, frame).tolist() == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint32, np.uint64])
@pytest.mark.parametrize("greatest", [100, 70_000, 2**24])
def test_every_integer_type_finds_the_same_rows(dtype, greatest):
    rows = LabelRows(np.array([100, 3, greatest]) if greatest != 100 else np.array([100, 3]))
    image = np.array([[0, 3, 4], [100, 5, 3]]).astype(dtype)
    assert rows.image_of(image).tolist() == [[0, 2, 0], [1, 0, 2]]


def test_the_greatest_uint64_is_no_sample():
    image = np.array([2**64 - 1, 2**63, 7], np.uint64)
    assert LabelRows(np.array([7])).image_of(image).tolist() == [0, 0, 1]
    assert LabelRows(np.array([7, 2**40])).image_of(image).tolist() == [0, 0, 1]


def test_a_mask_of_one_object():
    assert LabelRows(np.array([1])).image_of(np.array([True, False])).tolist() == [1, 0]


def test_no_labels_and_no_pixels():
    assert LabelRows(np.array([], np.int64)).image_of(np.array([[3, 4]])).tolist() == [[0, 0]]
    assert LabelRows(np.array([3, 2**30])).image_of(np.zeros((0, 4), np.int32)).shape == (0, 4)


@pytest.mark.parametrize(
    ("labels", "frames", "rule"),
    [
        ([3, 3], None, "unique within a frame"),
        ([3, 3, 4], [1, 1, 1], "unique within a frame"),
        ([0, 1], None, "above 0"),
        ([-4, 1], None, "above 0"),
        ([1, 2], [0], "one entry for each label"),
    ],
)
def test_ambiguous_labels_are_refused(labels, frames, rule):
    with pytest.raises(InvalidInputError, match=rule):
        LabelRows(np.array(labels), None if frames is None else np.array(frames))
