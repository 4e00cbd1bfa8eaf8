"""Decoding of points and paths: samples, nearest real samples, and support."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.explorer.answers._decoding import decode, decode_path, space_evenly
from embedscope.explorer.answers._places import PlaceIndex
from embedscope.explorer.answers._support import MapSupport
from embedscope.samples import Samples, samples_from_array


def no_decoder(points: np.ndarray) -> None:
    return None


@pytest.fixture(scope="module")
def samples(digits: Any) -> Samples:
    return samples_from_array(digits.data[:300].reshape(-1, 8, 8, 1))


@pytest.fixture(scope="module")
def fitted(samples: Samples) -> ParametricUMAP:
    embedder = ParametricUMAP(
        encoder="reference", n_epochs=20, parametric_reconstruction=True, random_state=0
    )
    return embedder.fit(samples.X)


@pytest.fixture(scope="module")
def around(fitted: ParametricUMAP, samples: Samples) -> tuple[Any, ...]:
    return PlaceIndex(fitted.embedding_), MapSupport(fitted.embedding_), samples


def test_decoded_point_is_the_output_of_the_decoder(fitted, around, samples):
    point = fitted.embedding_[7] + np.float32(0.01)
    drawn = decode(fitted.inverse_transform, point, *around)
    assert drawn.decoded
    np.testing.assert_array_equal(drawn.point, point)
    np.testing.assert_allclose(
        drawn.sample, fitted.inverse_transform(point[np.newaxis])[0], atol=1e-6
    )
    np.testing.assert_array_equal(drawn.picture, samples.to_picture(drawn.sample))
    every = np.linalg.norm(fitted.embedding_ - point, axis=1)
    np.testing.assert_array_equal(drawn.neighbor_rows, np.argsort(every)[:5])
    np.testing.assert_allclose(drawn.neighbor_distances, np.sort(every)[:5], rtol=1e-5)


def test_support_is_zero_far_from_the_map(fitted, around):
    center = np.median(fitted.embedding_, axis=0)
    near = decode(fitted.inverse_transform, fitted.embedding_[0], *around)
    far = decode(fitted.inverse_transform, center + 1000.0, *around)
    assert near.support > 0.1
    assert far.support == 0.0
    assert far.neighbor_distances[0] > 900


def test_without_a_decoder_the_nearest_real_sample_is_shown(fitted, around, samples):
    drawn = decode(no_decoder, fitted.embedding_[42], *around, k=3)
    assert not drawn.decoded
    assert drawn.neighbor_rows[0] == 42
    assert len(drawn.neighbor_rows) == 3
    np.testing.assert_array_equal(drawn.sample, samples.inputs([42])[0])
    np.testing.assert_array_equal(drawn.picture, samples.thumbnail(42))


def test_tables_have_no_picture(rng):
    table = samples_from_array(rng.normal(size=(30, 4)))
    positions = rng.normal(size=(30, 2))
    drawn = decode(no_decoder, positions[3], PlaceIndex(positions), MapSupport(positions), table)
    assert drawn.picture is None
    np.testing.assert_array_equal(drawn.sample, table.X[3])


def test_path_is_decoded_at_once_at_even_steps(fitted, around):
    calls = []

    def draw(points: np.ndarray) -> np.ndarray:
        calls.append(points)
        return fitted.inverse_transform(points)

    corners = fitted.embedding_[[0, 100, 200]]
    drawn = decode_path(draw, corners, *around, n_steps=9)
    assert len(calls) == 1
    points = np.stack([step.point for step in drawn])
    np.testing.assert_array_equal(points, calls[0])
    np.testing.assert_allclose(points[[0, -1]], corners[[0, -1]], rtol=1e-6)
    for step, point in zip(drawn, points, strict=True):
        alone = decode(fitted.inverse_transform, point, *around)
        np.testing.assert_allclose(step.sample, alone.sample, atol=1e-5)
        np.testing.assert_array_equal(step.neighbor_rows, alone.neighbor_rows)
        assert step.support == alone.support


def test_steps_are_even_along_the_whole_length():
    # 3 + 1 long with a corner drawn twice: five points, 1 apart.
    places = space_evenly([[0, 0], [3, 0], [3, 0], [3, 1]], 5)
    np.testing.assert_allclose(places, [[0, 0], [1, 0], [2, 0], [3, 0], [3, 1]])
    np.testing.assert_array_equal(space_evenly([[2, 5], [2, 5]], 3), [[2, 5]] * 3)


@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(2, 40))
def test_no_step_is_longer_than_the_share_of_the_path(seed, n_corners, n_steps):
    corners = np.random.default_rng(seed).integers(-3, 4, size=(n_corners, 2))
    places = space_evenly(corners, n_steps)
    length = np.linalg.norm(np.diff(corners, axis=0), axis=1).sum()
    assert places.shape == (n_steps, 2)
    assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() <= length / (n_steps - 1) + 1e-9
    np.testing.assert_allclose(places[[0, -1]], corners[[0, -1]])


class TestRefusals:
    @pytest.mark.parametrize("point", [[0], [0, 0, 0], [[0, 0]], [np.nan, 0], [np.inf, 0], None])
    def test_what_is_no_point(self, fitted, around, point):
        with pytest.raises(InvalidInputError, match=r"^point must be a pair of finite .*; got "):
            decode(fitted.inverse_transform, point, *around)

    @pytest.mark.parametrize("points", [[[0, 0]], np.empty((0, 2)), [0, 0], [[0, 0], [np.nan, 1]]])
    def test_what_is_no_path(self, fitted, around, points):
        with pytest.raises(InvalidInputError, match=r"^points must be .*; got "):
            decode_path(fitted.inverse_transform, points, *around)

    def test_too_few_steps_or_neighbors(self, fitted, around):
        for wrong in (1, 2.5, "a", 10**9):
            with pytest.raises(InvalidInputError, match=rf"^n_steps must be .*; got {wrong!r}"):
                decode_path(fitted.inverse_transform, [[0, 0], [1, 1]], *around, n_steps=wrong)
        with pytest.raises(InvalidInputError, match=r"^k must be at least 1; got 0"):
            decode(fitted.inverse_transform, [0, 0], *around, k=0)

    def test_map_without_positions(self, fitted, around):
        nowhere = PlaceIndex(np.full((300, 2), np.nan, np.float32))
        with pytest.raises(InvalidInputError, match=r"^places must hold .* Train first"):
            decode(fitted.inverse_transform, [0, 0], nowhere, *around[1:])


@pytest.mark.speed
def test_point_among_a_hundred_thousand_is_decoded_in_under_3_ms(fitted, samples, rng):
    positions = rng.normal(size=(100_000, 2))
    around = PlaceIndex(positions), MapSupport(positions), samples

    def seconds() -> float:
        point = rng.normal(size=2)
        start = perf_counter()
        decode(fitted.inverse_transform, point, *around)
        return perf_counter() - start

    seconds()  # the trees are built, and the network is traced, by the first question
    # The quickest of many, since others may use the machine too.
    assert min(seconds() for _ in range(50)) < 3e-3
