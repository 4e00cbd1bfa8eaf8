"""Crops: each belongs to its label id, is centred, and is padded and masked by the options."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedscope._errors import InvalidInputError
from embedscope.samples import crops_from_labels


def two_objects(first_id=5, second_id=300, dtype=np.uint16):
    """A 12 x 16 image whose pixel values are their indices, and two 3 x 3 objects in it."""
    image = np.arange(12 * 16, dtype=np.float64).reshape(12, 16)
    labels = np.zeros((12, 16), dtype)
    labels[2:5, 3:6] = first_id
    labels[7:10, 11:14] = second_id
    return image, labels


def bar(angle_degrees, size=61, half_length=18.0, half_width=4.0):
    """A bar at an angle to the vertical, brighter at its lower end."""
    rows, columns = np.mgrid[:size, :size] - size // 2
    angle = np.deg2rad(angle_degrees)
    along = rows * np.cos(angle) + columns * np.sin(angle)
    across = -rows * np.sin(angle) + columns * np.cos(angle)
    labels = ((abs(along) <= half_length) & (abs(across) <= half_width)).astype(np.int32)
    return labels.astype(np.float32), labels


def test_crop_holds_the_pixels_around_the_centre():
    image, labels = two_objects()
    crops = crops_from_labels(image, labels, 5)
    np.testing.assert_array_equal(crops.images[0, ..., 0], image[1:6, 2:7])
    np.testing.assert_array_equal(crops.images[1, ..., 0], image[6:11, 10:15])


def test_crop_of_even_size_has_the_centre_at_half_its_size():
    image, labels = two_objects()
    crops = crops_from_labels(image, labels, 4)
    np.testing.assert_array_equal(crops.images[0, ..., 0], image[1:5, 2:6])


def test_ids_and_boxes_belong_to_their_rows():
    image, labels = two_objects(first_id=300, second_id=9)
    crops = crops_from_labels(image, labels, 3)
    assert crops.label_ids.tolist() == [9, 300]
    assert crops.bounding_boxes.tolist() == [[7, 11, 10, 14], [2, 3, 5, 6]]
    np.testing.assert_array_equal(crops.images[1, ..., 0], image[2:5, 3:6])


def test_requested_ids_come_in_the_requested_order():
    image, labels = two_objects()
    crops = crops_from_labels(image, labels, 3, label_ids=[300, 5, 300])
    assert crops.label_ids.tolist() == [300, 5, 300]
    np.testing.assert_array_equal(crops.images[0], crops.images[2])
    np.testing.assert_array_equal(crops.images[1, ..., 0], image[2:5, 3:6])


def test_largest_id_of_the_dtype_is_kept():
    largest = np.iinfo(np.uint64).max
    image, labels = two_objects(second_id=largest, dtype=np.uint64)
    crops = crops_from_labels(image, labels, 3, background="zero")
    assert int(crops.label_ids[1]) == largest
    assert crops.label_ids.dtype == np.uint64
    np.testing.assert_array_equal(crops.images[1, ..., 0], image[7:10, 11:14])


def test_objects_may_cover_every_pixel():
    labels = np.repeat([[7, 9]], 4, axis=0).repeat(4, axis=1)
    crops = crops_from_labels(labels.astype(float), labels, 6, background="median")
    assert crops.label_ids.tolist() == [7, 9]
    assert set(np.unique(crops.images[0])) == {0.0, 7.0}


def test_pixels_keep_their_dtype_and_value():
    labels = np.ones((3, 3), np.int8)
    image = np.full((3, 3), 2**63 + 1, np.uint64)  # a float cannot hold this number
    crops = crops_from_labels(image, labels, 3)
    assert crops.images.dtype == np.uint64
    assert (crops.images == 2**63 + 1).all()


def test_channels_stay_separate():
    image, labels = two_objects()
    channels = np.stack([image, -image, image**2], axis=-1)
    crops = crops_from_labels(channels, labels, 3)
    assert crops.images.shape == (2, 3, 3, 3)
    np.testing.assert_array_equal(crops.images[1], channels[7:10, 11:14])


@pytest.mark.parametrize(("padding", "mode"), [("reflect", "reflect"), ("zero", "constant")])
@pytest.mark.parametrize("size", [5, 9, 21])
def test_border_is_padded_as_numpy_pads(padding, mode, size):
    rng = np.random.default_rng(0)
    image = rng.integers(1, 255, (6, 7)).astype(np.uint8)
    labels = np.zeros((6, 7), np.uint8)
    labels[0, 6] = 3  # in the corner
    crop = crops_from_labels(image, labels, size, padding=padding).images[0, ..., 0]
    padded = np.pad(image, size, mode=mode)
    first = np.array([0, 6]) + size - size // 2
    expected = padded[first[0] : first[0] + size, first[1] : first[1] + size]
    np.testing.assert_array_equal(crop, expected)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (1, 1)])
def test_image_of_one_row_or_column_is_reflected(shape):
    image = np.arange(9.0)[: shape[0] * shape[1]].reshape(shape)
    crop = crops_from_labels(image, np.ones(shape, int), 5).images[0, ..., 0]
    assert set(np.unique(crop)) <= set(np.unique(image))


def test_background_is_replaced_neighbours_included():
    image, labels = two_objects()
    labels[2:5, 6:8] = 300  # a neighbour that touches
    channels = np.stack([image, image + 1000], axis=-1)
    outside = channels[labels == 0]

    zeroed = crops_from_labels(channels, labels, 7, background="zero").images[0]
    filled = crops_from_labels(channels, labels, 7, background="median").images[0]
    own = np.zeros((7, 7), bool)
    own[2:5, 2:5] = True
    np.testing.assert_array_equal(zeroed[own], channels[2:5, 3:6].reshape(-1, 2))
    assert not zeroed[~own].any()
    np.testing.assert_array_equal(filled[~own], np.tile(np.median(outside, axis=0), (40, 1)))


def test_mirror_image_of_an_object_is_background():
    labels = np.zeros((8, 8), int)
    labels[0:3, 3:6] = 1
    crop = crops_from_labels(np.ones((8, 8)), labels, 7, background="zero").images[0, ..., 0]
    assert crop.sum() == 9


@pytest.mark.parametrize("angle", [0, 20, 45, 90, 135, 170])
def test_aligned_object_is_upright(angle):
    image, labels = bar(angle)
    crop = crops_from_labels(image, labels, 41, align=True).images[0, ..., 0]
    rows, columns = np.nonzero(crop > 0.5)
    assert np.ptp(rows) == pytest.approx(36, abs=2)
    assert np.ptp(columns) == pytest.approx(8, abs=2)


@pytest.mark.parametrize("angle", [0, 60, 180, 250])
def test_aligned_object_has_its_heavy_end_at_the_bottom(angle):
    rows, columns = np.mgrid[:61, :61] - 30
    turn = np.deg2rad(angle)
    along = rows * np.cos(turn) + columns * np.sin(turn)
    across = -rows * np.sin(turn) + columns * np.cos(turn)
    wedge = (abs(along) <= 18) & (abs(across) <= (along + 20) / 6)
    crop = crops_from_labels(wedge.astype(float), wedge.astype(int), 51, align=True).images[0]
    width_of_row = (crop[..., 0] > 0.5).sum(axis=1)
    assert width_of_row.argmax() > 51 // 2 + 5


def test_alignment_at_the_border_pads():
    image, labels = bar(30, size=41)
    zero = crops_from_labels(image + 1, labels, 61, align=True, padding="zero").images
    mirrored = crops_from_labels(image + 1, labels, 61, align=True, padding="reflect").images
    assert zero.min() == 0
    assert mirrored.min() == 1


label_images = hnp.arrays(
    np.int64,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12),
    elements=st.sampled_from([0, 0, 0, 1, 4, 70_000, 2**62]),
)


@given(
    labels=label_images,
    size=st.integers(1, 15),
    padding=st.sampled_from(["reflect", "zero"]),
    align=st.booleans(),
)
def test_every_crop_is_of_its_own_label(labels, size, padding, align):
    """The image is the label image, so a crop shows the label of its object."""
    ids = np.unique(labels[labels > 0])
    if len(ids) == 0:
        with pytest.raises(InvalidInputError, match="at least one object"):
            crops_from_labels(labels, labels, size)
        return
    ranks = np.searchsorted(ids, labels) + 1
    ranks[labels == 0] = 0
    options = {"padding": padding, "align": align, "background": "zero"}
    # The ids are given, since noise of one id would be refused as a mask.
    crops = crops_from_labels(ranks, labels, size, label_ids=ids, **options)
    np.testing.assert_array_equal(crops.label_ids, ids)
    assert crops.images.shape == (len(ids), size, size, 1)
    for rank, (crop, label, box) in enumerate(
        zip(crops.images, crops.label_ids, crops.bounding_boxes, strict=True), start=1
    ):
        inside = labels[box[0] : box[2], box[1] : box[3]] == label
        assert inside.sum() == (labels == label).sum()
        assert inside.any(axis=1)[[0, -1]].all()
        assert inside.any(axis=0)[[0, -1]].all()
        if not align:
            assert set(np.unique(crop)) <= {0, rank}
            if size >= 2 * max(labels.shape):
                assert (crop == rank).sum() == inside.sum()


@given(labels=label_images.filter(np.any), seed=st.integers(0, 9))
def test_renumbering_objects_changes_nothing_but_ids(labels, seed):
    image = np.random.default_rng(seed).random(labels.shape)
    ids = np.unique(labels[labels > 0])
    renumbered = np.where(labels > 0, np.searchsorted(ids, labels) + 1, 0)
    given_ids = crops_from_labels(image, labels, 5, label_ids=ids)
    plain_ids = crops_from_labels(image, renumbered, 5, label_ids=np.arange(1, len(ids) + 1))
    np.testing.assert_array_equal(given_ids.images, plain_ids.images)
    np.testing.assert_array_equal(given_ids.bounding_boxes, plain_ids.bounding_boxes)


@pytest.mark.parametrize(
    ("image", "labels", "options", "message"),
    [
        (np.ones((4, 4)), np.zeros((4, 4), int), {}, r"labels must mark at least one object"),
        (np.ones((4, 4)), np.ones((4, 5), int), {}, r"got shape \(4, 5\) for an image of 4 x 4"),
        (np.ones((4, 4)), np.full((4, 4), np.nan), {}, r"labels must be whole .*; got nan"),
        (
            np.ones((4, 4)),
            np.ones((4, 4), bool),
            {},
            r"labels must be .* numbers; got .*bool",
        ),
        (np.ones((4, 4)), np.full((4, 4), -1), {}, r"labels must be 0 .*; got -1"),
        (np.ones(4), np.ones(4, int), {}, r"image must be .*; got shape \(4,\)"),
        (np.ones((0, 4)), np.ones((0, 4), int), {}, r"image must be a non-empty array"),
        (np.ones((2, 2), complex), np.ones((2, 2), int), {}, r"image must be .* real numbers"),
        (np.ones((4, 4)), np.ones((4, 4), int), {"size": 0}, r"size must be .*; got 0"),
        (np.ones((4, 4)), np.ones((4, 4), int), {"size": 2.0}, r"size must be an int .*; got 2\.0"),
        (np.ones((4, 4)), np.ones((4, 4), int), {"padding": "wrap"}, r"padding must be one of"),
        (np.ones((4, 4)), np.ones((4, 4), int), {"background": "x"}, r"background must be one of"),
        (np.ones((4, 4)), np.ones((4, 4), int), {"label_ids": [2]}, r"label_ids must .*first \[2"),
        (
            np.ones((4, 4)),
            np.ones((4, 4), int),
            {"label_ids": [1.2]},
            r"label_ids must be integers",
        ),
        (
            np.ones((4, 4)),
            np.ones((4, 4), int),
            {"label_ids": []},
            r"label_ids must .*at least one",
        ),
    ],
)
def test_bad_input_is_named(image, labels, options, message):
    with pytest.raises(InvalidInputError, match=message):
        crops_from_labels(image, labels, **{"size": 3, **options})
