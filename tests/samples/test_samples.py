"""The set of samples: pictures, columns, subsets, joining, and what must fit together."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pandas as pd
import pytest

from embedscope._errors import InvalidInputError
from embedscope.samples import (
    ArrayRecipe,
    ChannelScale,
    Identities,
    Samples,
    Source,
    join_samples,
    jurkat_cells,
    samples_from_array,
    samples_from_labels,
    samples_from_patches,
    samples_from_table,
    samples_like,
)
from embedscope.samples.common._pictures import to_picture


def pictures(n_channels, **changes):
    """Three 2 x 2 pictures whose X is their pixels divided by 100."""
    images = np.zeros((3, 2, 2, n_channels), np.uint8)
    images[:, 0, 0] = 100  # all channels bright
    for channel in range(n_channels):
        images[:, 1, channel % 2, channel] = 50
    scale = ChannelScale(np.zeros(n_channels), np.full(n_channels, 100.0))
    parts = {
        "identities": Identities.of("a", [4, 2, 9]),
        "sources": {"a": Source("a", "array")},
        "recipe": ArrayRecipe(images.shape[1:]),
        "images": images,
        "scale": scale,
        "features": pd.DataFrame({"kind": list("xyz")}),
    }
    return Samples(**(parts | changes))


def test_one_channel_is_grey():
    picture = pictures(1).thumbnail(0)
    assert picture.dtype == np.uint8
    assert picture.tolist() == [[[255] * 3, [0] * 3], [[128] * 3, [0] * 3]]


def test_two_channels_are_magenta_and_green():
    picture = pictures(2).thumbnail(0)
    assert picture.tolist() == [[[255] * 3, [0] * 3], [[128, 0, 128], [0, 128, 0]]]


@pytest.mark.parametrize("n_channels", [3, 5])
def test_the_first_three_channels_are_red_green_and_blue(n_channels):
    picture = pictures(n_channels).thumbnail(0)
    assert picture[0].tolist() == [[255] * 3, [0] * 3]
    assert picture[1].tolist() == [[128, 0, 128], [0, 128, 0]]


@pytest.mark.parametrize(
    "name", ["brightfield", "Phase contrast", "BF", "transmitted light", "DIC"]
)
def test_fluorescence_is_coloured_over_transmitted_light(name):
    picture = to_picture(
        np.array([[[0.5, 0, 0], [0.5, 1, 0], [1, 0, 1], [0, 0, 0]]]), [name, "a", "b"]
    )
    assert picture[0].tolist() == [[128] * 3, [255, 51, 255], [102, 255, 102], [0, 0, 0]]
    one = to_picture(np.array([[[0.5, 0.0], [0.0, 0.5]]]), [name, "DNA"])
    assert one[0].tolist() == [[128] * 3, [128, 0, 128]]


@pytest.mark.parametrize("names", [["DAPI", "brightfield", "b"], ["podic", "a", "b"], []])
def test_other_names_do_not_change_the_colours(names):
    assert to_picture(np.eye(3)[np.newaxis], names)[0].tolist() == (255 * np.eye(3)).tolist()


def test_depth_is_projected_to_its_maximum():
    volumes = np.zeros((1, 3, 2, 2), np.float32)
    volumes[0, 0, 0, 0], volumes[0, 2, 1, 1] = 1, 0.5
    samples = samples_from_array(volumes[..., np.newaxis])
    assert samples.thumbnail(0)[..., 0].tolist() == [[255, 0], [0, 128]]


def test_decoded_pictures_have_the_colours_of_thumbnails():
    samples = pictures(2)
    np.testing.assert_array_equal(samples.to_picture(samples.X[1]), samples.thumbnail(1))
    wild = np.array([[[2.0, -1], [np.nan, 0]], [[np.inf, 0], [-np.inf, 1]]])
    assert samples.to_picture(wild).tolist() == [
        [[255, 0, 255], [0, 0, 0]],
        [[255, 0, 255], [0, 255, 0]],
    ]


@pytest.mark.parametrize("size_px", [1, 2, 5, 64])
def test_thumbnail_has_the_given_size(size_px):
    samples = samples_from_array(np.random.default_rng(0).random((2, 8, 4)))
    assert samples.thumbnail(0, size_px).shape == (size_px, max(1, round(size_px / 2)), 3)


def test_enlarged_pixels_are_repeated():
    large = pictures(3).thumbnail(0, 6)
    np.testing.assert_array_equal(large, pictures(3).thumbnail(0).repeat(3, 0).repeat(3, 1))


@pytest.mark.speed
def test_thumbnail_takes_less_than_two_milliseconds():
    cells = jurkat_cells()
    samples = samples_from_labels(cells.image, cells.labels, 64, features=False)
    times = []
    for row in range(50):
        start = time.perf_counter()
        samples.thumbnail(row, 128)
        times.append(time.perf_counter() - start)
    assert np.median(times) < 0.002


@pytest.mark.parametrize("row", [-1, 3])
def test_thumbnail_of_an_unknown_row_is_refused(row):
    with pytest.raises(InvalidInputError, match=rf"row must be in 0\.\.2; got {row}"):
        pictures(1).thumbnail(row)


def test_pictures_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInputError, match=r"sample must be a picture of shape \(2, 2, 1\)"):
        pictures(1).to_picture(np.ones((2, 2, 3)))
    with pytest.raises(InvalidInputError, match="size_px must be an int of at least 1"):
        pictures(1).thumbnail(0, 0)
    with pytest.raises(InvalidInputError, match="Samples from a table have no picture"):
        samples_from_array(np.ones((2, 3))).thumbnail(0)


def test_columns_by_name():
    samples = pictures(1)
    assert samples.column("kind").tolist() == ["x", "y", "z"]
    assert samples.column("label").tolist() == [4, 2, 9]
    assert samples.column("frame").tolist() == [0, 0, 0]
    assert samples.column("source").tolist() == ["a", "a", "a"]
    with pytest.raises(InvalidInputError, match=r"name must be one of \['kind', .*; got 'size'"):
        samples.column("size")


def test_further_features_are_added_by_row():
    samples = pictures(1)
    shuffled = pd.Series([7, 8, 9], index=[2, 1, 0])
    more = samples.with_features(**{"total DNA": shuffled, "phase": pd.Categorical(list("ssg"))})
    assert more.column("total DNA").tolist() == [7, 8, 9]
    assert more.features["phase"].cat.categories.tolist() == ["g", "s"]
    assert "phase" not in samples.features
    for name in ("kind", "label"):
        with pytest.raises(InvalidInputError, match=rf"new names; got \['{name}'\]"):
            samples.with_features(**{name: [1, 2, 3]})
    with pytest.raises(InvalidInputError, match=r"one value for each of the 3 samples; got shapes"):
        samples.with_features(a=[1, 2])


def test_subset_keeps_identities_and_the_scale():
    samples = pictures(2)
    part = samples.subset([2, 0])
    assert part.identities.label.tolist() == [9, 4]
    assert part.column("kind").tolist() == ["z", "x"]
    assert part.scale is samples.scale
    np.testing.assert_array_equal(part.X, samples.X[[2, 0]])
    assert len(samples.subset(np.array([False, True, False]))) == 1
    assert len(samples.subset([])) == 0
    with pytest.raises(InvalidInputError, match="identities must differ"):
        samples.subset([1, 1])


def test_large_sets_are_scaled_in_blocks(monkeypatch):
    from embedscope.samples.common import _scaling

    images = np.random.default_rng(0).integers(0, 65_535, (50, 6, 6, 2)).astype(np.uint16)
    whole = ChannelScale.from_images(images)
    expected = whole.apply(images)
    monkeypatch.setattr(_scaling, "BLOCK_VALUES", 100)
    in_blocks = ChannelScale.from_images(images)
    np.testing.assert_array_equal(in_blocks.low, whole.low)
    np.testing.assert_array_equal(in_blocks.high, whole.high)
    np.testing.assert_array_equal(in_blocks.apply(images), expected)


def halves(**options):
    cells = jurkat_cells()
    return [
        samples_from_labels(
            cells.image[rows, :200], cells.labels[rows, :200], 40, source=name, **options
        )
        for name, rows in (("top", slice(0, 200)), ("bottom", slice(200, 400)))
    ]


def test_joined_samples_are_scaled_as_one_set():
    cells = jurkat_cells()
    top, bottom = halves(padding="zero")
    joined = join_samples([top, bottom])
    images = np.concatenate([top.images, bottom.images])
    expected = ChannelScale.from_images(images)
    np.testing.assert_array_equal(joined.images, images)
    np.testing.assert_array_equal(joined.scale.low, expected.low)
    np.testing.assert_array_equal(joined.scale.high, expected.high)
    assert len(joined.features) == len(joined) == len(cells.label_ids[:0]) + len(images)
    assert joined.column("source").tolist() == ["top"] * len(top) + ["bottom"] * len(bottom)
    for row in (0, len(top), len(joined) - 1):
        identity = joined.identities[row]
        assert joined.sources[identity.source].labels is not None
        assert joined.identities.row(identity) == row


def test_a_shared_scale_is_kept():
    cells = jurkat_cells()
    top, _ = halves()
    later = top.same_way(cells.image[200:400, :200], cells.labels[200:400, :200], source="later")
    assert join_samples([top, later]).scale is top.scale
    assert join_samples([top]) is top


def test_a_time_series_joins_single_images():
    labels = np.zeros((6, 6), int)
    labels[2:4, 2:4] = 1
    stills = samples_from_labels(labels, labels, 4, source="stills")
    movie = samples_from_labels(labels[None], labels[None], 4, axes="tyx", source="movie")
    assert len(join_samples([stills, movie])) == 2


def test_parts_must_fit():
    top, bottom = halves(features=False)
    cells = jurkat_cells()
    with pytest.raises(
        InvalidInputError, match=r"sources must have different names; got \['top'\]"
    ):
        join_samples([top, top])
    with pytest.raises(InvalidInputError, match="parts must hold at least one"):
        join_samples([])
    smaller = samples_from_labels(cells.image, cells.labels, 20, source="b", features=False)
    with pytest.raises(InvalidInputError, match=r"same shape; got \(40, 40, 3\) and \(20, 20, 3\)"):
        join_samples([top, smaller])
    renamed = dataclasses.replace(bottom, channel_names=("a", "b", "c"))
    with pytest.raises(InvalidInputError, match="parts must have the same channels"):
        join_samples([top, renamed])
    patches = samples_from_patches(cells.image[:80, :80], 40, source="p")
    with pytest.raises(InvalidInputError, match="parts must have the same settings"):
        join_samples([top, patches])


def test_features_that_a_part_lacks_are_missing():
    first = samples_from_array(np.ones((2, 3)), features=pd.DataFrame({"a": [1, 2]}), source="a")
    second = samples_from_array(np.ones((1, 3)), features=pd.DataFrame({"b": [5]}), source="b")
    features = join_samples([first, second]).features
    assert features["a"].isna().tolist() == [False, False, True]
    assert features["b"].isna().tolist() == [True, True, False]


def test_absent_pictures_are_grey_and_not_learned_from():
    samples = pictures(1, absent={"a": "moved away"})
    assert np.unique(samples.thumbnail(0)).tolist() == [128]
    with pytest.raises(InvalidInputError, match="the first 'a': moved away"):
        samples.inputs([0])
    with pytest.raises(InvalidInputError, match=r"absent must name sources; got \['b'\]"):
        pictures(1, absent={"b": ""})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": None}, "either images or a table; got both or neither"),
        ({"table": np.ones((3, 2), np.float32)}, "either images or a table"),
        ({"features": pd.DataFrame({"a": [1]})}, r"3 rows of everything.*'features': 1"),
        ({"centroids": np.ones((2, 2))}, r"3 rows of everything.*'centroids': 2"),
        ({"sources": {}}, r"sources must hold all sources of identities; got none for \['a'\]"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(changes, message):
    with pytest.raises(InvalidInputError, match=message):
        pictures(1, **changes)


def test_background_is_no_object():
    source = Source("a", "labels", labels=np.ones((2, 2), int), axes="yx")
    with pytest.raises(InvalidInputError, match="labels must be larger than 0 for objects"):
        pictures(1, identities=Identities.of("a", [0, 1, 2]), sources={"a": source})


def test_sources_cannot_be_changed():
    with pytest.raises(TypeError):
        pictures(1).sources["b"] = Source("b", "array")


def test_samples_like_others_are_read_by_their_scale():
    known = samples_from_table(pd.DataFrame({"a": [0.0, 2.0, 4.0], "b": [1.0, 1.0, 4.0]}))
    frame = pd.DataFrame({"b": [7.0, 7.0], "a": [2.0, 4.0], "c": [1.0, 2.0]})
    read = samples_like(known, frame)
    np.testing.assert_allclose(read.X, known.same_way(frame).X)
    assert read.feature_names == ("a", "b")
    assert read.identities.sources == ("table 2",)
    later = samples_like(join_samples([known, read]), frame)
    assert later.identities.sources == ("table 3",)
    assert samples_like(known, read) is read


def test_samples_on_another_scale_are_refused():
    known = samples_from_array(np.arange(2 * 4 * 4).reshape(2, 4, 4))
    other = samples_from_array(2 * np.arange(2 * 4 * 4).reshape(2, 4, 4), source="other")
    with pytest.raises(InvalidInputError, match="on the scale of those trained on; got"):
        samples_like(known, other)
    with pytest.raises(InvalidInputError, match="same shape"):
        samples_like(known, samples_from_array(np.ones((2, 4, 5)), source="wide"))


@pytest.mark.parametrize("rows", [[3], [-1], ["a"], [0.5], [[0]], [True], 0, None])
def test_subset_refuses_what_are_no_rows(rows):
    samples = samples_from_array(np.eye(3))
    with pytest.raises(InvalidInputError, match=r"rows must be whole numbers in 0\.\.2"):
        samples.subset(rows)


@pytest.mark.parametrize("row", ["a", 0.5, None, -1, 2])
def test_thumbnail_refuses_what_is_no_row(row):
    with pytest.raises(InvalidInputError, match=r"row must be in 0\.\.1; got"):
        samples_from_array(np.ones((2, 4, 4))).thumbnail(row)


def test_repr_is_one_line():
    X = np.ones((1200, 3))
    X[3, 1] = np.nan
    assert repr(samples_from_array(X)) == "Samples(1,199 rows of 3 from array, left out: 1)"
    pictures = samples_from_array(np.zeros((2, 8, 6, 1)))
    assert repr(pictures) == "Samples(2 pictures of 8 x 6 x 1 from array)"
