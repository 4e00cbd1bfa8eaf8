"""Labels as codes: any slice, any kind of array, and only the requested part is read."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices

from embedscope.napari_dock.layers._coded_labels import CodedLabels
from embedscope.napari_dock.layers._label_rows import LabelRows

LABELS = np.random.default_rng(3).integers(0, 4, (3, 5, 6))  # 0..3, used again in each frame
KNOWN = np.array([1, 2, 3, 1, 3, 2])
FRAMES = np.array([0, 0, 0, 1, 1, 2])
CODES = np.array([10, 20, 30, 40, 50, 60], np.uint8)
LOOK_UP = np.zeros((3, 4), np.uint8)
LOOK_UP[FRAMES, KNOWN] = CODES


def coded(labels: object = LABELS) -> CodedLabels:
    view = CodedLabels(labels, LabelRows(KNOWN, FRAMES), frame_axis=0)
    view.set_codes(CODES)
    return view


@given(basic_indices(LABELS.shape, allow_ellipsis=True))
def test_any_slice_is_the_slice_of_all(key):
    expected = np.stack([LOOK_UP[frame][LABELS[frame]] for frame in range(3)])[key]
    np.testing.assert_array_equal(coded()[key], expected)


@given(st.integers(-3, 2), basic_indices(LABELS.shape[1:]))
def test_a_frame_counted_from_the_end_is_that_frame(frame, rest):
    rest = rest if isinstance(rest, tuple) else (rest,)
    np.testing.assert_array_equal(coded()[(frame, *rest)], LOOK_UP[frame][LABELS[frame]][rest])


@pytest.mark.parametrize("array_of", [da.from_array, zarr.array, np.asarray])
def test_every_kind_of_array_gives_the_same_codes(array_of):
    view = coded(array_of(LABELS))
    np.testing.assert_array_equal(view[1], LOOK_UP[1][LABELS[1]])
    np.testing.assert_array_equal(view[:, 2], [LOOK_UP[t][LABELS[t, 2]] for t in range(3)])
    np.testing.assert_array_equal(np.asarray(view)[2], LOOK_UP[2][LABELS[2]])
    assert view.shape == (3, 5, 6)
    assert (view.ndim, view.size, view.dtype, len(view)) == (3, 90, np.uint8, 3)


def test_the_rim_has_its_own_code():
    labels = np.zeros((5, 9), np.int32)
    labels[1:4, 1:4] = 7
    labels[1:4, 4:8] = 9  # touches 7
    view = CodedLabels(labels, LabelRows(np.array([9, 7])))
    view.set_codes(np.array([1, 2], np.uint8), np.array([3, 4], np.uint8))
    assert view[:].tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 4, 4, 4, 3, 3, 3, 3, 0],
        [0, 4, 2, 4, 3, 1, 1, 3, 0],
        [0, 4, 4, 4, 3, 3, 3, 3, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]


def test_changed_labels_are_read_again_after_forget():
    labels = np.array([[1, 2]])
    view = CodedLabels(labels, LabelRows(np.array([1, 2])))
    view.set_codes(np.array([10, 20], np.uint8))
    assert view[:].tolist() == [[10, 20]]
    labels[0, 0] = 2
    view.forget()
    assert view[:].tolist() == [[20, 20]]


def test_only_the_visible_chunks_are_read():
    read = []

    def chunk(block_info=None):
        where = block_info[None]["chunk-location"]
        read.append(where)
        return np.ones((1, 8, 8), np.int32)

    lazy = da.map_blocks(chunk, chunks=((1,) * 50, (8,) * 4, (8,) * 4), dtype=np.int32)
    view = CodedLabels(lazy, LabelRows(np.ones(50, np.int64), np.arange(50)), frame_axis=0)
    view.set_codes(np.arange(50, dtype=np.uint8))
    assert (view[30, :8, 8:24] == 30).all()
    assert sorted(set(read)) == [(30, 0, 1), (30, 0, 2)]
    n_read = len(read)
    view.set_codes(np.arange(50, dtype=np.uint8)[::-1])  # new colours read nothing again
    assert (view[30, :8, 8:24] == 19).all()
    assert len(read) == n_read


def test_stripes_run_across_the_inside_and_leave_the_rim():
    labels = np.zeros((12, 14), np.int32)
    labels[1:11, 2:12] = 9
    coded = CodedLabels(labels, LabelRows(np.array([9])))
    coded.set_codes(np.array([1], np.uint8), np.array([2], np.uint8), np.array([3], np.uint8))
    rows, columns = np.indices(labels.shape)
    inside = (rows >= 2) & (rows < 10) & (columns >= 3) & (columns < 11)
    expected = np.where((rows + columns) % 4 == 0, 3, 1)
    expected = np.where(inside, expected, np.where(labels > 0, 2, 0))
    np.testing.assert_array_equal(coded[...], expected)
