"""The spread: numbers as measured, and pictures on one scale for the whole map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from linear_map import linear_explorer, random_samples

from embedscope.explorer.answers._spread import MapSpread, flatten_spread

PLACES = np.stack([np.arange(1000) / 1000, np.zeros(1000)], axis=1).astype(np.float32)


def rising(points: np.ndarray) -> np.ndarray:
    """The x coordinate of the point, in each of 3 x 3 pixels of two channels."""
    return np.broadcast_to(points[:, 0, None, None, None], (len(points), 3, 3, 2))


def test_spread_is_that_of_the_estimator() -> None:
    drawn = linear_explorer().decode([0.3, 0.4])
    np.testing.assert_allclose(drawn.spread, np.full((4, 4, 1), 0.05), rtol=1e-5)
    assert drawn.spread.dtype == np.float32
    assert drawn.spread_picture.shape == (4, 4, 3)


def test_channels_are_joined_by_their_variances_and_depth_by_its_maximum() -> None:
    spread = np.zeros((2, 3, 3, 2), np.float32)
    spread[0, 1, 1] = [3, 4]
    spread[1, 1, 1] = [1, 1]
    expected = np.zeros((3, 3))
    expected[1, 1] = np.sqrt((9 + 16) / 2)
    np.testing.assert_allclose(flatten_spread(spread), expected, rtol=1e-6)
    np.testing.assert_allclose(flatten_spread(spread[0]), expected, rtol=1e-6)


def test_white_is_the_99th_percentile_at_places_of_samples() -> None:
    spread = MapSpread(rising, PLACES)
    assert spread.white == pytest.approx(0.99, abs=0.02)
    pictures = [spread.picture(spread(np.array([[x, 0.0]]))[0]) for x in (0, 0.4, 5)]
    grey = [int(picture[0, 0, 0]) for picture in pictures]
    assert grey == [0, round(255 * 0.4 / spread.white), 255]


def test_scale_is_the_same_for_all_points() -> None:
    asked_near, asked_far = MapSpread(rising, PLACES), MapSpread(rising, PLACES)
    point = np.array([[0.5, 0.0]])
    asked_far.picture(asked_far(np.array([[80.0, 0.0]]))[0])
    np.testing.assert_array_equal(
        asked_near.picture(asked_near(point)[0]), asked_far.picture(asked_far(point)[0])
    )


@given(st.lists(st.floats(0, 3), min_size=2, max_size=10))
def test_less_certain_is_never_darker(places: list[float]) -> None:
    spread = MapSpread(rising, PLACES)
    pictures = [spread.picture(spread(np.array([[x, 0.0]]))[0]) for x in sorted(places)]
    levels = [int(picture[0, 0, 0]) for picture in pictures]
    assert levels == sorted(levels)
    assert all((picture == picture[..., :1]).all() for picture in pictures)  # grey


def test_zero_and_nan_spread_is_black() -> None:
    certain = MapSpread(lambda points: np.zeros((len(points), 2, 2, 1)), PLACES)
    assert not certain.picture(certain(PLACES[:1])[0]).any()
    spread = MapSpread(rising, PLACES)
    assert not spread.picture(np.full((2, 2, 1), np.nan, np.float32)).any()


def test_volumes_are_flattened_and_tables_have_no_picture() -> None:
    volumes = linear_explorer(random_samples((2, 4, 4, 1))).decode([0.3, 0.4])
    assert volumes.spread.shape == (2, 4, 4, 1)
    assert volumes.spread_picture.shape == (4, 4, 3)
    table = linear_explorer(random_samples((6,))).decode([0.3, 0.4])
    np.testing.assert_allclose(table.spread, np.full(6, 0.05), rtol=1e-5)
    assert table.spread_picture is None


def test_no_spread_without_held_out_samples_or_decoder() -> None:
    assert linear_explorer(spread=False).decode([0.3, 0.4]).spread is None
    explorer = linear_explorer()
    explorer.model.estimator.decoder_ = None
    drawn = explorer.decode([0.3, 0.4])
    assert (drawn.decoded, drawn.spread, drawn.spread_picture) == (False, None, None)


def test_atlas_is_decoded_without_spread() -> None:
    assert [each.spread for each in linear_explorer().draw([[0, 0], [1, 1]])] == [None, None]
