"""The losses equal their formulas, and their gradients are right and finite in edge cases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from embedscope.core.layout._curve import fit_curve
from embedscope.core.layout._layout import Objective
from embedscope.core.networks._losses import (
    cross_entropy,
    density_term,
    distances,
    global_correlation,
    landmark_distance,
    squared_distances,
)
from embedscope.core.networks._tensorflow import tf

OBJECTIVE = Objective(*fit_curve(0.1, 1.0), negative_sample_rate=4, repulsion_strength=1.5)
EPSILON = 1e-6  # added to squared distances


def gradient(loss: Callable[..., Any], *arrays: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """Value and gradients of `loss`, in float32 and compiled as in training."""
    tensors = [tf.constant(array, tf.float32) for array in arrays]

    @tf.function
    def both(*tensors: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = loss(*tensors)
        return value, tape.gradient(value, tensors, unconnected_gradients="zero")

    value, slopes = both(*tensors)
    return float(value), [slope.numpy() for slope in slopes]


def numeric_gradient(loss: Callable[[np.ndarray], float], z: np.ndarray) -> np.ndarray:
    found, step = np.zeros_like(z), 1e-6
    for place in np.ndindex(*z.shape):
        there, back = z.copy(), z.copy()
        there[place] += step
        back[place] -= step
        found[place] = (loss(there) - loss(back)) / (2 * step)
    return found


def exact_cross_entropy(
    heads: np.ndarray, tails: np.ndarray, negatives: np.ndarray, objective: Objective = OBJECTIVE
) -> float:
    """UMAP's cross entropy in float64, as -log q and -log(1 - q)."""

    def odds_against(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return objective.a * (((first - second) ** 2).sum(axis=-1) + EPSILON) ** objective.b

    attraction = np.log1p(odds_against(heads, tails)).mean()
    repulsion = np.log1p(1.0 / odds_against(heads[None], negatives)).mean()
    rate = objective.negative_sample_rate
    return float((attraction + rate * objective.repulsion_strength * repulsion) / (1 + rate))


@pytest.fixture
def batch(rng: np.random.Generator) -> list[np.ndarray]:
    """Heads, tails and negatives; at usual, tiny, zero and huge distances."""
    heads, tails = rng.normal(size=(2, 12, 2))
    negatives = rng.normal(size=(4, 12, 2))
    tails[0] = heads[0]
    negatives[:, 1] = heads[1]
    tails[2] = heads[2] + 1e-4
    negatives[:, 3] = heads[3] + 1e-4
    tails[4] = heads[4] + 1e3
    negatives[:, 5] = heads[5] + 1e3
    return [array.astype(np.float32).astype(np.float64) for array in (heads, tails, negatives)]


def test_cross_entropy_is_its_formula(batch: list[np.ndarray]) -> None:
    value, _ = gradient(lambda *z: cross_entropy(*z, OBJECTIVE), *batch)
    assert value == pytest.approx(exact_cross_entropy(*batch), rel=1e-5)


def test_one_pair_by_hand() -> None:
    plain = Objective(1.0, 1.0, negative_sample_rate=1)
    heads, near, far = np.zeros((1, 2)), np.array([[2.0, 0.0]]), np.array([[[0.0, 3.0]]])
    value, _ = gradient(lambda *z: cross_entropy(*z, plain), heads, near, far)
    # q = 1/5 for the neighbour and 1/10 for the other.
    assert value == pytest.approx((-np.log(1 / 5) - np.log(9 / 10)) / 2, rel=1e-5)


@pytest.mark.parametrize("argument", [0, 1, 2], ids=["heads", "tails", "negatives"])
def test_gradients_of_the_cross_entropy(batch: list[np.ndarray], argument: int) -> None:
    _, slopes = gradient(lambda *z: cross_entropy(*z, OBJECTIVE), *batch)

    def loss(z: np.ndarray) -> float:
        return exact_cross_entropy(*batch[:argument], z, *batch[argument + 1 :])

    wanted = numeric_gradient(loss, batch[argument])
    assert np.isfinite(slopes[argument]).all()
    # A relative tolerance for each: at the far pairs the gradients are small, and still right.
    np.testing.assert_allclose(slopes[argument], wanted, rtol=5e-3, atol=2e-6)


def test_without_negative_samples_only_attraction_counts(batch: list[np.ndarray]) -> None:
    alone = Objective(OBJECTIVE.a, OBJECTIVE.b, negative_sample_rate=0)
    heads, tails, _ = batch
    none = np.zeros((0, 12, 2))
    value, slopes = gradient(lambda *z: cross_entropy(*z, alone), heads, tails, none)
    assert value == pytest.approx(exact_cross_entropy(heads, tails, np.ones((1, 12, 2)), alone))
    assert np.isfinite(slopes[0]).all()


@pytest.mark.parametrize("reach", [0.0, 1e-20, 1e15])
def test_no_distance_makes_the_cross_entropy_overflow(reach: float) -> None:
    heads, tails, negatives = np.zeros((3, 2)), np.full((3, 2), reach), np.full((4, 3, 2), reach)
    value, slopes = gradient(lambda *z: cross_entropy(*z, OBJECTIVE), heads, tails, negatives)
    assert np.isfinite(value)
    assert all(np.isfinite(slope).all() for slope in slopes)


def test_distances_have_a_gradient_where_points_coincide() -> None:
    first, second = np.zeros((2, 3)), np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 4.0]])
    value, slopes = gradient(lambda x, y: tf.reduce_sum(distances(x, y)), first, second)
    assert value == pytest.approx(5.0 + np.sqrt(EPSILON))
    np.testing.assert_allclose(slopes[1], [[0, 0, 0], [0.6, 0, 0.8]], atol=1e-6)
    squared, _ = gradient(lambda x, y: tf.reduce_sum(squared_distances(x, y)), first, second)
    assert squared == pytest.approx(25.0)


