"""A map that learns from some values of a sample, and whose decoder decodes others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from embedscope import ParametricUMAP, load_ParametricUMAP
from embedscope._errors import InvalidInputError

N = 300
SETTINGS: dict[str, Any] = {
    "random_state": 0,
    "n_epochs": 60,
    "quality": "fast",
    "parametric_reconstruction": True,
}


@pytest.fixture(scope="module")
def pictures(digits: Any) -> np.ndarray:
    return np.asarray(digits.data[:N].reshape(N, 8, 8, 1))


@pytest.fixture(scope="module")
def features(pictures: np.ndarray) -> np.ndarray:
    """Seven numbers for each picture: random sums of its pixels."""
    sums = np.random.default_rng(0).normal(size=(64, 7)).astype(np.float32)
    return pictures.reshape(N, 64) @ sums


@pytest.fixture(scope="module")
def fitted(features: np.ndarray, pictures: np.ndarray) -> ParametricUMAP:
    estimator = ParametricUMAP(n_style_components=8, validation_fraction=0.1, **SETTINGS)
    return estimator.fit(features, decoded=pictures)


def test_the_map_is_that_of_the_values_learned_from(
    fitted: ParametricUMAP, features: np.ndarray
) -> None:
    alone = ParametricUMAP(n_style_components=5, **SETTINGS).fit(features)
    np.testing.assert_array_equal(fitted.embedding_, alone.embedding_)
    np.testing.assert_allclose(fitted.transform(features), fitted.embedding_, atol=1e-4)


def test_the_decoder_decodes_pictures(
    fitted: ParametricUMAP, features: np.ndarray, pictures: np.ndarray
) -> None:
    places = fitted.transform(features)
    typical = fitted.inverse_transform(places)
    own = fitted.inverse_transform(places, fitted.style(features, pictures))
    assert typical.shape == own.shape == pictures.shape
    assert fitted.inverse_std(places[:3]).shape == (3, 8, 8, 1)
    mean, at_place, with_code = (
        np.square(pictures - each).mean() for each in (pictures.mean(axis=0), typical, own)
    )
    assert with_code < 0.8 * at_place < 0.8 * mean
    assert "val_style_reconstruction_loss" in fitted.history_


def test_the_decoder_that_trains_with_the_encoder_decodes_them_too(
    features: np.ndarray, pictures: np.ndarray
) -> None:
    fitted = ParametricUMAP(**SETTINGS).fit(features, decoded=pictures.reshape(N, 64))
    assert fitted.inverse_transform(fitted.embedding_[:2]).shape == (2, 64)


def test_a_saved_map_decodes_the_same(
    fitted: ParametricUMAP, features: np.ndarray, pictures: np.ndarray, tmp_path: Any
) -> None:
    fitted.save(tmp_path / "map")
    opened = load_ParametricUMAP(tmp_path / "map")
    code = opened.style(features[:5], pictures[:5])
    np.testing.assert_array_equal(code, fitted.style(features[:5], pictures[:5]))
    np.testing.assert_array_equal(
        opened.inverse_transform(fitted.embedding_[:5], code),
        fitted.inverse_transform(fitted.embedding_[:5], code),
    )


def test_the_style_encoder_takes_both_in_onnx_too(fitted: ParametricUMAP, tmp_path: Any) -> None:
    pytest.importorskip("onnxruntime")
    assert fitted.to_onnx(tmp_path / "style.onnx", "style_encoder").is_file()


def test_of_very_many_samples_the_same_part_is_decoded(
    features: np.ndarray, pictures: np.ndarray
) -> None:
    estimator = ParametricUMAP(max_graph_samples=200, n_style_components=4, **SETTINGS)
    assert estimator.fit(features, decoded=pictures).embedding_.shape == (N, 2)


@pytest.mark.parametrize(
    ("settings", "decoded", "said"),
    [
        ({}, np.zeros((5, 4)), "a row for each of the 300 samples"),
        ({"unique": True}, np.zeros((N, 4)), "without unique"),
        ({"parametric_reconstruction": False}, np.zeros((N, 4)), "parametric_reconstruction=True"),
        ({"global_correlation_loss_weight": 0.1}, np.zeros((N, 4)), "without global_correlation"),
        ({}, np.full((N, 4), np.nan), "decoded"),
    ],
)
def test_what_cannot_be_decoded_is_refused(
    settings: dict[str, Any], decoded: np.ndarray, said: str, features: np.ndarray
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        ParametricUMAP(**{**SETTINGS, **settings}).fit(features, decoded=decoded)


def test_style_needs_both(
    fitted: ParametricUMAP, features: np.ndarray, pictures: np.ndarray
) -> None:
    with pytest.raises(InvalidInputError, match="decoded must be given"):
        fitted.style(features)
    with pytest.raises(InvalidInputError, match="of shape"):
        fitted.style(features, pictures[:3])
    with pytest.raises(InvalidInputError, match="decodes X itself"):
        fitted.update(features)
