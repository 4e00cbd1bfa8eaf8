"""Neighbours of blurred pictures do not depend on the positions of details."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.training._neighbors import feature_neighbors
from embedscope.training.alike._pixels import picture_features


def picture_neighbors(pictures, n_neighbors, *, blur_px, metric="euclidean", report=None):
    features = picture_features(
        pictures, blur_px=blur_px, metric=metric, report=report or (lambda share: None)
    )
    return feature_neighbors(features, n_neighbors, metric=metric)


@pytest.fixture
def specks(rng) -> np.ndarray:
    """Two kinds of pictures, dim and bright, of specks at random positions."""
    pictures = np.zeros((60, 16, 16, 1), dtype=np.float32)
    for number, picture in enumerate(pictures):
        places = rng.permutation(256)[: 30 if number % 2 else 60]
        picture.reshape(-1)[places] = 1.0
    return pictures


def share_of_own_kind(indices: np.ndarray) -> float:
    own = np.arange(len(indices))[:, None] % 2
    return float((indices[:, 1:] % 2 == own).mean())


def test_blurred_pictures_of_a_kind_are_neighbours(specks):
    indices, _ = picture_neighbors(specks, 6, blur_px=4.0)
    assert share_of_own_kind(indices) > 0.95


def test_without_blur_the_positions_of_specks_decide(specks):
    indices, _ = picture_neighbors(specks, 6, blur_px=0.0)
    assert share_of_own_kind(indices) < 0.85  # the dim ones are neighbours of all


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_each_is_its_own_first_and_distances_ascend(specks, metric):
    indices, distances = picture_neighbors(specks, 6, blur_px=1.0, metric=metric)
    np.testing.assert_array_equal(indices[:, 0], np.arange(60))
    np.testing.assert_allclose(distances[:, 0], 0.0, atol=1e-3)
    assert (np.diff(distances, axis=1) >= 0).all()


def test_few_values_are_compared_without_components(rng):
    pictures = rng.random((30, 3, 3, 2)).astype(np.float32)  # 18 values: no components needed
    indices, distances = picture_neighbors(pictures, 5, blur_px=0.0)
    flat = pictures.reshape(30, -1)
    exact = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    np.testing.assert_array_equal(indices, np.argsort(exact, axis=1)[:, :5])
    np.testing.assert_allclose(distances, np.sort(exact, axis=1)[:, :5], atol=1e-5)


def test_planes_of_a_volume_are_blurred_and_channels_are_not_mixed(rng):
    volume = np.zeros((20, 5, 5, 5, 2), dtype=np.float32)
    volume += rng.random((20, 1, 1, 1, 2)).astype(np.float32)
    # Constant in space: a blur, which must not mix channels, changes nothing.
    indices, _ = picture_neighbors(volume, 4, blur_px=2.0)
    flat = volume[:, 0, 0, 0]
    exact = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    np.testing.assert_array_equal(indices, np.argsort(exact, axis=1)[:, :4])


def test_the_pictures_do_not_change_and_progress_is_reported(specks):
    before, reported = specks.copy(), []
    picture_neighbors(specks, 6, blur_px=2.0, report=reported.append)
    np.testing.assert_array_equal(specks, before)
    assert reported == sorted(reported)
    assert reported[-1] == 1.0


@pytest.mark.parametrize("n_neighbors", [1, 60, 100])
def test_too_many_or_too_few_neighbours_are_refused(specks, n_neighbors):
    with pytest.raises(InvalidInputError, match="n_neighbors must be"):
        picture_neighbors(specks, n_neighbors, blur_px=1.0)
