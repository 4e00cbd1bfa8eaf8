"""Samples of arrays and of patches: shapes, identities, and what is left out."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.samples import (
    PatchGrid,
    jurkat_cells,
    samples_from_array,
    samples_from_patches,
)


def test_rows_stay_unchanged(rng):
    values = rng.normal(size=(5, 3))
    samples = samples_from_array(values)
    np.testing.assert_array_equal(samples.X, values.astype(np.float32))
    assert samples.identities.label.tolist() == [0, 1, 2, 3, 4]
    assert samples.feature_names == ("feature 0", "feature 1", "feature 2")
    assert samples.features.shape == (5, 0)


@pytest.mark.parametrize(
    ("shape", "sample_shape"),
    [((4, 8, 6), (8, 6, 1)), ((4, 8, 6, 3), (8, 6, 3)), ((4, 2, 8, 6, 3), (2, 8, 6, 3))],
)
def test_pictures_are_scaled_to_their_range(rng, shape, sample_shape):
    values = rng.integers(0, 200, shape).astype(np.uint8)
    samples = samples_from_array(values)
    assert samples.sample_shape == sample_shape
    assert samples.X.min() == 0
    assert samples.X.max() == 1
    assert samples.thumbnail(0).shape == (8, 6, 3)


def test_pictures_in_the_unit_range_stay_unchanged(digits):
    images = digits.data[:50].reshape(-1, 8, 8)
    np.testing.assert_allclose(samples_from_array(images).X[..., 0], images, atol=1e-6)


def test_ids_and_features_belong_to_their_rows(rng):
    values = rng.normal(size=(4, 2))
    values[1, 0] = np.inf
    frame = pd.DataFrame({"kind": list("abcd")}, index=[9, 8, 7, 6])
    samples = samples_from_array(values, ids=[40, 10, 30, 20], features=frame, source="s")
    assert list(samples.identities) == [("s", 0, 40), ("s", 0, 30), ("s", 0, 20)]
    assert samples.column("kind").tolist() == ["a", "c", "d"]
    assert samples.left_out[0].name == "1 row"
    assert "first in row 1" in samples.left_out[0].reason


def test_a_later_array_is_scaled_in_the_same_way(rng):
    first = samples_from_array(rng.random((5, 4, 4)))
    later = first.same_way(np.full((2, 4, 4), 0.5), source="later")
    np.testing.assert_allclose(later.X, first.scale.apply(np.full((2, 4, 4, 1), 0.5)))
    with pytest.raises(InvalidInputError, match=r"X must have samples of shape \(4, 4\)"):
        first.same_way(np.ones((2, 5, 4)))


def test_dask_and_nested_lists_are_arrays():
    import dask.array as da

    values = np.arange(6.0).reshape(3, 2)
    for same in (da.from_array(values), values.tolist(), np.asfortranarray(values)):
        np.testing.assert_array_equal(samples_from_array(same).X, values)


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.ones(3), {}, r"X must be a non-empty array of real numbers"),
        (np.ones((0, 3)), {}, r"X must be a non-empty array"),
        (np.ones((3, 3), complex), {}, r"X must be a non-empty array of real numbers"),
        (np.array([["a"]]), {}, r"X must be a non-empty array of real numbers"),
        (np.full((3, 2), np.nan), {}, r"X must have a row of finite numbers"),
        (
            np.ones((3, 2)),
            {"ids": [1, 2]},
            r"ids must have one entry .* 3 samples; got shape \(2,\)",
        ),
        (np.ones((3, 2)), {"ids": 3}, r"ids must have one entry .* got shape \(\)"),
        (np.ones((3, 2)), {"features": np.ones(3)}, r"features must be a pandas DataFrame"),
        ([[1.0, 2.0], [3.0]], {}, r"X must have rows of one length; got"),
        (np.ones((3, 2)), {"ids": [1, 2, 2]}, r"identities must differ"),
        (np.ones((3, 2)), {"ids": [1.0, 2, 3]}, r"labels must be integers"),
        (np.ones((3, 2)), {"features": pd.DataFrame({"a": [1]})}, r"features must have one entry"),
    ],
)
def test_bad_arrays_are_refused(X, options, message):
    with pytest.raises(InvalidInputError, match=message):
        samples_from_array(X, **options)


def test_patches_are_where_their_boxes_say():
    image = jurkat_cells().image[:130, :95]
    samples = samples_from_patches(image, 32, 16, source="field")
    assert len(samples) == 7 * 4
    assert samples.identities.label.tolist() == list(range(1, 29))
    for patch, (top, left, bottom, right) in zip(
        samples.images, samples.bounding_boxes, strict=True
    ):
        np.testing.assert_array_equal(patch, image[top:bottom, left:right])
    source = samples.sources["field"]
    for row, middle in enumerate(samples.centroids):
        assert source.label_at(middle) == samples.identities[row]
    np.testing.assert_allclose(
        samples.column("mean channel 1"), samples.images[..., 1].mean(axis=(1, 2))
    )
    np.testing.assert_allclose(
        samples.column("std channel 1"), samples.images[..., 1].std(axis=(1, 2))
    )


def test_patches_of_a_time_series_of_volumes(rng):
    image = rng.integers(0, 99, (2, 3, 5, 8, 9)).astype(np.uint16)  # t, c, z, y, x
    flat = samples_from_patches(image, 4, image_axes="tczyx")
    whole = samples_from_patches(image, 4, image_axes="tczyx", volume="volume")
    assert flat.sample_shape == (4, 4, 3)
    assert whole.sample_shape == (5, 4, 4, 3)
    assert [tuple(identity)[1:] for identity in flat.identities] == [
        (t, k) for t in (0, 1) for k in range(1, 5)
    ]
    np.testing.assert_array_equal(whole.images[7], np.moveaxis(image[1, :, :, 4:8, 4:8], 0, -1))
    np.testing.assert_array_equal(flat.images, whole.images.max(axis=1))
    source = whole.sources["image"]
    assert source.label_at(np.array([1, *whole.centroids[7]])) == whole.identities[7]


def test_patches_with_nan_are_left_out():
    image = np.random.default_rng(0).random((8, 8))
    image[5, 1] = np.nan
    samples = samples_from_patches(image, 4)
    assert samples.identities.label.tolist() == [1, 2, 4]
    assert samples.left_out == (("1 patch", "NaN or infinite pixels"),)


def test_a_later_image_gives_patches_in_the_same_way():
    cells = jurkat_cells()
    today = samples_from_patches(cells.image[:200, :200], 40, channel_names=cells.channel_names)
    tomorrow = today.same_way(cells.image[200:320, :200], source="tomorrow")
    assert tomorrow.scale is today.scale
    assert len(tomorrow) == 15
    np.testing.assert_array_equal(tomorrow.X, today.scale.apply(tomorrow.images))


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.ones((8, 8)), {"size": 9}, r"size must be at most .*; got 9 for an image of 8 x 8"),
        (np.ones((8, 8)), {"size": 0}, r"size must be an int of at least 1; got 0"),
        (np.ones((8, 8)), {"size": 4, "step": -1}, r"step must be an int of at least 1; got -1"),
        (np.ones((8, 8)), {"size": 4, "volume": "x"}, r"volume must be one of"),
        (np.ones((8, 8, 8)), {"size": 4}, r"image_axes must be given .*\(8, 8, 8\)"),
        (np.ones((8, 8, 8)), {"size": 4, "image_axes": "xyz"}, r"axes must be one of"),
        (np.ones((8, 8, 8)), {"size": 4, "image_axes": "yx"}, r"image_axes must be .*3 dimensions"),
        (np.full((8, 8), np.nan), {"size": 4}, r"image must be finite in at least one patch"),
        (np.ones((8, 8), bool), {"size": 4}, r"image must be .* real numbers"),
        (np.ones(8), {"size": 4}, r"image must be .* at least a height and a width"),
    ],
)
def test_bad_images_are_refused(image, options, message):
    with pytest.raises(InvalidInputError, match=message):
        samples_from_patches(image, **options)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 11), st.integers(1, 11), st.integers(1, 5), st.integers(1, 6))
def test_numbers_of_many_pixels_are_those_of_each(height, width, size, step):
    grid = PatchGrid(height, width, size, step)
    rows, columns = np.arange(-2, height + 2), np.arange(-2, width + 2)
    numbers = grid.labels_at(rows, columns)
    for (i, y), (j, x) in itertools.product(enumerate(rows), enumerate(columns)):
        assert numbers[i, j] == (grid.label_at(y, x) or 0)
        holders = [
            k + 1
            for k, (top, left) in enumerate(grid.corners())
            if top <= y < top + size and left <= x < left + size
        ]
        assert (numbers[i, j] in holders) if holders else (numbers[i, j] == 0)
