"""Samples of labelled objects: sizes, axes, depth, scale, features, and later images."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
import zarr
from skimage import measure

from embedscope._errors import InvalidInputError
from embedscope.samples import (
    ChannelScale,
    Recipe,
    crops_from_labels,
    jurkat_cells,
    measure_features,
    nuclei,
    samples_from_labels,
)
from embedscope.samples.images import _tiles, object_masks


def scene():
    """Two objects on 12 x 16 pixels whose values are their indices."""
    image = np.arange(12 * 16, dtype=np.float32).reshape(12, 16)
    labels = np.zeros((12, 16), np.uint16)
    labels[2:5, 3:6] = 5
    labels[7:10, 11:14] = 300
    return image, labels


def volume_scene():
    """One object in planes 1 and 2 of 6, and a brighter neighbour above it."""
    image = np.zeros((6, 9, 9), np.uint8)
    labels = np.zeros((6, 9, 9), np.uint8)
    image[1, 4, 3:6] = 50
    image[2, 3:6, 4] = 80
    labels[1:3, 3:6, 3:6] = 2
    image[5] = 200
    return image, labels


def test_sample_of_every_object():
    image, labels = scene()
    samples = samples_from_labels(image, labels, 3, source="dish", image_path="a.tif")
    assert list(samples.identities) == [("dish", 0, 5), ("dish", 0, 300)]
    np.testing.assert_array_equal(samples.images[1, ..., 0], image[7:10, 11:14])
    assert samples.bounding_boxes.tolist() == [[2, 3, 5, 6], [7, 11, 10, 14]]
    assert samples.centroids.tolist() == [[3, 4], [8, 12]]
    assert samples.sample_shape == (3, 3, 1)
    assert samples.sources["dish"].image is image
    assert samples.sources["dish"].image_path == "a.tif"
    assert samples.is_image
    assert len(samples) == 2


def test_inputs_are_scaled_over_the_whole_set():
    image, labels = scene()
    samples = samples_from_labels(image, labels, 3, percentiles=(0, 100))
    low, high = image[2, 3], image[9, 13]
    np.testing.assert_allclose(samples.X, (samples.images - low) / (high - low), rtol=1e-6)
    assert samples.X.dtype == np.float32
    np.testing.assert_array_equal(samples.inputs([1]), samples.X[[1]])


def test_requested_labels_come_in_their_order_with_their_own_features():
    image, labels = scene()
    samples = samples_from_labels(image, labels, 3, label_ids=[300, 5])
    assert samples.identities.label.tolist() == [300, 5]
    np.testing.assert_allclose(samples.column("mean channel 0"), [image[8, 12], image[3, 4]])


def test_requested_label_is_taken_in_every_frame():
    labels = np.zeros((3, 4, 4), int)
    labels[0, 0, 0] = labels[2, 3, 3] = 4
    labels[1, 1, 1] = 6
    samples = samples_from_labels(labels, labels, 1, axes="tyx", label_ids=[6, 4])
    assert [tuple(identity)[1:] for identity in samples.identities] == [(1, 6), (0, 4), (2, 4)]


def test_size_that_is_chosen_holds_most_objects():
    cells = jurkat_cells()
    samples = samples_from_labels(cells.image, cells.labels, features=False)
    height, width, _ = samples.sample_shape
    first = np.floor(samples.centroids + 0.5) - height // 2
    inside = (first <= samples.bounding_boxes[:, :2]) & (
        samples.bounding_boxes[:, 2:] <= first + width
    )
    held = inside.all(axis=1).mean()
    assert height == width
    assert 0.95 <= held < 0.99


def test_chosen_size_is_the_smallest():
    labels = np.zeros((40, 40), int)
    labels[10:15, 10:15] = 1  # 5 pixels around their middle
    assert samples_from_labels(labels, labels).sample_shape == (5, 5, 1)
    labels[10:15, 10:16] = 1  # the centroid 12.5 is rounded to 13: 3 pixels before, 3 from it on
    assert samples_from_labels(labels, labels).sample_shape == (6, 6, 1)


def test_chosen_size_has_a_limit():
    labels = np.ones((200, 200), int)
    assert samples_from_labels(labels, labels).sample_shape == (64, 64, 1)


def test_chosen_size_holds_rotated_objects():
    rows, columns = np.mgrid[:61, :61] - 30
    labels = ((abs(rows) <= 20) & (abs(columns) <= 3)).astype(int)
    diagonal = ((abs(rows + columns) <= 28) & (abs(rows - columns) <= 4)).astype(int)
    for bar in (labels, labels.T, diagonal):
        samples = samples_from_labels(bar, bar, align=True, percentiles=(0, 100))
        assert samples.images.sum() == pytest.approx(bar.sum(), rel=0.05)


@pytest.mark.parametrize(
    "place", [{"pixel_size": (0.5, 0.25)}, {"affine": np.diag([0.5, 0.25, 1])}]
)
def test_size_in_micrometres(place):
    image, labels = scene()
    samples = samples_from_labels(image, labels, size_um=2, **place)
    assert samples.sample_shape == (4, 8, 1)


def test_rotated_affine_has_the_same_pixel_size():
    image, labels = scene()
    turn = np.array([[0, -0.25, 3], [0.5, 0, 4], [0, 0, 1]])
    assert samples_from_labels(image, labels, size_um=2, affine=turn).sample_shape == (4, 8, 1)


def test_depth_spans_the_same_distance():
    image, labels = volume_scene()
    options = {"axes": "zyx", "volume": "volume", "features": False}
    anisotropic = samples_from_labels(image, labels, 6, pixel_size=(2, 1, 1), **options)
    in_um = samples_from_labels(image, labels, size_um=6, pixel_size=(2, 1, 1), **options)
    plain = samples_from_labels(image, labels, 6, **options)
    assert anisotropic.sample_shape == in_um.sample_shape == (3, 6, 6, 1)
    assert plain.sample_shape == (6, 6, 6, 1)


def test_volume_stays_one_or_is_projected():
    image, labels = volume_scene()
    options = {"axes": "zyx", "pixel_size": (1.5, 1, 1), "padding": "zero"}
    whole = samples_from_labels(image, labels, 3, volume="volume", **options)
    flat = samples_from_labels(image, labels, 3, volume="project", **options)
    np.testing.assert_array_equal(whole.images[0, ..., 0], image[1:3, 3:6, 3:6])
    np.testing.assert_array_equal(flat.images[0, ..., 0], image[1:3, 3:6, 3:6].max(axis=0))
    assert flat.bounding_boxes.tolist() == [[1, 3, 3, 3, 6, 6]]


def test_projection_without_background_shows_only_the_object():
    image, labels = volume_scene()
    keep = samples_from_labels(image, labels, 9, axes="zyx", background="keep")
    own = samples_from_labels(image, labels, 9, axes="zyx", background="zero")
    assert keep.images.max() == 200
    assert own.images.max() == 80
    np.testing.assert_array_equal(own.images[0, 3:6, 3:6, 0], image[1:3, 3:6, 3:6].max(axis=0))
    assert own.images.sum() == image[1:3].max(axis=0).sum()


def test_a_volume_is_flattened_to_its_mean_or_to_the_middle_plane_of_the_object():
    image, labels = volume_scene()
    planes = image[:5, 3:6, 3:6].astype(np.float32)  # 5 planes around the middle, 2
    options = {"axes": "zyx", "pixel_size": (0.6, 1, 1), "features": False}
    mean = samples_from_labels(image, labels, 3, volume="mean", **options)
    middle = samples_from_labels(image, labels, 3, volume="middle", **options)
    np.testing.assert_allclose(mean.images[0, ..., 0], planes.mean(axis=0))
    np.testing.assert_array_equal(middle.images[0, ..., 0], image[2, 3:6, 3:6])
    assert middle.images.dtype == np.uint8
    turned = samples_from_labels(image, labels, 3, volume="middle", align=True, **options)
    assert turned.sample_shape == (3, 3, 1)


def test_the_mean_and_the_middle_plane_show_only_the_object_without_its_background():
    image, labels = volume_scene()
    options = {"axes": "zyx", "background": "zero", "features": False}
    labels[1, 3, 3] = 0  # this column has one pixel of the object, in plane 2
    mean = samples_from_labels(image, labels, 9, volume="mean", **options).images[0, ..., 0]
    middle = samples_from_labels(image, labels, 9, volume="middle", **options).images[0, ..., 0]
    own = np.where(labels == 2, image, 0).sum(axis=0, dtype=np.float32)
    np.testing.assert_allclose(mean, own / np.maximum((labels == 2).sum(axis=0), 1))
    np.testing.assert_array_equal(middle, np.where(labels[2] == 2, image[2], 0))
    masks = object_masks(
        samples_from_labels(image, labels, 9, axes="zyx", volume="middle", features=False)
    )
    np.testing.assert_array_equal(masks[0], labels[2] == 2)


def test_a_later_volume_is_flattened_the_same_way():
    image, labels = volume_scene()
    first = samples_from_labels(image, labels, 3, axes="zyx", volume="mean", features=False)
    later = first.same_way(image, labels, source="later")
    np.testing.assert_array_equal(later.images, first.images)


def test_every_plane_of_an_aligned_volume_is_rotated():
    plane = np.zeros((21, 21), np.uint8)
    plane[9:12, 2:19] = 1
    labels = np.stack([plane] * 4)
    samples = samples_from_labels(
        labels, labels, 21, axes="zyx", align=True, volume="volume", pixel_size=(5.25, 1, 1)
    )
    assert samples.sample_shape == (4, 21, 21, 1)
    for crop in samples.images[0, ..., 0]:
        rows, columns = np.nonzero(crop > 0.5)
        assert np.ptp(rows) == pytest.approx(16, abs=1)
        assert np.ptp(columns) == pytest.approx(2, abs=1)


def test_channels_may_be_anywhere():
    image, labels = scene()
    channels = np.stack([image, -image, image + 3])
    last = samples_from_labels(np.moveaxis(channels, 0, -1), labels, 4)
    first = samples_from_labels(channels, labels, 4, image_axes="cyx")
    middle = samples_from_labels(np.moveaxis(channels, 0, 1), labels, 4, image_axes="ycx")
    np.testing.assert_array_equal(first.images, last.images)
    np.testing.assert_array_equal(middle.images, last.images)
    assert list(first.features) == list(last.features)


def test_time_and_channels():
    image, labels = scene()
    movie, labels = np.stack([image, image + 1000]), np.stack([labels, labels.T.reshape(12, 16)])
    both = np.stack([movie, -movie], axis=1)
    samples = samples_from_labels(both, labels, 3, axes="tyx", image_axes="tcyx")
    for row, (_, frame, label) in enumerate(samples.identities):
        centre = np.floor(samples.centroids[row] + 0.5).astype(int)
        assert labels[frame, *centre] == label
        np.testing.assert_array_equal(samples.images[row, 1, 1], both[frame, :, *centre])
    assert set(samples.column("frame")) == {0, 1}


def test_features_are_measured_as_on_the_whole_image():
    fields = nuclei()
    samples = samples_from_labels(fields.images, fields.labels, axes="tyx", channel_names=["DNA"])
    rows = samples.identities.rows("image", fields.label_ids, fields.fields)
    np.testing.assert_array_equal(samples.column("area")[rows], fields.area_px)
    np.testing.assert_allclose(samples.column("mean DNA")[rows], fields.mean_intensity)
    table = measure_features(fields.images, fields.labels, axes="tyx", channel_names=["DNA"])
    assert table["label"].tolist() == samples.identities.label.tolist()
    np.testing.assert_array_equal(table["perimeter"], samples.column("perimeter"))


def test_objects_with_nan_around_them_are_left_out():
    image, labels = scene()
    image[6, 10] = np.nan
    samples = samples_from_labels(image, labels, 5)
    assert samples.identities.label.tolist() == [5]
    assert len(samples.features) == 1
    (left_out,) = samples.left_out
    assert left_out == ("object 300 of frame 0 of image", "NaN or infinite pixels")
    masked = samples_from_labels(image, labels, 5, background="zero")
    assert masked.identities.label.tolist() == [5, 300]


def test_a_later_image_is_treated_in_the_same_way():
    cells = jurkat_cells()
    today = samples_from_labels(
        cells.image[:400], cells.labels[:400], channel_names=cells.channel_names
    )
    tomorrow = today.same_way(cells.image[400:800], cells.labels[400:800], source="tomorrow")
    assert tomorrow.scale is today.scale
    assert tomorrow.recipe == today.recipe
    assert tomorrow.sample_shape == today.sample_shape
    assert list(tomorrow.features) == list(today.features)
    assert set(tomorrow.identities.sources) == {"tomorrow"}
    own = samples_from_labels(
        cells.image[400:800], cells.labels[400:800], today.sample_shape[0], features=False
    )
    np.testing.assert_array_equal(tomorrow.X, today.scale.apply(own.images))


def test_a_time_series_is_treated_as_earlier_single_images():
    image, labels = scene()
    stills = samples_from_labels(image, labels, 4, features=False)
    movie = stills.same_way(image[np.newaxis], labels[np.newaxis], axes="tyx", source="movie")
    np.testing.assert_array_equal(movie.X, stills.X)


def test_a_later_image_must_fit():
    image, labels = scene()
    samples = samples_from_labels(image, labels, 4, features=False, pixel_size=0.5)
    with pytest.raises(InvalidInputError, match="labels must be given"):
        samples.same_way(image)
    with pytest.raises(InvalidInputError, match="pixel size of the first one"):
        samples.same_way(image, labels, pixel_size=0.25)
    with pytest.raises(InvalidInputError, match=r"image must have 2 spatial axes.*got 'zyx'"):
        samples.same_way(image[np.newaxis], labels[np.newaxis], axes="zyx")
    with pytest.raises(InvalidInputError, match=r"image_axes must be the labels' axes 'yx'"):
        samples.same_way(np.stack([image] * 2, axis=-1), labels)
    with pytest.raises(InvalidInputError, match=r"image must have the channels.*got 2 channels"):
        samples.same_way(np.stack([image] * 2, axis=-1), labels, image_axes="yxc")


def test_recipe_survives_json():
    image, labels = scene()
    samples = samples_from_labels(image, labels, align=True, pixel_size=0.5)
    stored = json.loads(json.dumps(samples.recipe.to_dict()))
    assert Recipe.from_dict(stored) == samples.recipe


@pytest.mark.parametrize(
    "stored", [{}, {"kind": "x"}, {"kind": "labels"}, {"kind": "array", "a": 1}]
)
def test_unknown_recipe_is_refused(stored):
    with pytest.raises(InvalidInputError, match="recipe must"):
        Recipe.from_dict(stored)


def test_big_endian_pixels_are_read():
    image, labels = scene()
    native = samples_from_labels(image, labels)
    foreign = samples_from_labels(image.astype(">f4"), labels.astype(">u2"))
    np.testing.assert_array_equal(foreign.images, native.images)
    np.testing.assert_array_equal(foreign.features, native.features)


def test_constant_image_is_zero():
    image, labels = scene()
    samples = samples_from_labels(np.full_like(image, 7), labels, 3)
    assert not samples.X.any()
    assert not samples.thumbnail(0).any()


def test_one_object_of_one_pixel():
    labels = np.zeros((5, 5), int)
    labels[0, 4] = 3
    samples = samples_from_labels(labels, labels)
    assert samples.X.shape == (1, 1, 1, 1)
    assert np.isfinite(samples.features.to_numpy()).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"labels": np.full((12, 16), 0.5)},
            r"labels must be whole .*; got 0\.5, in .* float64",
        ),
        (
            {"labels": np.ones((12, 16), bool)},
            r"labels must be an array of whole numbers; got dtype bool",
        ),
        ({"labels": np.full((12, 16), -3)}, r"labels must be 0 .*; got -3"),
        ({"labels": np.zeros((12, 16), int)}, r"labels must mark at least one object"),
        (
            {"labels": np.ones((12, 15), int)},
            r"got shape \(12, 15\) for an image of 12 x 16 pixels",
        ),
        ({"labels": np.full((12, 16), 2**63, np.uint64)}, r"labels must be in 0\.\.2\*\*63 - 1"),
        ({"labels": None}, r"labels must be a numpy, dask or zarr array"),
        ({"image": None}, r"image must be a numpy, dask or zarr array"),
        ({"image": np.full((12, 16), np.nan)}, r"image must be finite around at least one object"),
        ({"image": np.ones((12, 16), complex)}, r"image must be .* real numbers"),
        ({"image": np.ones((0, 16))}, r"image must be a non-empty array"),
        ({"image": [np.ones((12, 16))] * 2}, r"image must be an array, or a pyramid"),
        ({"image": [np.ones((6, 8)), np.ones((12, 16))]}, r"image must be an array, or a pyramid"),
        ({"image": np.ones((2, 12, 16))}, r"image_axes if the channels are not last"),
        ({"axes": "xy"}, r"axes must be one of .*; got 'xy'\. Reorder the array"),
        ({"axes": "tczyx"}, r"Give axes='tzyx' and image_axes='tczyx'"),
        ({"axes": "zyx"}, r"axes must name every axis of the labels; got 'zyx' for 2 dimensions"),
        ({"image_axes": "yxc"}, r"image_axes must be the labels' axes 'yx'.*got 'yxc'"),
        ({"size": 0}, r"size must be an int of at least 1; got 0"),
        ({"size": 2.5}, r"size must be an int of at least 1; got 2\.5"),
        ({"size_um": 3.0, "size": 3}, r"size must be None where size_um is given"),
        ({"size_um": 3.0}, r"pixel_size must be known where size_um is given"),
        ({"size_um": -1.0, "pixel_size": 1}, r"size_um must be a positive number"),
        ({"pixel_size": (1, 1, 1)}, r"pixel_size must be a positive number, or one for each"),
        ({"pixel_size": 0}, r"pixel_size must be a positive number"),
        ({"channel_names": ["a", "b"]}, r"channel_names must be 1 different names"),
        ({"background": "blur"}, r"background must be one of"),
        ({"volume": "flat"}, r"volume must be one of"),
        ({"padding": "wrap"}, r"padding must be one of"),
        ({"percentiles": 5}, r"percentiles must be two rising numbers"),
        ({"label_ids": [5, 5]}, r"label_ids must be different"),
        ({"label_ids": [6]}, r"label_ids must all be in the label image; got 1 .*\[6\]"),
        ({"source": ""}, r"source must be a name"),
        ({"affine": np.eye(4)}, r"affine must be a matrix of shape \(3, 3\)"),
    ],
)
def test_bad_input_is_named(changes, message):
    image, labels = scene()
    arguments = {"image": image, "labels": labels, "features": False} | changes
    with pytest.raises(InvalidInputError, match=message):
        samples_from_labels(**arguments)


@pytest.mark.parametrize("shape", [(2, 12, 16), (12, 16, 3)])
def test_three_axes_are_never_guessed(shape):
    with pytest.raises(InvalidInputError, match="axes='tyx' for a time series or axes='zyx'"):
        samples_from_labels(np.ones(shape), np.ones(shape, int))


def test_unknown_property_is_refused():
    image, labels = scene()
    with pytest.raises(InvalidInputError, match="properties must be names that skimage"):
        measure_features(image, labels, properties=["beauty"])


def test_lengths_are_in_micrometres_if_pixels_have_a_size():
    labels = np.zeros((9, 9), int)
    labels[2:5, 2:6] = 1
    table = measure_features(labels, labels, pixel_size=0.5)
    assert table["area"].tolist() == [12 * 0.25]
    uneven = measure_features(labels, labels, pixel_size=(0.5, 1))
    assert uneven["area"].tolist() == [12 * 0.5]
    assert "perimeter" not in uneven


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32])
def test_scale_is_that_of_numpy_percentile(dtype, rng):
    images = rng.integers(0, 200, (50, 4, 4, 2)).astype(dtype)
    scale = ChannelScale.from_images(images, (3, 98.7))
    low, high = np.percentile(images.reshape(-1, 2), (3, 98.7), axis=0)
    np.testing.assert_allclose(scale.low, low)
    np.testing.assert_allclose(scale.high, high)


# -- label images as other programs write them -------------------------------------------------


def written_as_float(path, labels):
    """A label image as ImageJ writes it: 32-bit floats, its only kind for more than 65,535 ids."""
    tifffile.imwrite(path, labels.astype(np.float32), imagej=True)
    return path


def test_whole_floats_are_taken_as_they_are(tmp_path):
    image, labels = scene()
    labels = labels.astype(np.int32)
    labels[labels == 300] = 70_001
    labels[2:5, 6:8] = 70_002  # touches object 5: numbering pieces anew would merge the two
    read = tifffile.imread(written_as_float(tmp_path / "ids.tif", labels))
    assert read.dtype == np.float32
    samples = samples_from_labels(image, read, 3)
    expected = samples_from_labels(image, labels, 3)
    assert list(samples.identities) == list(expected.identities)
    np.testing.assert_array_equal(samples.images, expected.images)
    assert samples.features.equals(expected.features)
    assert samples.sources["image"].label_at((8, 12)) == ("image", 0, 70_001)
    again = samples.same_way(image, read, source="again")
    assert again.identities.label.tolist() == [5, 70_001, 70_002]


def test_a_lazy_float_image_is_read_tile_by_tile(tmp_path):
    image, labels = scene()
    stored = zarr.create_array(tmp_path / "ids.zarr", data=labels.astype(np.float64), chunks=(6, 8))
    assert samples_from_labels(image, stored, 3).identities.label.tolist() == [5, 300]
    stored[11, 0] = 7.25
    with pytest.raises(InvalidInputError, match=r"whole numbers .*; got 7\.25"):
        samples_from_labels(image, stored, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5, 2.0**54])
def test_floats_that_are_no_ids_are_refused(value):
    image, labels = scene()
    labels = labels.astype(np.float64)
    labels[0, 0] = value
    with pytest.raises(InvalidInputError, match=r"labels must be whole numbers of at most 2\*\*53"):
        samples_from_labels(image, labels, 3)


@pytest.mark.parametrize("marked", [1, 255])
def test_a_mask_is_refused_and_its_remedies_work(marked, tmp_path):
    image, labels = scene()
    labels[9:11, 1:4] = 9
    tifffile.imwrite(tmp_path / "mask.tif", np.where(labels > 0, marked, 0).astype(np.uint8))
    mask = tifffile.imread(tmp_path / "mask.tif")
    with pytest.raises(InvalidInputError, match=rf"got {marked} for all, in at least 3 separate"):
        samples_from_labels(image, mask, 3)
    with pytest.raises(InvalidInputError, match=r"skimage\.measure\.label"):
        crops_from_labels(image, mask, 3)
    assert len(samples_from_labels(image, measure.label(mask), 3)) == 3
    whole = samples_from_labels(image, mask, 3, label_ids=[marked])
    assert whole.identities.label.tolist() == [marked]
    with pytest.raises(InvalidInputError, match="separate pieces"):
        whole.same_way(image, mask, source="again")
    assert len(whole.same_way(image, mask, source="again", label_ids=[marked])) == 1


def test_a_large_mask_is_recognised_by_tiles(tmp_path, monkeypatch):
    monkeypatch.setattr(_tiles, "TILE_PIXELS", 64)
    mask = np.zeros((64, 64), np.uint8)
    mask[10:60, 10:60] = 255  # one piece in many tiles
    assert len(samples_from_labels(mask, mask, 3, features=False)) == 1
    mask[:] = 0
    mask[2::16, 3::16] = 255
    with pytest.raises(InvalidInputError, match="separate pieces"):
        samples_from_labels(mask, mask, 3, features=False)


def test_one_object_in_two_pieces_or_in_every_frame_is_no_mask():
    labels = np.zeros((3, 9, 9), np.uint8)
    labels[:, 1:3, 1:3] = labels[:, 6:8, 6:8] = 255
    samples = samples_from_labels(labels, labels, 3, axes="tyx", features=False)
    assert samples.identities.frame.tolist() == [0, 1, 2]


def test_later_images_give_the_named_objects_only():
    image, labels = scene()
    samples = samples_from_labels(image, labels, 3)
    later = samples.same_way(image, labels, source="later", label_ids=[300])
    assert list(later.identities) == [("later", 0, 300)]
    with pytest.raises(InvalidInputError, match="label_ids must be different"):
        samples.same_way(image, labels, label_ids=[300, 300])
