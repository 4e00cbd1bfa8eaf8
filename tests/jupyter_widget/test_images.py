"""Parts of images for the page: the right pixels, and the right object at each pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.jupyter_widget.pictures._images import PictureReader, describe_image, locate
from embedscope.jupyter_widget.protocol._intents import WantPicture, WantPlace
from embedscope.samples import Samples, samples_from_labels, samples_from_patches

WHOLE = WantPicture(1, "image", 0, 0, 0, 0, 40, 30, 40, 30)


def blocks(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two frames of 30 x 40 pixels; labels have gaps and are used again in the second frame."""
    labels = np.zeros((2, 30, 40), np.uint16)
    labels[0, 2:8, 3:9], labels[0, 12:18, 20:27], labels[0, 22:28, 30:36] = 5, 900, 7
    labels[1, 4:9, 10:16], labels[1, 20:26, 2:9] = 900, 5
    return rng.integers(0, 4096, (2, 30, 40, 2), dtype=np.uint16), labels


@pytest.fixture
def samples(rng: np.random.Generator) -> Samples:
    image, labels = blocks(rng)
    return samples_from_labels(image, labels, size=8, axes="tyx", channel_names=["DNA", "ER"])


def read(samples: Samples, intent: WantPicture) -> tuple:
    head, (levels, rows) = PictureReader(samples).read(intent)
    shape = (head.h, head.w)
    return (
        head,
        np.frombuffer(levels, np.uint8).reshape(-1, *shape),
        np.frombuffer(rows, "<u4").reshape(shape).astype(int),
    )


def test_an_image_is_described(samples: Samples):
    item = describe_image(samples.sources["image"])
    assert item is not None
    assert (item.width, item.height, item.n_z, item.n_t) == (40, 30, 1, 2)
    assert item.channels == ["DNA", "ER"]
    assert item.has_image


@pytest.mark.parametrize("frame", [0, 1])
def test_every_pixel_is_the_object_of_its_frame(samples: Samples, frame: int):
    _, _, rows = read(samples, replace(WHOLE, t_index=frame))
    labels = np.asarray(samples.sources["image"].labels[frame])
    identities = samples.identities
    for y, x in np.ndindex(labels.shape):
        if labels[y, x]:
            assert identities[rows[y, x] - 1] == ("image", frame, labels[y, x])
        else:
            assert rows[y, x] == 0


def test_a_part_is_the_same_as_that_part_of_the_whole(samples: Samples):
    _, levels, rows = read(samples, WHOLE)
    head, part_levels, part_rows = read(
        samples, replace(WHOLE, x0=10, y0=5, x1=33, y1=20, w=23, h=15)
    )
    assert (head.x0, head.y0, head.x1, head.y1) == (10, 5, 33, 20)
    np.testing.assert_array_equal(part_levels, levels[:, 5:20, 10:33])
    np.testing.assert_array_equal(part_rows, rows[5:20, 10:33])


def test_levels_are_the_intensities_between_low_and_high(samples: Samples):
    head, levels, _ = read(samples, WHOLE)
    image = np.asarray(samples.sources["image"].image[0], float)
    for channel in range(2):
        low, high = head.low[channel], head.high[channel]
        restored = low + levels[channel] / 255 * (high - low)
        inside = (image[..., channel] >= low) & (image[..., channel] <= high)
        assert inside.mean() > 0.99
        assert np.abs(restored - image[..., channel])[inside].max() <= (high - low) / 255


def test_a_small_picture_of_a_large_image_keeps_labels_and_averages_values():
    image = np.zeros((64, 64), np.float32)
    image[:, ::2] = 1  # stripes: every k-th pixel would miss them
    labels = np.zeros((64, 64), int)
    labels[16:48, 16:48] = 3
    labels[0:8, 0:8] = 4
    samples = samples_from_labels(image, labels, size=32)
    intent = WantPicture(1, "image", 0, 0, 0, 0, 64, 64, 16, 16)
    head, levels, rows = read(samples, intent)
    assert (head.w, head.h) == (16, 16)
    assert set(np.unique(rows)) == {0, 1, 2}
    assert identities_at(samples, rows, 8, 8) == 3
    assert identities_at(samples, rows, 0, 0) == 4
    assert np.abs(levels.astype(int) - 127).max() <= 1


def identities_at(samples: Samples, rows: np.ndarray, y: int, x: int) -> int:
    return samples.identities[rows[y, x] - 1].label


