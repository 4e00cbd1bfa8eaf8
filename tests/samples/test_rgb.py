"""RGB images are one picture: scaled together, without alpha, shown as they are."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import tifffile

from embedscope import Explorer
from embedscope._errors import InvalidInputError
from embedscope.samples import (
    join_samples,
    read,
    samples_from_array,
    samples_from_files,
    samples_from_labels,
    samples_from_patches,
)

HUES = (0.02, 0.35, 0.63, 0.9)


def stained(dtype=np.uint8, n_channels=3):
    """Four cells of their own hues on a pale ground; the blue ones are rare and dim."""
    labels = np.zeros((40, 160), np.uint16)
    image = np.empty((40, 160, 3))
    image[:] = (0.93, 0.9, 0.95)
    for number, hue in enumerate(HUES):
        labels[12:28, 40 * number + 12 : 40 * number + 28] = number + 1
        image[labels == number + 1] = colorsys.hsv_to_rgb(hue, 0.5, 0.6)
    if n_channels == 4:
        alpha = np.random.default_rng(0).random((40, 160, 1))
        image = np.concatenate([image, alpha], axis=-1)
    full = 1.0 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    return (image * full).astype(dtype), labels


def hue(pixel):
    return colorsys.rgb_to_hsv(*map(float, pixel))[0]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("n_channels", [3, 4])
@pytest.mark.parametrize("align", [False, True])
def test_a_crop_keeps_its_hue(dtype, n_channels, align):
    image, labels = stained(dtype, n_channels)
    samples = samples_from_labels(image, labels, 20, rgb=True, align=align)
    assert samples.sample_shape == (20, 20, 3)
    assert samples.channel_names == ("red", "green", "blue")
    assert [each.name for each in samples.left_out] == ["alpha of image"] * (n_channels - 3)
    found = [hue(crop[10, 10]) for crop in samples.X]
    np.testing.assert_allclose(found, HUES, atol=0.01)
    # The network sees more contrast, a person the picture as it is.
    shown = np.array([samples.thumbnail(row)[10, 10] for row in range(4)], float)
    full = 255 if dtype == np.uint8 else 65535 if dtype == np.uint16 else 1
    np.testing.assert_allclose(shown / 255, image[20, 20::40, :3] / full, atol=0.003)
    np.testing.assert_array_equal(
        samples.to_picture(samples.X[2])[10, 10], samples.thumbnail(2)[10, 10]
    )


def test_channels_that_are_stretched_apart_lose_their_hue():
    image, labels = stained()
    tinted = (image * np.array([1.0, 0.5, 0.7])).astype(np.uint8)
    wanted = [hue(pixel) for pixel in tinted[20, 20::40]]
    for rgb, keeps in ((True, True), (False, False)):
        samples = samples_from_labels(tinted, labels, 20, rgb=rgb)
        found = [hue(crop[10, 10]) for crop in samples.X]
        assert np.allclose(found, wanted, atol=0.01) == keeps


def test_later_images_and_sessions_stay_rgb(tmp_path):
    image, labels = stained(n_channels=4)
    np.save(tmp_path / "image.npy", image)
    np.save(tmp_path / "labels.npy", labels)
    known = samples_from_files(tmp_path / "image.npy", tmp_path / "labels.npy", 20, rgb=True)
    later = known.same_way(image[..., :3] // 2, labels, source="later")
    assert not later.left_out
    np.testing.assert_array_equal(later.scale.low, known.scale.low)
    assert len(set(known.scale.low.tolist())) == len(set(known.scale.high.tolist())) == 1
    Explorer(known).save(tmp_path / "session")
    again = Explorer.open(tmp_path / "session").samples
    assert again.recipe.rgb
    np.testing.assert_array_equal(again.X, known.X)
    np.testing.assert_array_equal(again.thumbnail(1), known.thumbnail(1))
    (part,) = known.parts_same_way(image, labels, n_rows=9, source="parts")
    assert [each.name for each in part().left_out] == ["alpha of parts"]
    with pytest.raises(InvalidInputError, match="channels red, green and blue"):
        known.same_way(image[..., :2], labels, source="two")


def test_scales_of_joined_and_of_groups_are_one_for_all_channels():
    image, labels = stained()
    parts = [
        samples_from_labels(image // k, labels, 20, rgb=True, source=f"slide {k}") for k in (1, 3)
    ]
    joined = join_samples(parts)
    assert len(set(joined.scale.high.tolist())) == 1
    within = joined.scaled_within("source")
    assert all(len(set(each.high.tolist())) == 1 for each in within.groups.scales.values())
    np.testing.assert_array_equal(within.thumbnail(5), joined.thumbnail(5))
    with pytest.raises(InvalidInputError, match="settings"):
        join_samples(
            [
                parts[0],
                samples_from_labels(
                    image, labels, 20, source="apart", channel_names=("red", "green", "blue")
                ),
            ]
        )


def test_the_background_is_that_of_the_whole_picture():
    image, labels = stained()
    samples = samples_from_labels(image, labels, 20, rgb=True, background="median")
    np.testing.assert_array_equal(samples.images[:, 0, 0], np.tile(image[0, 0], (4, 1)))


def test_patches_keep_hues_too():
    image, _ = stained(n_channels=4)
    patches = samples_from_patches(image, 40, rgb=True)
    assert patches.sample_shape == (40, 40, 3)
    assert [each.name for each in patches.left_out] == ["alpha of image"]
    np.testing.assert_allclose([hue(each[20, 20]) for each in patches.X], HUES, atol=0.01)
    again = patches.same_way(image, source="again")
    np.testing.assert_array_equal(again.X, patches.X)


def test_ome_tiff_says_that_it_is_rgb_and_plain_tiff_does_not(tmp_path):
    image, labels = stained()
    tifffile.imwrite(tmp_path / "masks.tif", labels)
    tifffile.imwrite(tmp_path / "a.ome.tif", image, photometric="rgb", metadata={"axes": "YXS"})
    tifffile.imwrite(tmp_path / "b.tif", image, photometric="rgb")
    tifffile.imwrite(
        tmp_path / "c.ome.tif",
        image.transpose(2, 0, 1),
        photometric="minisblack",
        metadata={"axes": "CYX"},
    )
    for name, is_rgb in (("a.ome.tif", True), ("b.tif", False), ("c.ome.tif", False)):
        assert read(tmp_path / name, tmp_path / "masks.tif", size=20).recipe.rgb == is_rgb
    assert read(tmp_path / "b.tif", tmp_path / "masks.tif", size=20, rgb=True).recipe.rgb
    assert not read(tmp_path / "a.ome.tif", tmp_path / "masks.tif", size=20, rgb=False).recipe.rgb


@pytest.mark.parametrize(
    ("dtype", "brightest", "white"),
    [
        (np.uint8, 90, 255),
        (np.uint16, 255, 65535),
        (np.int64, 255, 255),
        (np.float32, 1.1, 1),
        (np.float32, 255, 255),
        (np.float64, 40_000, 65535),
        (np.float64, 1e6, 1e6),
    ],
)
def test_what_is_white_in_an_rgb_image(dtype, brightest, white):
    image, labels = stained(np.float64)
    image = (image / image.max() * brightest).astype(dtype)
    samples = samples_from_labels(image, labels, 20, rgb=True, percentiles=(0, 100))
    assert samples.white == pytest.approx(white)


@pytest.mark.parametrize("n_channels", [3, 4])
def test_an_array_of_rgb_pictures_is_scaled_together(n_channels):
    rng = np.random.default_rng(0)
    pictures = rng.integers([0, 50, 90, 0], [90, 200, 255, 9], (30, 8, 8, 4)).astype(np.uint8)
    samples = samples_from_array(pictures[..., :n_channels], rgb=True)
    assert samples.sample_shape == (8, 8, 3)
    assert [each.name for each in samples.left_out] == ["alpha of array"] * (n_channels - 3)
    assert (samples.scale.low == 0).all()
    assert len(set(samples.scale.high.tolist())) == 1
    np.testing.assert_array_equal(samples.thumbnail(4), pictures[4, ..., :3])
    again = samples.same_way(pictures[:5, ..., :n_channels], source="again")
    np.testing.assert_array_equal(again.X, samples.X[:5])
    with pytest.raises(InvalidInputError, match="X must have the channels red"):
        samples_from_array(pictures[..., 0], rgb=True)


@pytest.mark.parametrize("shape", [(40, 160), (40, 160, 2), (40, 160, 5)])
def test_other_numbers_of_channels_are_refused(shape):
    with pytest.raises(InvalidInputError, match=r"red, green and blue.*got [125]\. Leave rgb out"):
        samples_from_labels(np.ones(shape), stained()[1], 20, rgb=True)
