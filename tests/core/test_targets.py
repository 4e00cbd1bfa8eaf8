"""Labels and numeric targets change the graph as in umap-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy import sparse

from embedscope.core.graph._fuzzy import fuzzy_simplicial_set
from embedscope.core.graph._targets import intersect_graphs, intersect_labels

REFERENCE = np.load(Path(__file__).parent / "reference" / "supervised.npz")
WEIGHTS = [0.0, 0.3, 0.5, 0.9, 1.0]


def reference_graph(of: str = "") -> sparse.csr_matrix:
    indices, distances = REFERENCE[f"{of}indices"], REFERENCE[f"{of}distances"]
    return fuzzy_simplicial_set(indices, distances, n_neighbors=indices.shape[1])[0]


@pytest.mark.parametrize("weight", WEIGHTS)
def test_labels_weigh_as_in_umap_learn(weight: float) -> None:
    found = intersect_labels(reference_graph(), REFERENCE["labels"], weight)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.toarray(), REFERENCE[f"labels:{weight}"], atol=2e-5)


@pytest.mark.parametrize("weight", WEIGHTS)
def test_numeric_targets_weigh_as_in_umap_learn(weight: float) -> None:
    found = intersect_graphs(reference_graph(), reference_graph("target_"), weight)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.toarray(), REFERENCE[f"targets:{weight}"], atol=2e-5)


def test_labels_that_are_all_unknown_leave_the_graph_as_it_is() -> None:
    graph = reference_graph()
    found = intersect_labels(graph, np.full(graph.shape[0], -1), 0.5)
    assert (found != graph).nnz == 0


def test_full_weight_cuts_every_edge_between_classes() -> None:
    graph = reference_graph()
    labels = np.arange(graph.shape[0]) % 2
    edges = intersect_labels(graph, labels, 1.0).tocoo()
    assert edges.nnz > 0
    np.testing.assert_array_equal(labels[edges.row], labels[edges.col])


def test_a_sample_cut_off_from_all_others_raises_no_warning() -> None:
    graph = reference_graph()
    labels = np.zeros(graph.shape[0], dtype=int)
    labels[5] = 1  # alone in its class
    found = intersect_labels(graph, labels, 1.0)
    assert found[5].nnz == 0
    assert np.isfinite(found.data).all()


@pytest.mark.parametrize(("weight", "keeps"), [(0.97, True), (0.996, True), (0.99999, False)])
def test_a_sample_alone_in_its_class_keeps_its_edges_as_long_as_they_are_numbers(
    weight: float, keeps: bool
) -> None:
    graph = reference_graph()
    labels = np.zeros(graph.shape[0], dtype=int)
    labels[5] = 1
    found = intersect_labels(graph, labels, weight)
    assert found[5].nnz == (graph[5].nnz if keeps else 0)
    assert np.isfinite(found.data).all()


@pytest.mark.parametrize(
    ("labels", "weakening"),
    [([0, 0, 1, 1], np.exp(-2.5 / (1 - 0.75))), ([0, 0, -1, -1], np.exp(-1.0))],
)
def test_strength_of_an_edge_by_hand(labels: list[int], weakening: float) -> None:
    alike = np.float32(0.5) * (np.ones((4, 4), np.float32) - np.eye(4, dtype=np.float32))
    found = intersect_labels(sparse.csr_matrix(alike), np.array(labels), 0.75).toarray()
    # Within a class at full strength again, across weakened, in both views; then their union.
    across = 2 * weakening - weakening**2
    assert found[0, 1] == pytest.approx(1.0)
    assert found[0, 2] == pytest.approx(across if labels[2] == 1 else 1.0)


@settings(max_examples=60, deadline=None)
@given(
    labels=npst.arrays(np.int64, 60, elements=st.integers(-1, 3)),
    weight=st.floats(0, 1),
    numeric=st.booleans(),
)
def test_any_supervised_graph_is_symmetric_within_0_to_1(
    labels: np.ndarray, weight: float, numeric: bool
) -> None:
    graph = reference_graph()
    if numeric:
        found = intersect_graphs(graph, reference_graph("target_"), weight)
    else:
        found = intersect_labels(graph, labels, weight)
        # No edge appears that the data do not have.
        assert set(zip(*found.nonzero(), strict=True)) <= set(zip(*graph.nonzero(), strict=True))
    assert abs(found - found.T).max() <= 1e-6
    assert found.nnz == 0 or 0 < found.data.min() <= found.data.max() <= 1.0 + 1e-6
    assert not found.diagonal().any()
