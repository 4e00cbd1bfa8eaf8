"""The size of crops: all of an object is shown, drawn small, alike at any magnification."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedscope import Explorer
from embedscope._errors import InvalidInputError
from embedscope.samples import (
    Recipe,
    join_samples,
    samples_from_labels,
    samples_from_manifest,
)
from embedscope.samples.images import object_masks, zoom_of


def discs(middles, radius, side):
    """Discs of one radius, numbered from 1."""
    rows, columns = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.uint16)
    for number, (y, x) in enumerate(middles, 1):
        labels[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = number
    return labels


LARGE = discs([(100, 90), (260.5, 101.3), (170.2, 290)], 65, 400)
PIXELS = (20 + 200 * (LARGE > 0)).astype(np.uint8)


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("background", ["keep", "zero", "median"])
def test_a_disc_of_130_pixels_is_shown_whole(align, background):
    samples = samples_from_labels(PIXELS, LARGE, align=align, background=background)
    assert samples.sample_shape == (64, 64, 1)
    assert samples.images.dtype == (np.float32 if align else np.uint8)
    assert samples.recipe.drawn == (64, 64)
    assert samples.images.max() == 220
    # Each pixel is the mean of what it covers, so the sum tells the area.
    (zoom, _) = zoom_of(samples.recipe, samples.sources["image"])
    empty = 0 if background == "zero" else 20
    areas = (samples.images - float(empty)).sum(axis=(1, 2, 3)) / (220 - empty) * zoom**2
    np.testing.assert_allclose(areas, samples.features["area"], rtol=0.01 if align else 0.001)
    masks = object_masks(samples).sum(axis=(1, 2)) * zoom**2
    np.testing.assert_allclose(masks, samples.features["area"], rtol=0.02)


def test_it_is_said_how_large_crops_are_drawn():
    explorer, said = Explorer(), []
    explorer.events.message_sent.connect(said.append)
    samples = samples_from_labels(PIXELS, LARGE)
    explorer.set_samples(samples)
    assert said == [f"3 samples, {samples.recipe.crops_told}"]
    assert samples.recipe.crops_told == "crops of 136 px, drawn at 64 px"
    assert samples_from_labels(PIXELS, LARGE, 30).recipe.crops_told == "crops of 30 px"


def test_features_are_of_the_pixels_of_the_image():
    samples = samples_from_labels(PIXELS, LARGE)
    assert samples.features["area"].tolist() == np.bincount(LARGE.ravel())[1:].tolist()
    assert samples.features["min channel 0"].tolist() == [220] * 3


@pytest.mark.parametrize(
    ("size", "drawn_px", "shape"), [(140, None, 140), (140, 35, 35), (7, 21, 21)]
)
def test_a_size_in_pixels_is_drawn_as_the_user_says(size, drawn_px, shape):
    samples = samples_from_labels(PIXELS, LARGE, size, drawn_px=drawn_px)
    assert samples.sample_shape == (shape, shape, 1)
    assert samples.recipe.shape == (size, size)


def test_a_whole_zoom_averages_blocks():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 65535, (400, 400)).astype(np.uint16)
    blocks = np.rint(image.reshape(200, 2, 200, 2).mean(axis=(1, 3)))
    half = discs([(60, 50), (110, 120)], 20, 200)
    fine = half.repeat(2, axis=0).repeat(2, axis=1)
    drawn = samples_from_labels(image, fine, 80, drawn_px=40)
    np.testing.assert_array_equal(drawn.images, samples_from_labels(blocks, half, 40).images)


@settings(max_examples=30, deadline=None)
@example(radius=3.0, middle=(75.5, 75.5), tail=0, drawn_px=8, align=False)
@example(radius=7.8, middle=(81.0, 95.1), tail=0, drawn_px=16, align=False)
@example(radius=3.0, middle=(75.5, 75.5), tail=60, drawn_px=None, align=True)
@given(
    radius=st.floats(3, 70),
    middle=st.tuples(st.floats(75, 105), st.floats(75, 105)),
    tail=st.integers(-60, 60),
    drawn_px=st.integers(3, 70) | st.none(),
    align=st.booleans(),
)
def test_every_object_lies_whole_in_its_automatic_crop(radius, middle, tail, drawn_px, align):
    """A crop three times as large, with as many pixels for one of the image, shows no more of it.

    The area itself would depend on interpolation: of a line of one pixel it loses up to a seventh.
    """
    labels = discs([middle], radius, 180)
    row, column = map(round, middle)
    labels[row, min(column, column + tail) : max(column, column + tail)] = 1

    def draw(**size):
        return samples_from_labels(
            labels.astype(np.float32),
            labels,
            align=align,
            features=False,
            padding="zero",  # else its mirror image may be seen too
            **size,
        )

    samples = draw(drawn_px=drawn_px)
    side, pixels = samples.recipe.shape[-1], samples.sample_shape[0]
    larger = draw(size=3 * side, drawn_px=3 * pixels)
    zoom = zoom_of(samples.recipe, samples.sources["image"])
    # Interpolation spreads an object by half a pixel of the image, which may be cut off.
    tolerance = 0.03 if min(zoom) < 1 or align else 1e-4
    np.testing.assert_allclose(samples.images.sum(), larger.images.sum(), rtol=tolerance)


def scene(seed=1):
    """One scene at 0.25 and at 0.5 um a pixel: image and labels of each."""
    coarse = discs([(60, 50), (60, 150), (130, 90)], 18, 200)
    fine = coarse.repeat(2, axis=0).repeat(2, axis=1)
    image = np.random.default_rng(seed).random((400, 400, 2)).astype(np.float32)
    return (image, fine), (image.reshape(200, 2, 200, 2, 2).mean(axis=(1, 3)), coarse)


def test_one_size_in_micrometres_is_one_at_any_magnification():
    (fine, fine_labels), (coarse, coarse_labels) = scene()
    first = samples_from_labels(coarse, coarse_labels, size_um=20, pixel_size=0.5, source="10x")
    later = first.same_way(fine, fine_labels, pixel_size=0.25, source="20x")
    assert first.sample_shape == later.sample_shape == (40, 40, 2)
    np.testing.assert_allclose(first.images, later.images, atol=1e-6)
    np.testing.assert_allclose(first.features["area"], later.features["area"])
    joined = join_samples([first, later])
    assert not joined.left_out
    np.testing.assert_array_equal(object_masks(joined)[:3], object_masks(joined)[3:])


def test_a_finer_first_image_asks_for_as_many_pixels_of_later_ones():
    (fine, fine_labels), (coarse, coarse_labels) = scene()
    first = samples_from_labels(fine, fine_labels, size_um=20, pixel_size=0.25)
    assert first.recipe.crops_told == "crops of 20 µm, drawn at 64 px"
    later = first.same_way(coarse, coarse_labels, pixel_size=0.5, source="10x")
    assert later.sample_shape == (64, 64, 2)
    # Coarse pixels are interpolated, which keeps what they mean.
    np.testing.assert_allclose(later.images.mean(), first.images.mean(), rtol=0.01)
    (part,) = first.parts_same_way(coarse, coarse_labels, n_rows=10, pixel_size=0.5, source="10x")
    np.testing.assert_array_equal(part().samples.images, later.images)


def test_a_session_cuts_resampled_crops_again(tmp_path):
    (fine, fine_labels), (coarse, coarse_labels) = scene()
    parts, known = [], None
    for name, image, labels, step in (
        ("fine", fine, fine_labels, 0.25),
        ("coarse", coarse, coarse_labels, 0.5),
    ):
        places = {"image_path": tmp_path / f"{name}.npy", "labels_path": tmp_path / f"{name}_.npy"}
        np.save(places["image_path"], image)
        np.save(places["labels_path"], labels)
        options = {"pixel_size": step, "source": name, **{k: str(v) for k, v in places.items()}}
        if known is None:
            known = samples_from_labels(image, labels, size_um=20, **options)
            parts.append(known)
        else:
            parts.append(known.same_way(image, labels, **options))
    samples = join_samples(parts)
    Explorer(samples).save(tmp_path / "session")
    again = Explorer.open(tmp_path / "session").samples
    assert not again.absent
    assert again.recipe == samples.recipe
    np.testing.assert_array_equal(again.images, samples.images)


def test_recipes_of_earlier_versions_have_pixels_of_the_image():
    recipe = samples_from_labels(PIXELS, LARGE, 30).recipe
    stored = {k: v for k, v in recipe.to_dict().items() if k not in ("drawn", "size_um")}
    assert Recipe.from_dict(stored) == recipe


def test_a_later_image_needs_its_pixel_size():
    (fine, fine_labels), _ = scene()
    known = samples_from_labels(fine, fine_labels, size_um=20, pixel_size=0.25)
    with pytest.raises(InvalidInputError, match=r"pixel_size must be known for crops of 20 um"):
        known.same_way(fine, fine_labels, source="later")
    in_px = samples_from_labels(fine, fine_labels, 40, pixel_size=0.25)
    with pytest.raises(InvalidInputError, match=r"pixel size of the first one.*Give size_um"):
        in_px.same_way(fine, fine_labels, source="later", pixel_size=0.5)


def test_a_size_in_pixels_over_several_magnifications_is_said():
    (fine, fine_labels), (coarse, coarse_labels) = scene()
    parts = [
        samples_from_labels(fine, fine_labels, 40, pixel_size=0.25, source="20x"),
        samples_from_labels(coarse, coarse_labels, 40, pixel_size=0.5, source="10x"),
    ]
    (note,) = join_samples(parts).left_out
    assert note.name == "pixel size of 10x"
    assert "0.5 x 0.5 µm, that of 20x 0.25 x 0.25 µm" in note.reason


@pytest.mark.parametrize("drawn_px", [0, -3, 1.5, True, "64"])
def test_pixels_drawn_are_a_whole_number(drawn_px):
    with pytest.raises(InvalidInputError, match="drawn_px must be an int of at least 1"):
        samples_from_labels(PIXELS, LARGE, drawn_px=drawn_px)


@pytest.mark.parametrize("volume", ["project", "volume"])
def test_a_large_ball_is_shown_whole(volume):
    planes, rows, columns = np.mgrid[:60, :120, :120]
    inside = (2 * (planes - 30)) ** 2 + (rows - 60) ** 2 + (columns - 58) ** 2 <= 50**2
    ball = inside.astype(np.uint16)
    samples = samples_from_labels(ball * 100, ball, axes="zyx", volume=volume, pixel_size=(2, 1, 1))
    shape = (32, 64, 64, 1) if volume == "volume" else (64, 64, 1)
    assert samples.sample_shape == shape
    zoom = zoom_of(samples.recipe, samples.sources["image"])[-len(shape) + 1 :]
    shadow = ball if volume == "volume" else ball.max(axis=0)
    np.testing.assert_allclose(samples.images.sum() / 100 * np.prod(zoom), shadow.sum(), rtol=0.02)
    masks = object_masks(samples)
    np.testing.assert_allclose(masks.sum() * np.prod(zoom), shadow.sum(), rtol=0.03)


@pytest.mark.parametrize("pixel_size", [None, (0.5, 1, 1)])
@pytest.mark.parametrize("drawn_px", [None, 9, 10, 33, 60, 90])
@pytest.mark.parametrize("height", [3, 11, 40, 65, 100])
def test_a_column_of_planes_is_shown_whole(height, drawn_px, pixel_size):
    column = np.zeros((110, 80, 80), np.uint16)
    column[5 : 5 + height, 20:55, 31:50] = 1
    samples = samples_from_labels(
        column.astype(np.float32),
        column,
        axes="zyx",
        volume="volume",
        drawn_px=drawn_px,
        pixel_size=pixel_size,
        features=False,
        padding="zero",
    )
    if pixel_size is not None and samples.recipe.shape[0] < height + 4:
        return  # deeper than wide: one length in all directions does not hold it
    assert drawn_px or max(samples.sample_shape) <= 64
    volume = samples.images.sum() * np.prod(zoom_of(samples.recipe, samples.sources["image"]))
    np.testing.assert_allclose(volume, column.sum(), rtol=0.02)


def test_infinite_pixels_beside_a_crop_do_not_matter():
    labels = discs([(30, 30)], 10, 80)
    image = np.ones((80, 80), np.float32)
    image[:, 60] = np.inf
    image[5] = np.nan
    samples = samples_from_labels(image, labels, 33, drawn_px=20, features=False)
    assert np.isfinite(samples.images).all()


def written(folder, seed, step):
    (fine, fine_labels), (coarse, coarse_labels) = scene(seed)
    image, labels = (fine, fine_labels) if step == 0.25 else (coarse, coarse_labels)
    names = (f"{seed}.ome.tif", f"{seed}_masks.tif")
    about = {"axes": "YXC", "PhysicalSizeX": step, "PhysicalSizeY": step}
    tifffile.imwrite(
        folder / names[0], image, metadata=about, planarconfig="contig", photometric="minisblack"
    )
    tifffile.imwrite(folder / names[1], labels)
    return names


def test_a_manifest_of_several_magnifications_is_cut_in_micrometres(tmp_path):
    rows = [written(tmp_path, seed, step) for seed, step in ((1, 0.5), (2, 0.25))]
    frame = pd.DataFrame(rows, columns=["image", "labels"])
    samples = samples_from_manifest(frame, folder=tmp_path)
    assert not samples.left_out
    assert len(samples) == 6
    # 37 coarse pixels hold a disc, so that 64 fine ones do with one more on each side.
    assert samples.recipe.crops_told == "crops of 19.1 µm, drawn at 64 px"
    shares = object_masks(samples).mean(axis=(1, 2))
    np.testing.assert_allclose(shares[:3], shares[3:], rtol=0.01)
    given = samples_from_manifest(frame, folder=tmp_path, size_um=10.0)
    assert given.sample_shape == (40, 40, 2)
    in_px = samples_from_manifest(frame, 40, folder=tmp_path)
    (lost,) = in_px.left_out
    assert lost.name == "2.ome"
    assert "Give size_um" in lost.reason
    Explorer(samples).save(tmp_path / "session")
    again = Explorer.open(tmp_path / "session").samples
    np.testing.assert_array_equal(again.images, samples.images)
