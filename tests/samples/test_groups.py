"""Intensities scaled within groups of samples: plates, or each image by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.samples import (
    ChannelScale,
    join_samples,
    samples_from_labels,
    samples_from_manifest,
    samples_from_table,
)

LABELS = np.zeros((40, 60), np.uint8)
for number in range(6):
    row, column = divmod(number, 3)
    LABELS[20 * row + 4 : 20 * row + 14, 20 * column + 4 : 20 * column + 14] = number + 1


def image(seed, gain):
    values = np.random.default_rng(seed).integers(0, 200, (*LABELS.shape, 2))
    return (values * gain).astype(np.uint16)


IMAGES = {"a": image(0, 1), "b": image(1, 1), "c": image(2, 7)}
PLATES = {"a": 1, "b": 1, "c": 2}


def joined():
    parts = [
        samples_from_labels(pixels, LABELS, 12, source=name).with_features(plate=[PLATES[name]] * 6)
        for name, pixels in IMAGES.items()
    ]
    return join_samples(parts)


def scaled_alone(*names):
    """Pictures of some images, scaled as a set of their own."""
    parts = [samples_from_labels(IMAGES[name], LABELS, 12, source=name) for name in names]
    return join_samples(parts).X


def test_each_group_is_scaled_by_its_own_pictures():
    samples = joined()
    within = samples.scaled_within("plate")
    np.testing.assert_array_equal(within.X[:12], scaled_alone("a", "b"))
    np.testing.assert_array_equal(within.X[12:], scaled_alone("c"))
    assert not np.allclose(samples.X[:12], within.X[:12])
    by_image = samples.scaled_within("image")
    np.testing.assert_array_equal(by_image.inputs(slice(6, 12)), scaled_alone("b"))
    np.testing.assert_array_equal(within.subset([13, 2]).X, within.X[[13, 2]])
    picture = within.thumbnail(13)
    np.testing.assert_array_equal(picture, within.to_picture(scaled_alone("c")[1]))


def test_a_later_image_is_scaled_by_its_group():
    samples = joined().scaled_within("plate")
    old = samples.same_way(IMAGES["a"], LABELS, source="later", group=1)
    np.testing.assert_array_equal(old.X, samples.X[:6])
    new = samples.same_way(image(5, 30), LABELS, source="new", group=3)
    expected = samples_from_labels(image(5, 30), LABELS, 12)
    np.testing.assert_array_equal(new.X, expected.X)
    assert new.features["plate"].tolist() == [3] * 6
    together = join_samples([samples, new])
    np.testing.assert_array_equal(together.X, np.concatenate([samples.X, new.X]))
    with pytest.raises(InvalidInputError, match=r"group must be given only for .* got None"):
        samples.same_way(IMAGES["a"], LABELS, source="later")
    with pytest.raises(InvalidInputError, match=r"got 1, and these are scaled over all of them"):
        joined().same_way(IMAGES["a"], LABELS, source="later", group=1)


@pytest.mark.parametrize("group", [1, 9])
def test_parts_are_scaled_as_the_whole(group):
    samples = joined().scaled_within("plate")
    whole = samples.same_way(image(5, 30), LABELS, source="new", group=group)
    parts = samples.parts_same_way(image(5, 30), LABELS, n_rows=4, source="new", group=group)
    cut = [part().samples.X for part in parts]
    assert list(map(len, cut)) == [4, 2]
    np.testing.assert_array_equal(np.concatenate(cut), whole.X)


def test_each_image_may_be_a_group():
    samples = joined().scaled_within("image")
    new = samples.same_way(image(5, 30), LABELS, source="new")
    np.testing.assert_array_equal(new.X, samples_from_labels(image(5, 30), LABELS, 12).X)


@pytest.mark.parametrize("include_images", [False, True])
def test_a_session_keeps_the_groups(tmp_path, include_images):
    paths = {}
    parts = []
    np.save(tmp_path / "labels.npy", LABELS)
    for name, pixels in IMAGES.items():
        paths[name] = str(tmp_path / f"{name}.npy")
        np.save(paths[name], pixels)
        made = samples_from_labels(
            pixels,
            LABELS,
            12,
            source=name,
            image_path=paths[name],
            labels_path=str(tmp_path / "labels.npy"),
        )
        parts.append(made.with_features(plate=[PLATES[name]] * 6))
    samples = join_samples(parts).scaled_within("plate")
    Explorer(samples).save(tmp_path / "session", include_images=include_images)
    again = Explorer.open(tmp_path / "session").samples
    np.testing.assert_array_equal(again.X, samples.X)
    later = again.same_way(IMAGES["c"], LABELS, source="later", group=2)
    np.testing.assert_array_equal(later.X, samples.X[12:])


def test_a_manifest_is_scaled_within_a_column(tmp_path):
    rows = []
    np.save(tmp_path / "labels.npy", LABELS)
    for name, pixels in IMAGES.items():
        np.save(tmp_path / f"{name}.npy", pixels)
        rows.append((f"{name}.npy", "labels.npy", PLATES[name]))
    frame = pd.DataFrame(rows, columns=["image", "labels", "plate"])
    samples = samples_from_manifest(frame, 12, folder=tmp_path, scale_within="plate")
    np.testing.assert_array_equal(samples.X, joined().scaled_within("plate").X)
    assert list(samples.groups.scales) == ["1", "2"]
    assert isinstance(samples.groups.scales["1"], ChannelScale)


def test_what_has_no_groups_is_refused():
    with pytest.raises(InvalidInputError, match="name must be one of"):
        joined().scaled_within("well")
    with pytest.raises(InvalidInputError, match=r"samples must have their pictures .* got a table"):
        samples_from_table(pd.DataFrame({"a": [1.0, 2.0, 4.0]})).scaled_within("source")
    gaps = joined().with_features(day=[None] + [1.0] * 17)
    with pytest.raises(InvalidInputError, match="a value for each sample; got 'day', where 1"):
        gaps.scaled_within("day")
    other = joined().same_way(IMAGES["a"], LABELS, source="later")
    with pytest.raises(InvalidInputError, match="parts must have the same groups of intensities"):
        join_samples([joined().scaled_within("plate"), other])