def exact_correlation(inputs: np.ndarray, positions: np.ndarray) -> float:
    """Minus Pearson's correlation of the distances of consecutive samples."""
    flat = inputs.reshape(len(inputs), -1)
    in_data = np.linalg.norm(flat - np.roll(flat, 1, axis=0), axis=1)
    in_map = np.linalg.norm(positions - np.roll(positions, 1, axis=0), axis=1)
    return float(-np.corrcoef(in_data, in_map)[0, 1])


@pytest.mark.parametrize(("scale", "offset"), [(1e-25, 0), (1e-4, 0), (1, 0), (1, 1e4), (1e25, 0)])
def test_global_correlation_is_minus_pearsons_in_any_unit(
    rng: np.random.Generator, scale: float, offset: float
) -> None:
    inputs, positions = rng.normal(size=(40, 3, 3, 1)), rng.normal(size=(40, 2))
    value, slopes = gradient(global_correlation, scale * inputs + offset, positions)
    assert value == pytest.approx(exact_correlation(inputs, positions), abs=1e-3)
    wanted = numeric_gradient(lambda z: exact_correlation(inputs, z), positions)
    np.testing.assert_allclose(slopes[1], wanted, atol=0.01 * np.abs(wanted).max())


def test_global_correlation_of_a_faithful_map(rng: np.random.Generator) -> None:
    positions = rng.normal(size=(40, 2))
    assert gradient(global_correlation, 7 * positions, positions)[0] == pytest.approx(-1, abs=1e-4)


@pytest.mark.parametrize("n_samples", [1, 2, 8])
@pytest.mark.parametrize("constant", ["inputs", "positions", "both"])
def test_global_correlation_of_constant_batches_is_zero(
    rng: np.random.Generator, n_samples: int, constant: str
) -> None:
    inputs, positions = rng.normal(size=(n_samples, 5)), rng.normal(size=(n_samples, 2))
    if constant != "positions":
        inputs = np.full_like(inputs, 0.7)
    if constant != "inputs":
        positions = np.full_like(positions, -3.0)
    value, slopes = gradient(global_correlation, inputs, positions)
    assert value == pytest.approx(0.0, abs=1e-6)
    assert all(np.isfinite(slope).all() for slope in slopes)


def test_landmarks_pull_only_samples_that_have_a_position() -> None:
    wanted = np.array([[0.0, 0.0], [np.nan, np.nan], [1.0, np.nan], [2.0, 2.0]])
    positions = np.array([[3.0, 4.0], [5.0, 5.0], [6.0, 6.0], [2.0, 2.0]])
    value, slopes = gradient(
        lambda z: landmark_distance(tf.constant(wanted, tf.float32), z, None), positions
    )
    assert value == pytest.approx((5.0 + 0.0) / 2, abs=1e-3)
    np.testing.assert_allclose(slopes[0], [[0.3, 0.4], [0, 0], [0, 0], [0, 0]], atol=1e-6)


def test_a_batch_without_landmarks_costs_nothing() -> None:
    wanted = tf.fill([3, 2], np.nan)
    value, slopes = gradient(lambda z: landmark_distance(wanted, z, None), np.ones((3, 2)))
    assert value == 0.0
    np.testing.assert_array_equal(slopes[0], 0.0)


def test_a_landmark_loss_of_the_users() -> None:
    wanted = tf.constant([[0.0, 0.0], [np.nan, np.nan], [1.0, 1.0]])
    positions = np.array([[3.0, 4.0], [5.0, 5.0], [1.0, 2.0]])

    def squared_error(wanted: Any, positions: Any) -> Any:
        return tf.reduce_sum(tf.square(wanted - positions), axis=1)

    value, slopes = gradient(lambda z: landmark_distance(wanted, z, squared_error), positions)
    assert value == pytest.approx((25.0 + 1.0) / 2)
    np.testing.assert_allclose(slopes[0], [[3, 4], [0, 0], [0, 1]], atol=1e-6)


def test_the_density_term_is_a_gradient_where_its_weights_hold(rng: np.random.Generator) -> None:
    weights, before = rng.normal(size=30), rng.uniform(0.1, 4.0, 30)
    squared = tf.Variable(before)
    with tf.GradientTape() as tape:
        loss = density_term(weights, squared, before)
    np.testing.assert_allclose(tape.gradient(loss, squared), weights / 30, rtol=1e-6)


def test_a_map_that_grows_as_a_whole_gains_no_density(rng: np.random.Generator) -> None:
    before = rng.uniform(0.1, 4.0, 30)
    weights = rng.normal(size=30)
    weights -= (weights * before).sum() / before.sum()  # as a correlation of radii has them
    losses = [float(density_term(weights, scale * before, before)) for scale in (1.0, 100.0, 0.01)]
    np.testing.assert_allclose(losses, losses[0], atol=1e-9)
