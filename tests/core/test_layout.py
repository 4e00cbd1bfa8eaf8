"""The layout descends UMAP's cross entropy, repeats to the last bit, and keeps fixed samples."""

from __future__ import annotations

from collections.abc import Iterator

import numba
import numpy as np
import pytest
from scipy import sparse

from embedscope.core.layout._curve import fit_curve
from embedscope.core.layout._layout import Layout, Objective

A, B = fit_curve(0.1, 1.0)
OBJECTIVE = Objective(A, B)


def cliques(n_cliques: int, size: int) -> sparse.csr_matrix:
    one = np.ones((size, size), np.float32) - np.eye(size, dtype=np.float32)
    return sparse.csr_matrix(np.kron(np.eye(n_cliques, dtype=np.float32), one))


def run(layout: Layout, positions: np.ndarray, n_epochs: int) -> np.ndarray:
    for epoch in range(n_epochs):
        positions = layout.epoch(positions, 1.0 - epoch / n_epochs)
    return positions


@pytest.fixture
def start(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0, 2, (120, 2)).astype(np.float32)


@pytest.fixture
def graph(rng: np.random.Generator) -> sparse.csr_matrix:
    """Random edges of random strengths."""
    strengths = rng.random((120, 120)) * (rng.random((120, 120)) < 0.1)
    return sparse.csr_matrix(np.maximum(strengths, strengths.T) - 0, dtype=np.float32)


@pytest.fixture
def set_threads() -> Iterator[None]:
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


@pytest.mark.speed  # it needs two threads; beside other tests numba has one
@pytest.mark.usefixtures("set_threads")
@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one core alone")
@pytest.mark.parametrize("n_components", [1, 2, 5])
def test_any_number_of_threads_gives_the_same_to_the_last_bit(
    graph: sparse.csr_matrix, rng: np.random.Generator, n_components: int
) -> None:
    start = rng.normal(0, 2, (120, n_components)).astype(np.float32)
    results = []
    for n_threads in (1, 2):
        numba.set_num_threads(n_threads)
        results.append(run(Layout(graph, OBJECTIVE, seed=5), start, 30))
    np.testing.assert_array_equal(*results)


