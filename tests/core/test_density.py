"""densMAP's term: the right radii, the right gradient, and maps that keep density."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from embedscope.core.graph._distances import NeighborSearch
from embedscope.core.graph._fuzzy import fuzzy_simplicial_set
from embedscope.core.graph._neighbors import nearest_neighbors
from embedscope.core.layout._curve import fit_curve
from embedscope.core.layout._density import (
    DensityTerm,
    edge_lengths,
    log_radii,
    standardised,
    without_distance,
)
from embedscope.core.layout._layout import Layout, Objective

OBJECTIVE = Objective(*fit_curve(0.1, 1.0))


def graph_of(X: np.ndarray, k: int) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    indices, distances = nearest_neighbors(X.astype(np.float32), NeighborSearch(k))
    return fuzzy_simplicial_set(indices, distances, n_neighbors=k)[0], indices, distances


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_edge_lengths_are_distances_in_the_data(rng: np.random.Generator, scale: float) -> None:
    X = rng.normal(size=(60, 4)).astype(np.float32) * np.float32(scale)
    X[:5] = X[0]
    graph, indices, distances = graph_of(X, 8)
    edges = graph.tocoo()
    wanted = np.linalg.norm(X[edges.row].astype(float) - X[edges.col], axis=1)
    found = edge_lengths(graph, indices, distances)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7 * scale)


def test_an_edge_that_no_neighbor_list_holds_has_no_length() -> None:
    graph = sparse.csr_matrix(np.ones((3, 3), np.float32) - np.eye(3, dtype=np.float32))
    indices = np.array([[0, 1], [1, 0], [2, -1]])
    distances = np.array([[0.0, 2.0], [0.0, 2.0], [0.0, np.inf]], dtype=np.float32)
    found = edge_lengths(graph, indices, distances)
    np.testing.assert_array_equal(found, [2, np.nan, 2, np.nan, np.nan, np.nan])
    radii = log_radii(graph, found**2)
    np.testing.assert_allclose(radii, np.log(4.0))  # the third takes the mean of the others


def test_log_radii_by_hand() -> None:
    strengths = np.array([[0, 1, 0.5], [1, 0, 0], [0.5, 0, 0]], dtype=np.float32)
    graph = sparse.csr_matrix(strengths)
    squared = np.array([4.0, 16.0, 4.0, 16.0])
    wanted = np.log([(1 * 4 + 0.5 * 16) / 1.5, 4.0, 16.0])
    np.testing.assert_allclose(log_radii(graph, squared), wanted, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_the_unit_of_the_data_does_not_matter(rng: np.random.Generator, scale: float) -> None:
    graph, indices, distances = graph_of(rng.normal(size=(50, 3)), 6)
    lengths = edge_lengths(graph, indices, distances)
    of_scaled = standardised(log_radii(graph, (scale * lengths) ** 2))
    np.testing.assert_allclose(of_scaled, standardised(log_radii(graph, lengths**2)), atol=1e-6)


def test_standardised_values() -> None:
    values = standardised(np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(values, [-np.sqrt(1.5), 0, np.sqrt(1.5)])
    np.testing.assert_array_equal(standardised(np.full(3, 7.0)), 0.0)


def correlation(
    graph: sparse.csr_matrix, positions: np.ndarray, term: DensityTerm, objective: Objective
) -> float:
    """The term as Narayan, Berger and Cho write it, in float64."""
    edges = graph.tocoo()
    squared = ((positions[edges.row] - positions[edges.col]) ** 2).sum(axis=1)
    closeness = 1.0 / (1.0 + objective.a * squared**objective.b)
    n_samples = graph.shape[0]
    total = np.bincount(edges.row, closeness, n_samples)
    radii = np.log(1e-8 + np.bincount(edges.row, closeness * squared, n_samples) / total)
    covariance = np.mean(term.radii * (radii - radii.mean()))
    return float(covariance / np.sqrt(radii.var() + term.variance_shift))


def test_pull_is_the_gradient_of_the_correlation(rng: np.random.Generator) -> None:
    graph, _, _ = graph_of(rng.normal(size=(25, 3)), 5)
    positions = rng.normal(size=(25, 2))
    term = DensityTerm(standardised(rng.normal(size=25)), weight=1.7)
    pull = term.pull(graph, positions, OBJECTIVE).astype(np.float64)
    # Every sampled edge pulls its head; it is sampled in proportion to its strength.
    edges = graph.tocoo()
    each = (pull * graph.data)[:, None] * (positions[edges.row] - positions[edges.col])
    force = np.stack([np.bincount(edges.row, each[:, d], 25) for d in range(2)], axis=1)
    found = 2.0 * force / (term.weight * graph.data.sum(dtype=np.float64))

    step = 1e-5
    wanted = np.zeros_like(positions)
    for place in np.ndindex(*positions.shape):
        there, back = positions.copy(), positions.copy()
        there[place] += step
        back[place] -= step
        rise = correlation(graph, there, term, OBJECTIVE) - correlation(
            graph, back, term, OBJECTIVE
        )
        wanted[place] = rise / (2 * step)
    np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


def test_pull_is_finite_where_all_samples_coincide(rng: np.random.Generator) -> None:
    graph, _, _ = graph_of(rng.normal(size=(20, 3)), 5)
    term = DensityTerm(standardised(rng.normal(size=20)))
    assert np.isfinite(term.pull(graph, np.zeros((20, 2), np.float32), OBJECTIVE)).all()


def test_pull_is_finite_along_edges_of_almost_no_strength(rng: np.random.Generator) -> None:
    graph, _, _ = graph_of(rng.normal(size=(20, 3)), 5)
    graph = graph.astype(np.float32)
    graph.data[::3] = 1e-42
    positions = rng.normal(size=(20, 2)).astype(np.float32)
    term = DensityTerm(standardised(rng.normal(size=20)))
    assert np.isfinite(term.pull(graph, positions, OBJECTIVE)).all()


def test_pull_is_finite_with_a_sample_that_has_no_edge(rng: np.random.Generator) -> None:
    strengths = np.zeros((12, 12), np.float32)
    strengths[:10, :10] = 0.5 - 0.5 * np.eye(10, dtype=np.float32)
    graph = sparse.csr_matrix(strengths)
    positions = rng.normal(size=(12, 2))
    pull = DensityTerm(standardised(rng.normal(size=12))).pull(graph, positions, OBJECTIVE)
    assert np.isfinite(pull).all()
    assert np.abs(pull).max() > 0


def test_samples_without_a_distance_between_them_are_not_pushed_apart(
    rng: np.random.Generator,
) -> None:
    graph, _, _ = graph_of(rng.normal(size=(20, 3)), 5)
    positions = rng.normal(size=(20, 2))
    radii = standardised(rng.normal(size=20))
    free = DensityTerm(radii).pull(graph, positions, OBJECTIVE)
    lengths = rng.uniform(0.5, 2.0, graph.nnz)
    lengths[::3] = 0.0
    lengths[1::3] *= 1e-8  # rounding
    lengths[5] = np.nan
    together = without_distance(lengths)
    np.testing.assert_array_equal(together, lengths < 1e-3)
    held = DensityTerm(radii, together=together).pull(graph, positions, OBJECTIVE)
    np.testing.assert_array_equal(held, np.where(together, np.minimum(free, 0.0), free))
    assert (free[together] > 0.0).any()


def test_the_term_acts_in_the_last_epochs() -> None:
    term = DensityTerm(np.zeros(3), fraction=0.3)
    assert [term.acts_at(progress) for progress in (0.0, 0.69, 0.71, 1.0)] == [0, 0, 1, 1]
    assert DensityTerm(np.zeros(3), fraction=1.0).acts_at(0.0)


def test_maps_with_the_term_keep_which_regions_are_dense(rng: np.random.Generator) -> None:
    dense, loose = rng.normal(0, 0.2, (100, 5)), rng.normal(8, 2.0, (100, 5))
    graph, indices, distances = graph_of(np.vstack([dense, loose]), 10)
    lengths = edge_lengths(graph, indices, distances)
    term = DensityTerm(standardised(log_radii(graph, lengths**2)))
    start = rng.normal(0, 3, (200, 2)).astype(np.float32)

    def lay_out(density: DensityTerm | None) -> np.ndarray:
        layout, positions, n_epochs = Layout(graph, OBJECTIVE, seed=1), start, 150
        for epoch in range(n_epochs):
            pull = None
            if density is not None and density.acts_at(epoch / n_epochs):
                pull = density.pull(graph, positions, OBJECTIVE)
            positions = layout.epoch(positions, 1.0 - epoch / n_epochs, pull)
        return positions.astype(np.float64)

    plain, dens = (correlation(graph, lay_out(t), term, OBJECTIVE) for t in (None, term))
    assert dens > 0.6
    assert dens > plain + 0.2
    positions = lay_out(term)
    extent = [np.linalg.norm(positions[s].std(axis=0)) for s in (slice(100), slice(100, None))]
    assert extent[1] > 1.5 * extent[0]
