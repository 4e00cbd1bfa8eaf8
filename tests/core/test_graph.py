"""The weighted graph from searched or given neighbours, with supervision, and its errors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist

from embedscope._errors import InvalidInputError
from embedscope.core.arrays._rows import Rows, as_rows
from embedscope.core.graph._distances import NeighborSearch
from embedscope.core.graph._fuzzy import fuzzy_simplicial_set
from embedscope.core.graph._graph import GraphOptions, build_graph
from embedscope.core.graph._targets import check_targets, intersect_graphs, intersect_labels

OPTIONS = GraphOptions(NeighborSearch(6))


@pytest.fixture
def rows(rng: np.random.Generator) -> Rows:
    return as_rows(rng.normal(size=(80, 4)))


@pytest.fixture
def plain(rows: Rows) -> sparse.csr_matrix:
    return build_graph(rows, None, OPTIONS).strengths


def assert_same(graph: sparse.csr_matrix, other: sparse.csr_matrix) -> None:
    np.testing.assert_allclose(graph.toarray(), other.toarray(), atol=1e-4)


def test_a_graph_is_the_fuzzy_set_of_its_neighbors(rows: Rows) -> None:
    options = replace(OPTIONS, local_connectivity=1.5, set_op_mix_ratio=0.4)
    graph = build_graph(rows, None, options)
    pairs = cdist(rows.flat, rows.flat)
    np.testing.assert_allclose(graph.distances, np.sort(pairs, axis=1)[:, :6], rtol=1e-4, atol=1e-6)
    wanted, _, _ = fuzzy_simplicial_set(
        graph.indices,
        graph.distances,
        n_neighbors=6,
        local_connectivity=1.5,
        set_op_mix_ratio=0.4,
    )
    assert_same(graph.strengths, wanted)


def test_neighbors_and_distances_of_the_users_give_the_graph_of_a_search(
    rows: Rows, plain: sparse.csr_matrix
) -> None:
    pairs = cdist(rows.flat, rows.flat)
    indices = np.argsort(pairs, axis=1)[:, :9]
    knn = (indices, np.take_along_axis(pairs, indices, axis=1))
    other = as_rows(np.ones((80, 2)))  # the given neighbours are used, not the samples
    assert_same(build_graph(other, None, OPTIONS, precomputed_knn=knn).strengths, plain)
    by_distances = build_graph(other, None, OPTIONS, precomputed_distances=pairs)
    assert_same(by_distances.strengths, plain)
    by_known = build_graph(other, None, OPTIONS, precomputed_distances=sparse.csr_matrix(pairs))
    assert_same(by_known.strengths, plain)


@pytest.mark.parametrize(
    "names",
    [np.array(["G1", "S", "G2"]), np.array([3, 5, 7]), np.array([0.5, 1.5, 9.0]), [True, False]],
    ids=["text", "whole", "real", "boolean"],
)
def test_labels_of_any_kind_are_classes(
    rows: Rows, plain: sparse.csr_matrix, names: Any, rng: np.random.Generator
) -> None:
    classes = rng.integers(len(names), size=80)
    labels = check_targets(np.asarray(names)[classes], 80, categorical=True)
    found = build_graph(rows, labels, OPTIONS).strengths
    assert_same(found, intersect_labels(plain, classes, 0.5))
    assert abs(found - plain).max() > 0.1


def test_minus_one_is_an_unknown_label(
    rows: Rows, plain: sparse.csr_matrix, rng: np.random.Generator
) -> None:
    classes = rng.integers(3, size=80)
    labels = np.where(rng.random(80) < 0.5, -1.0, classes * 10.0)
    targets = check_targets(labels, 80, categorical=True)
    found = build_graph(rows, targets, replace(OPTIONS, target_weight=0.8)).strengths
    assert_same(found, intersect_labels(plain, np.where(labels < 0, -1, classes), 0.8))
    assert_same(build_graph(rows, np.full(80, -1), OPTIONS).strengths, plain)


@pytest.mark.parametrize("n_targets", [1, 2])
def test_numeric_targets_have_neighbors_of_their_own(
    rows: Rows, plain: sparse.csr_matrix, rng: np.random.Generator, n_targets: int
) -> None:
    targets = rng.normal(size=(80, n_targets))
    options = replace(OPTIONS, target_metric="manhattan", target_weight=0.3, target_n_neighbors=9)
    found = build_graph(rows, targets.squeeze(), options).strengths
    pairs = cdist(targets, targets, "cityblock")
    indices = np.argsort(pairs, axis=1)[:, :9]
    distances = np.take_along_axis(pairs, indices, axis=1)
    of_targets, _, _ = fuzzy_simplicial_set(indices, distances, n_neighbors=9)
    assert_same(found, intersect_graphs(plain, of_targets, 0.3))


def test_a_constant_target_changes_nothing(rows: Rows, plain: sparse.csr_matrix) -> None:
    options = replace(OPTIONS, target_metric="euclidean")
    assert_same(build_graph(rows, np.full(80, 3.5), options).strengths, plain)


def test_a_class_of_its_own_for_every_sample_is_refused_at_full_weight(rows: Rows) -> None:
    with pytest.raises(InvalidInputError, match=r"^y must .*got a class of its own for every"):
        build_graph(rows, np.arange(80), replace(OPTIONS, target_weight=1.0))


def test_samples_without_any_neighbor_are_refused(rows: Rows) -> None:
    apart = np.full((80, 80), np.inf)
    with pytest.raises(InvalidInputError, match=r"^X must have neighbours at finite distance"):
        build_graph(rows, None, OPTIONS, precomputed_distances=apart)


def test_an_unknown_target_metric_is_refused(rows: Rows) -> None:
    options = replace(OPTIONS, target_metric="no such metric")
    with pytest.raises(InvalidInputError, match="'no such metric'"):
        build_graph(rows, np.arange(80.0), options)


class Stop(Exception):
    pass


def test_progress_rises_to_one_and_can_stop_the_search_among_targets(rows: Rows) -> None:
    options = replace(OPTIONS, target_metric="euclidean")
    told: list[float] = []
    build_graph(rows, np.arange(80.0), options, report=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert told[0] < 1.0

    remaining = iter(told[:2])  # the search among the samples reports once

    def stop_at_third(fraction: float) -> None:
        if next(remaining, None) is None:
            raise Stop

    with pytest.raises(Stop):
        build_graph(rows, np.arange(80.0), options, report=stop_at_third)