def test_a_seed_repeats_and_another_does_not(graph: sparse.csr_matrix, start: np.ndarray) -> None:
    first, again, other = (run(Layout(graph, OBJECTIVE, s), start, 5) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_every_epoch_draws_anew_and_leaves_its_input_alone(
    graph: sparse.csr_matrix, start: np.ndarray
) -> None:
    before = start.copy()
    layout = Layout(graph, OBJECTIVE, seed=1)
    assert np.abs(layout.epoch(start, 1.0) - layout.epoch(start, 1.0)).max() > 0.01
    np.testing.assert_array_equal(start, before)


def test_fixed_samples_stay_and_the_others_move(
    graph: sparse.csr_matrix, start: np.ndarray
) -> None:
    fixed = np.arange(120) % 3 == 0
    end = run(Layout(graph, OBJECTIVE, seed=1, fixed=fixed), start, 20)
    np.testing.assert_array_equal(end[fixed], start[fixed])
    assert (end[~fixed] != start[~fixed]).any(axis=1).all()


def test_cliques_come_together_and_part(rng: np.random.Generator) -> None:
    end = run(
        Layout(cliques(2, 30), OBJECTIVE, seed=1), rng.normal(0, 1, (60, 2)).astype("f4"), 200
    )
    one, other = end[:30], end[30:]
    reach = max(np.linalg.norm(part - part.mean(axis=0), axis=1).max() for part in (one, other))
    assert np.linalg.norm(one.mean(axis=0) - other.mean(axis=0)) > 3 * reach


@pytest.mark.parametrize("strength", [0.1, 0.3, 0.75])
def test_an_edge_acts_in_proportion_to_its_strength(strength: float) -> None:
    n_pairs, n_epochs = 500, 40
    strengths = np.r_[1.0, np.full(n_pairs - 1, strength)].astype(np.float32)
    heads, tails = np.arange(n_pairs) * 2, np.arange(n_pairs) * 2 + 1
    graph = sparse.csr_matrix((strengths, (heads, tails)), (2 * n_pairs, 2 * n_pairs))
    positions = np.tile(np.array([[0.0], [1.0]], np.float32), (n_pairs, 1))
    layout = Layout(graph, Objective(A, B, negative_sample_rate=0), seed=3)
    moved = sum((layout.epoch(positions, 0.1) != positions)[heads] for _ in range(n_epochs))
    assert moved[0] == n_epochs
    n_draws = (n_pairs - 1) * n_epochs
    deviation = np.sqrt(strength * (1 - strength) / n_draws)
    assert abs(moved[1:].sum() / n_draws - strength) < 4 * deviation


def expected_step(graph: sparse.csr_matrix, z: np.ndarray, objective: Objective) -> np.ndarray:
    """Minus the gradient of the cross entropy of each sample's own edges and negative samples."""
    n_samples = len(z)

    def loss_of(head: int, here: np.ndarray) -> float:
        squared = ((here - z) ** 2).sum(axis=1)
        similarity = 1.0 / (1.0 + objective.a * squared**objective.b)
        others = np.arange(n_samples) != head
        row = graph[head].toarray().ravel() / graph.data.max()
        attraction = -(row[others] * np.log(similarity[others])).sum()
        # A sample may be its own negative sample, which then has no effect.
        repulsion = -np.log(1.0 - similarity[others]).sum() / n_samples
        weight = row.sum() * objective.negative_sample_rate * objective.repulsion_strength
        return float(attraction + weight * repulsion)

    step, wanted = 1e-5, np.zeros_like(z)
    for head, d in np.ndindex(*z.shape):
        there, back = z[head].copy(), z[head].copy()
        there[d] += step
        back[d] -= step
        wanted[head, d] = (loss_of(head, back) - loss_of(head, there)) / (2 * step)
    return wanted


@pytest.mark.parametrize(
    "objective", [Objective(A, B), Objective(1.0, 1.0, 2, 3.0), Objective(A, B, 0)]
)
def test_the_mean_step_is_down_the_gradient_of_the_cross_entropy(objective: Objective) -> None:
    rng = np.random.default_rng(11)
    n_samples = 10
    strengths = rng.random((n_samples, n_samples)) * (rng.random((n_samples, n_samples)) < 0.5)
    strengths[0, 1] = 1.0
    graph = sparse.csr_matrix(np.triu(strengths, 1) + np.triu(strengths, 1).T, dtype=np.float32)
    # On a lattice, so that no two are so close that softening and clipping would count.
    z = np.stack(np.meshgrid(np.arange(5.0), np.arange(2.0)), axis=-1).reshape(-1, 2) * 1.5
    z += rng.normal(0, 0.1, z.shape)
    layout, step = Layout(graph, objective, seed=1), 1e-3
    positions = z.astype(np.float32)
    n_epochs = 6000
    total = np.zeros_like(z)
    for _ in range(n_epochs):
        total += layout.epoch(positions, step).astype(np.float64) - positions
    found = total / (n_epochs * step)
    wanted = expected_step(graph, z, objective)
    cosine = (found * wanted).sum() / np.linalg.norm(found) / np.linalg.norm(wanted)
    assert cosine > 0.998
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(wanted), rel=0.05)


def test_samples_that_coincide_stay_finite() -> None:
    end = run(Layout(cliques(1, 20), OBJECTIVE, seed=1), np.zeros((20, 2), np.float32), 10)
    assert np.isfinite(end).all()


@pytest.mark.parametrize("reach", [1e-30, 1e4, 1e15])
def test_samples_of_any_distance_stay_finite(rng: np.random.Generator, reach: float) -> None:
    start = rng.normal(0, reach, (20, 2)).astype(np.float32)
    end = run(Layout(cliques(2, 10), OBJECTIVE, seed=1), start, 10)
    assert np.isfinite(end).all()


def test_an_extra_pull_acts_along_its_edge() -> None:
    graph = sparse.csr_matrix(np.array([[0, 1], [1, 0]], dtype=np.float32))
    positions = np.array([[0.0, 0.0], [1.0, 2.0]], dtype=np.float32)
    objective = Objective(A, B, negative_sample_rate=0)
    plain = Layout(graph, objective, 1).epoch(positions, 0.01)
    pushed = Layout(graph, objective, 1).epoch(
        positions, 0.01, density_pull=np.array([0.5, 0.0], dtype=np.float32)
    )
    np.testing.assert_allclose((pushed - plain)[0], 0.01 * 0.5 * (positions[0] - positions[1]))
    np.testing.assert_array_equal(pushed[1], plain[1])
