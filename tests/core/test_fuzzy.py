"""The fuzzy simplicial set equals umap-learn's, or its definition where umap-learn's fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy import sparse
from scipy.spatial.distance import cdist

from embedscope.core.graph._fuzzy import fuzzy_simplicial_set, smooth_distances, symmetrise

REFERENCE = np.load(Path(__file__).parent / "reference" / "fuzzy.npz")
CASES = [name for name in REFERENCE.files if name.count(":") == 2]


def neighbors(X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    distances = cdist(X, X)
    np.fill_diagonal(distances, -1.0)
    indices = np.argsort(distances, axis=1, kind="stable")[:, :k].astype(np.int32)
    nearest = np.take_along_axis(distances, indices, axis=1)
    return indices, np.maximum(nearest, 0.0).astype(np.float32)


@pytest.mark.parametrize("case", CASES)
def test_graph_is_that_of_umap_learn(case: str) -> None:
    name, local_connectivity, mix_ratio = case.split(":")
    indices, distances = REFERENCE[f"{name}:indices"], REFERENCE[f"{name}:distances"]
    graph, _, _ = fuzzy_simplicial_set(
        indices,
        distances,
        n_neighbors=indices.shape[1],
        local_connectivity=float(local_connectivity),
        set_op_mix_ratio=float(mix_ratio),
    )
    # Both stop bisecting within 1e-5 of the target, on sums of another order.
    np.testing.assert_allclose(graph.toarray(), REFERENCE[case], atol=2e-5)
    assert graph.nnz == np.count_nonzero(REFERENCE[case])


def test_bandwidths_make_strengths_add_up_to_log2_of_the_neighbors(
    rng: np.random.Generator,
) -> None:
    _, distances = neighbors(rng.normal(size=(80, 5)), 12)
    sigmas, rhos = smooth_distances(distances, 12, 1.0)
    excess = np.maximum(distances[:, 1:] - rhos[:, None], 0.0)
    total = np.exp(-excess / sigmas[:, None]).sum(axis=1)
    np.testing.assert_allclose(total, np.log2(12), atol=2e-5)
    np.testing.assert_array_equal(rhos, distances[:, 1])


def test_a_fractional_local_connectivity_interpolates_between_neighbors() -> None:
    distances = np.array([[0, 0, 2, 4, 8]], dtype=np.float32)  # the second is a duplicate

    def rho(local_connectivity: float) -> float:
        return float(smooth_distances(distances, 5, local_connectivity)[1][0])

    assert [rho(c) for c in (0, 0.5, 1, 1.5, 2, 2.25, 3)] == [0, 1, 2, 3, 4, 5, 8]
    assert rho(7) == 8  # no more than there are


def test_a_missing_neighbor_changes_nothing_but_that_it_is_missing() -> None:
    whole = np.array([[0, 1, 2, 3], [1, 0, 2, 3], [2, 1, 3, 0], [3, 2, 1, 0]], dtype=np.int32)
    distances = np.array([[0, 1, 2, 3]] * 4, dtype=np.float32)
    cut, cut_distances = whole.copy(), distances.copy()
    cut[0, 3], cut_distances[0, 3] = -1, np.inf
    graph, sigmas, rhos = fuzzy_simplicial_set(
        cut, cut_distances, n_neighbors=3, set_op_mix_ratio=0.0
    )
    _, without_it, _ = fuzzy_simplicial_set(whole[:, :3], distances[:, :3], n_neighbors=3)
    assert sigmas[0] == without_it[0]
    np.testing.assert_array_equal(rhos, 1.0)
    assert graph[0, 3] == 0.0
    assert graph[0, 1] == 1.0
    assert graph[1, 2] > 0.0


@pytest.mark.parametrize("local_connectivity", [0.5, 1.0, 1.5, 2.0, 5.0])
@pytest.mark.parametrize("n_found", [0, 1, 2])
def test_a_sample_with_few_neighbors_is_joined_to_those_it_has(
    local_connectivity: float, n_found: int
) -> None:
    indices = np.array([[0, 1, 2, 3], [1, 2, 3, 0], [2, 1, 3, 0], [3, 1, 2, 0]], dtype=np.int32)
    distances = np.array([[0, 1, 2, 3]] * 4, dtype=np.float32)
    indices[0, 1 + n_found :], distances[0, 1 + n_found :] = -1, np.inf
    graph, sigmas, rhos = fuzzy_simplicial_set(
        indices,
        distances,
        n_neighbors=4,
        local_connectivity=local_connectivity,
        set_op_mix_ratio=1.0,
    )
    assert np.isfinite(sigmas).all()
    assert np.isfinite(graph.data).all()
    assert rhos[0] == pytest.approx(min(local_connectivity, n_found))
    for rank in range(n_found):
        assert graph[0, 1 + rank] > 0.5


def test_duplicates_are_joined_with_full_strength() -> None:
    X = np.zeros((9, 2))
    X[6:] = [[5, 5], [6, 6], [7, 7]]
    graph, sigmas, rhos = fuzzy_simplicial_set(*neighbors(X, 4), n_neighbors=4)
    assert (sigmas > 0).all()
    np.testing.assert_array_equal(rhos[:6], 0.0)  # no neighbour apart from the duplicates
    np.testing.assert_array_equal(graph[0, 1:4].toarray(), 1.0)


def test_samples_that_are_all_equal_give_no_warning_and_full_strengths() -> None:
    graph, _, rhos = fuzzy_simplicial_set(*neighbors(np.ones((6, 3)), 3), n_neighbors=3)
    np.testing.assert_array_equal(graph.data, 1.0)
    np.testing.assert_array_equal(rhos, 0.0)


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_distances_of_any_magnitude_give_strengths_in_0_to_1(scale: float) -> None:
    # Five at the nearest distance exceed the target, so the bandwidth shrinks as far as it can.
    row = [0, 1, 1, 1, 1, 1, 3]
    indices = np.array([np.roll(np.arange(7), -i) for i in range(7)], dtype=np.int32)
    distances = np.array([row] * 7, dtype=np.float32) * np.float32(scale)
    graph, _, _ = fuzzy_simplicial_set(indices, distances, n_neighbors=7)
    assert graph.data.min() > 0.0
    assert graph.data.max() == 1.0


def test_union_and_intersection_of_two_directions() -> None:
    directed = sparse.csr_matrix(np.array([[0, 0.5, 0], [0.2, 0, 0], [1.0, 0, 0]], np.float32))
    union = symmetrise(directed).toarray()
    both = symmetrise(directed, 0.0).toarray()
    mixed = symmetrise(directed, 0.25).toarray()
    assert union[0, 1] == pytest.approx(0.5 + 0.2 - 0.1)
    assert union[0, 2] == 1.0
    assert both[0, 1] == pytest.approx(0.1)
    assert both[0, 2] == 0.0
    assert mixed[0, 1] == pytest.approx(0.25 * 0.6 + 0.75 * 0.1)


def unlike_rows(n: int, n_features: int) -> st.SearchStrategy[np.ndarray]:
    """Small whole numbers, so that duplicates and equal distances are common."""
    return npst.arrays(np.int8, (n, n_features), elements=st.integers(-3, 3))


@settings(max_examples=100, deadline=None)
@given(
    X=st.integers(6, 30).flatmap(lambda n: unlike_rows(n, 2)),
    k=st.integers(2, 6),
    local_connectivity=st.floats(0, 4),
    mix_ratio=st.floats(0, 1),
    missing=st.integers(0, 3),
)
def test_any_graph_is_symmetric_within_0_to_1_and_without_loops(
    X: np.ndarray, k: int, local_connectivity: float, mix_ratio: float, missing: int
) -> None:
    indices, distances = neighbors(X.astype(float), k)
    indices[:missing, k // 2 + 1 :], distances[:missing, k // 2 + 1 :] = -1, np.inf
    graph, sigmas, rhos = fuzzy_simplicial_set(
        indices,
        distances,
        n_neighbors=k,
        local_connectivity=local_connectivity,
        set_op_mix_ratio=mix_ratio,
    )
    assert graph.dtype == sigmas.dtype == rhos.dtype == np.float32
    assert np.isfinite(sigmas).all()
    assert (rhos >= 0).all()
    assert not graph.diagonal().any()
    assert (graph.data > 0).all()
    assert graph.nnz == 0 or graph.data.max() <= 1.0 + 1e-6
    assert abs(graph - graph.T).max() <= 1e-6
    neighbor_pairs = {(i, j) for i, row in enumerate(indices) for j in row if j >= 0}
    edges = set(zip(*graph.nonzero(), strict=True))
    assert edges <= neighbor_pairs | {(j, i) for i, j in neighbor_pairs}


@settings(max_examples=50, deadline=None)
@given(X=st.integers(8, 20).flatmap(lambda n: unlike_rows(n, 3)), seed=st.integers(0, 99))
def test_the_order_of_samples_and_the_unit_of_distance_do_not_matter(
    X: np.ndarray, seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(X))
    place = np.argsort(order)
    indices, distances = neighbors(X.astype(float), 5)
    graph, _, _ = fuzzy_simplicial_set(indices, distances, n_neighbors=5)
    shuffled, _, _ = fuzzy_simplicial_set(
        place[indices[order]], 8 * distances[order], n_neighbors=5
    )
    np.testing.assert_allclose(shuffled.toarray(), graph.toarray()[order][:, order], atol=1e-4)
