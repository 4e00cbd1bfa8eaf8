"""Sources: from pixels to the world and back, and the sample at a point."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.samples import PatchGrid, SampleId, Source

QUARTER_TURN = np.array([[0.0, -2.0, 10.0], [2.0, 0.0, 20.0], [0.0, 0.0, 1.0]])


def labels_source(**changes):
    labels = np.zeros((4, 6), np.uint16)
    labels[1, 2:4] = 7
    return Source("cells", "labels", labels=labels, axes="yx", **changes)


def test_known_transform():
    source = labels_source(affine=QUARTER_TURN)
    np.testing.assert_allclose(source.to_world([[0, 0], [1, 3]]), [[10, 20], [4, 22]])
    np.testing.assert_allclose(source.to_world([1, 3]), [4, 22])
    np.testing.assert_allclose(source.to_data([[10, 20], [4, 22]]), [[0, 0], [1, 3]])


def test_without_affine_the_world_is_in_pixels():
    np.testing.assert_array_equal(labels_source().to_world([[1, 3]]), [[1, 3]])
    np.testing.assert_array_equal(labels_source().to_data([[1, 3]]), [[1, 3]])


@pytest.mark.parametrize(
    ("place", "label"),
    [((1, 2), 7), ((0.51, 1.51), 7), ((1.49, 3.49), 7), ((0.49, 2), 0), ((1, 3.51), 0)],
)
def test_nearest_pixel_decides(place, label):
    expected = SampleId("cells", 0, label) if label else None
    assert labels_source().label_at(place) == expected


@pytest.mark.parametrize(
    "place", [(-0.6, 2), (1, 5.6), (-1, -1), (np.nan, 2), (np.inf, 2), (1e300, 2)]
)
def test_there_is_no_sample_outside(place):
    labels = np.full((4, 6), 7)
    assert Source("cells", "labels", labels=labels, axes="yx").label_at(place) is None


def test_time_is_the_frame():
    labels = np.zeros((3, 4, 6), np.uint8)
    labels[2, 1, 1] = 5
    source = Source("movie", "labels", labels=labels, axes="tyx")
    assert source.label_at((2, 1, 1)) == ("movie", 2, 5)
    assert source.label_at((1, 1, 1)) is None


def test_finest_level_of_a_pyramid_decides():
    fine = np.zeros((8, 8), np.uint8)
    fine[3, 3] = 9
    source = Source("cells", "labels", labels=[fine, fine[::2, ::2]], axes="yx")
    assert source.label_at((3, 3)) == ("cells", 0, 9)
    assert source.label_at((2, 2)) is None


def test_table_has_no_positions():
    assert Source("table", "table").label_at(()) is None


def test_patch_whose_middle_is_nearest():
    source = Source(
        "image",
        "patches",
        image=np.zeros((8, 10)),
        axes="yx",
        image_axes="yx",
        patch_grid=PatchGrid(8, 10, 4, 2),
    )
    assert source.label_at((0, 0)).label == 1
    assert source.label_at((0, 3.4)).label == 2  # in patches 1 and 2; middles at 1.5 and 3.5
    assert source.label_at((7, 9)).label == len(source.patch_grid) == 12
    assert source.label_at((8, 0)) is None


@pytest.mark.parametrize("step", [1, 3, 4, 7])
def test_patch_at_a_pixel_holds_it(step):
    grid = PatchGrid(17, 23, 4, step)
    corners = grid.corners()
    for row, column in np.ndindex(17, 23):
        label = grid.label_at(row, column)
        inside = ((corners <= (row, column)) & ((row, column) < corners + 4)).all(axis=1)
        if label is None:
            assert not inside.any()
            continue
        assert inside[label - 1]
        away = np.abs(corners + 1.5 - (row, column)).max(axis=1)[inside]
        assert np.abs(corners[label - 1] + 1.5 - (row, column)).max() == away.min()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"affine": np.eye(4)}, r"affine must be a matrix of shape \(3, 3\)"),
        ({"affine": np.diag([1.0, 0, 1])}, r"affine must be finite and invertible"),
        ({"affine": np.diag([1.0, np.nan, 1])}, r"affine must be finite and invertible"),
        (
            {"affine": np.array([[1.0, 0, 0], [2, 0, 0], [0, 0, 1]])},
            r"affine must be .* invertible",
        ),
        ({"affine": np.diag([1.0, 1, 2])}, r"whose last row is 0 \.\.\. 0 1"),
    ],
)
def test_bad_affine_is_refused(changes, message):
    with pytest.raises(InvalidInputError, match=message):
        labels_source(**changes)


def test_tiny_scales_are_no_singular_matrix():
    source = labels_source(affine=np.diag([1e-9, 1e-9, 1.0]))
    np.testing.assert_allclose(source.to_data([1e-9, 2e-9]), [1, 2])


def test_bad_sources_are_refused():
    with pytest.raises(InvalidInputError, match="source must be a name; got ''"):
        Source("", "table")
    with pytest.raises(InvalidInputError, match="kind must be one of"):
        Source("a", "picture")
    with pytest.raises(
        InvalidInputError, match="axes must name every axis of the labels; got 'yx'"
    ):
        Source("a", "labels", labels=np.zeros((2, 2, 2), int), axes="yx")
    with pytest.raises(InvalidInputError, match="one coordinate for each of the axes 'yx'"):
        labels_source().label_at((1, 2, 3))
