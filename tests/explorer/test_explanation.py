"""Explanations of encoders with known derivatives."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.explorer.answers import _explanation
from embedscope.explorer.answers._explanation import explain, measure_spread
from embedscope.samples import Samples, samples_from_array, samples_from_table

KERNEL = np.array([[2.0, 0.0], [0.0, -1.0], [0.3, 0.4], [0.0, 0.0]], np.float32)
SCALES = np.array([1.0, 5.0, 1.0, 9.0])


def linear_map(samples: Samples, kernel: np.ndarray) -> ParametricUMAP:
    """An estimator whose encoder multiplies by the kernel and does nothing else."""
    network = keras.Sequential(
        [keras.Input(samples.sample_shape), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    embedder = ParametricUMAP(encoder=network, n_epochs=10, n_neighbors=5, random_state=0)
    embedder.fit(samples.X)
    embedder.encoder_.set_weights([kernel, np.zeros(2, np.float32)])
    return embedder


@pytest.fixture(scope="module")
def table() -> Samples:
    numbers = np.random.default_rng(0).normal(size=(200, 4)) * SCALES
    return samples_from_table(pd.DataFrame(numbers, columns=list("abcd")), standardise=False)


@pytest.fixture(scope="module")
def table_map(table: Samples) -> ParametricUMAP:
    return linear_map(table, KERNEL)


@pytest.fixture(scope="module")
def crops() -> Samples:
    return samples_from_array(np.random.default_rng(1).random((120, 5, 6, 2)).astype(np.float32))


@pytest.fixture(scope="module")
def crop_kernel(crops: Samples) -> np.ndarray:
    return np.random.default_rng(2).normal(size=(5 * 6 * 2, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def crop_map(crops: Samples, crop_kernel: np.ndarray) -> ParametricUMAP:
    return linear_map(crops, crop_kernel)


def test_effects_on_a_linear_map_are_its_weights(table, table_map):
    explanation = explain(table_map, table, [3, 5, 8])
    assert explanation.kind == "features"
    assert explanation.saliency is None
    np.testing.assert_array_equal(explanation.rows, [3, 5, 8])
    deviations = table.X.std(axis=0)
    ranking = explanation.ranking.set_index("feature")
    assert list(ranking.index) == ["b", "a", "c", "d"]
    ranking = ranking.loc[list("abcd")]
    np.testing.assert_allclose(ranking["effect"], [2, 1, 0.5, 0] * deviations, rtol=1e-5)
    np.testing.assert_allclose(ranking[["along_x", "along_y"]], KERNEL * deviations[:, None], 1e-5)
    assert ranking["share"].sum() == pytest.approx(1.0)


def test_shares_are_those_of_the_variance_of_a_linear_map(table, table_map):
    ranking = explain(table_map, table, np.arange(200)).ranking.set_index("feature")
    variances = (table.X.var(axis=0)[:, None] * KERNEL**2).sum(axis=1)
    np.testing.assert_allclose(
        ranking.loc[list("abcd"), "share"], variances / variances.sum(), rtol=1e-4
    )


def test_opposite_directions_cancel_but_effects_do_not(table):
    """An encoder of |a|: the same change moves some samples up and others down."""
    inputs = keras.Input((4,))
    network = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Dense(2, "relu")(inputs)))
    embedder = ParametricUMAP(encoder=network, n_epochs=10, n_neighbors=5, random_state=0)
    embedder.fit(table.X)
    sides = np.array([[1.0, -1.0], [0, 0], [0, 0], [0, 0]], np.float32)
    zeros = np.zeros(2, np.float32)
    summed = np.array([[0.0, 1.0], [0.0, 1.0]], np.float32)
    embedder.encoder_.set_weights([sides, zeros, summed, zeros])
    order = np.argsort(table.X[:, 0])
    both, right = (explain(embedder, table, rows).ranking for rows in (order, order[-20:]))
    deviation = table.X[:, 0].std()
    for ranking in (both, right):
        assert ranking.loc[0, "feature"] == "a"
        assert ranking.loc[0, "effect"] == pytest.approx(deviation, rel=1e-5)
        assert ranking.loc[0, "share"] == pytest.approx(1.0)
    assert right.loc[0, "along_y"] == pytest.approx(deviation, rel=1e-5)
    assert abs(both.loc[0, "along_y"]) < 0.3 * deviation


def test_saliency_of_a_linear_map_is_the_norm_of_its_weights(crops, crop_kernel, crop_map):
    explanation = explain(crop_map, crops, [4])
    weights = crop_kernel.reshape(5, 6, 2, 2) * crops.X.std(axis=0)[..., None]
    assert explanation.kind == "saliency"
    assert explanation.saliency.dtype == np.float32
    np.testing.assert_allclose(
        explanation.saliency, np.sqrt((weights**2).sum(axis=(2, 3))), rtol=1e-4
    )
    of_channels = (weights**2).sum(axis=(0, 1, 3))
    ranking = explanation.ranking.set_index("channel").loc[list(crops.channel_names)]
    np.testing.assert_allclose(ranking["share"], of_channels / of_channels.sum(), rtol=1e-4)
    np.testing.assert_allclose(ranking["effect"], np.sqrt(of_channels), rtol=1e-4)


def test_saliency_agrees_with_moving_each_pixel(crops):
    """By finite differences, on a nonlinear network."""
    network = keras.Sequential(
        [
            keras.Input((5, 6, 2)),
            keras.layers.Conv2D(4, 3, activation="tanh"),
            keras.layers.Flatten(),
            keras.layers.Dense(2),
        ]
    )
    embedder = ParametricUMAP(encoder=network, n_epochs=10, n_neighbors=5, random_state=0)
    embedder.fit(crops.X)
    sample, spread = crops.X[9].ravel(), measure_spread(crops).ravel()
    steps = 1e-2 * np.diag(spread)
    there, back = (
        embedder.transform((sample + sign * steps).reshape(-1, 5, 6, 2)) for sign in (1, -1)
    )
    effects = ((there - back) / 2e-2).reshape(5, 6, 2, 2)
    expected = np.sqrt((effects**2).sum(axis=(2, 3)))
    saliency = explain(embedder, crops, [9]).saliency
    np.testing.assert_allclose(saliency, expected, atol=5e-3 * expected.max())


def test_volumes_have_a_saliency_for_each_slice(rng):
    volumes = samples_from_array(rng.random((40, 3, 4, 5, 1)))
    explanation = explain(linear_map(volumes, np.ones((60, 2), np.float32)), volumes, [0, 1])
    assert explanation.saliency.shape == (3, 4, 5)


def test_blocks_and_known_spread_change_nothing(crops, crop_map, monkeypatch):
    whole = explain(crop_map, crops, np.arange(50))
    monkeypatch.setattr(_explanation, "_BLOCK_SAMPLES", 7)
    parts = explain(crop_map, crops, np.arange(50))
    known = explain(crop_map, crops, np.arange(50), crops.X.std(axis=0))
    for other in (parts, known):
        np.testing.assert_allclose(other.saliency, whole.saliency, rtol=1e-5)


def test_spread_keeps_its_digits_far_from_zero(rng):
    far = samples_from_array(1e4 + rng.normal(size=(500, 3)))
    np.testing.assert_allclose(measure_spread(far), far.X.astype(np.float64).std(axis=0), rtol=1e-5)


def test_spread_of_large_sets_is_measured_on_a_part(rng, monkeypatch):
    monkeypatch.setattr(_explanation, "_LEAST_FOR_SPREAD", 1500)
    monkeypatch.setattr(_explanation, "_SPREAD_VALUES", 10)
    large = samples_from_array(rng.normal(size=(6000, 4)) * SCALES)
    every_fourth = large.X[np.linspace(0, 5999, 1500).astype(int)]
    np.testing.assert_allclose(measure_spread(large), every_fourth.std(axis=0), rtol=1e-5)
    np.testing.assert_allclose(measure_spread(large), SCALES, rtol=0.08)


def test_large_selections_are_thinned(table, table_map, monkeypatch):
    monkeypatch.setattr(_explanation, "_MOST_SAMPLES", 10)
    seen: list[Any] = []
    derive = table_map.encoder_jacobian

    class Watched:
        def encoder_jacobian(self, X: np.ndarray) -> np.ndarray:
            seen.append(X)
            return derive(X)

    explanation = explain(Watched(), table, np.arange(200))
    assert len(explanation.rows) == 200
    np.testing.assert_array_equal(seen[0], table.X[np.linspace(0, 199, 10).astype(int)])


def test_nothing_has_a_share_where_nothing_has_an_effect(table):
    flat = explain(linear_map(table, np.zeros((4, 2), np.float32)), table, [0])
    assert (flat.ranking[["effect", "share", "along_x", "along_y"]] == 0.0).to_numpy().all()


@pytest.mark.parametrize(
    "rows", [[], np.zeros(200, bool), [[1, 2]], [0.5], [200], [-1], np.array([], np.int64)]
)
def test_missing_rows_are_refused(table, table_map, rows):
    with pytest.raises(InvalidInputError, match=r"^rows must be .*; got "):
        explain(table_map, table, rows)


def test_a_map_without_an_encoder_is_refused(table):
    positions = ParametricUMAP(parametric_embedding=False, n_epochs=10, random_state=0)
    positions.fit(table.X)
    with pytest.raises(InvalidInputError, match="must be True for encoder_jacobian; got False"):
        explain(positions, table, [0])