def test_of_a_pyramid_the_coarsest_sufficient_level_is_read():
    fine = np.zeros((64, 64), np.uint8)
    fine[:4] = 255
    coarse = np.full((16, 16), 200, np.uint8)
    coarse[0, 0] = 0
    labels = np.zeros((64, 64), int)
    labels[20:30, 20:30] = 1
    made = samples_from_labels(fine, labels, size=16)
    source = replace(made.sources["image"], image=[fine, coarse])
    samples = replace(made, sources={"image": source})
    intent = WantPicture(1, "image", 0, 0, 0, 0, 64, 64, 16, 16)
    head, levels, _ = read(samples, intent)
    value = head.low[0] + levels[0, 8, 8] / 255 * (head.high[0] - head.low[0])
    assert value == pytest.approx(200, abs=1)
    head, levels, _ = read(samples, replace(intent, w=64, h=64))
    assert levels[0, 4:].max() == 0  # the finest level


def test_patches_are_found_by_place(rng: np.random.Generator):
    image = rng.integers(0, 255, (24, 36), dtype=np.uint8)
    samples = samples_from_patches(image, 12)
    _, _, rows = read(samples, WantPicture(1, "image", 0, 0, 0, 0, 36, 24, 36, 24))
    source = samples.sources["image"]
    for y, x in [(0, 0), (11, 12), (12, 0), (23, 35), (5, 30)]:
        assert samples.identities[rows[y, x] - 1] == source.label_at((y, x))


def test_a_volume_is_shown_plane_by_plane(rng: np.random.Generator):
    image = rng.integers(0, 255, (5, 16, 16), dtype=np.uint8)
    labels = np.zeros((5, 16, 16), int)
    labels[1:3, 2:9, 2:9] = 1
    labels[3, 8:15, 8:15] = 2
    samples = samples_from_labels(image, labels, size=8, axes="zyx")
    intent = WantPicture(1, "image", 0, 0, 0, 0, 16, 16, 16, 16)
    for z, present in enumerate([{0}, {0, 1}, {0, 1}, {0, 2}, {0}]):
        _, _, rows = read(samples, replace(intent, z_index=z))
        assert set(np.unique(rows)) == present


@pytest.mark.parametrize(
    "change",
    [
        {"source": "elsewhere"},
        {"t_index": 2},
        {"t_index": -1},
        {"z_index": 1},
        {"x1": 0},
        {"w": 0},
        {"y0": 1e12},
    ],
)
def test_a_part_that_is_not_there_is_refused(samples: Samples, change: dict):
    with pytest.raises(InvalidInputError):
        PictureReader(samples).read(replace(WHOLE, **change))


def test_a_part_that_reaches_out_is_cut_and_none_is_enlarged(samples: Samples):
    head, _, _ = read(samples, replace(WHOLE, x0=-50, y0=-9, x1=999, y1=999, w=2000, h=10_000))
    assert (head.x0, head.y0, head.x1, head.y1, head.w, head.h) == (0, 0, 40, 30, 40, 30)


def test_a_sample_is_found_in_its_image(samples: Samples):
    row = samples.identities.row(("image", 1, 5))
    place = locate(samples, WantPlace(3, row))
    assert place is not None
    assert (place.req, place.source, place.t_index, place.z_index) == (3, "image", 1, 0)
    assert samples.sources["image"].label_at((1, place.y, place.x)) == ("image", 1, 5)
    with pytest.raises(InvalidInputError):
        locate(samples, WantPlace(3, 99))


@pytest.mark.parametrize("library", ["dask", "zarr"])
def test_lazy_images_give_the_same(samples: Samples, library: str):
    source = samples.sources["image"]
    if library == "dask":
        array = pytest.importorskip("dask.array").from_array
    else:
        array = pytest.importorskip("zarr").array
    lazy = replace(source, image=array(source.image), labels=array(source.labels))
    other = replace(samples, sources={"image": lazy})
    intent = replace(WHOLE, x0=4, y0=3, x1=30, y1=29, w=13, h=13)
    for ours, theirs in zip(read(samples, intent)[1:], read(other, intent)[1:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_rgb_image_is_shown_as_it_is_without_alpha(rng: np.random.Generator):
    labels = np.zeros((30, 40), np.uint16)
    labels[5:15, 5:15] = 3
    image = rng.integers(40, 90, (30, 40, 4), dtype=np.uint8)
    samples = samples_from_labels(image, labels, size=8, rgb=True)
    item = describe_image(samples.sources["image"])
    assert item is not None
    assert item.channels == ["red", "green", "blue"]
    head, levels, _ = read(samples, WHOLE)
    np.testing.assert_array_equal(levels, image[..., :3].transpose(2, 0, 1))
    assert (head.low, head.high) == ([0.0] * 3, [255.0] * 3)
