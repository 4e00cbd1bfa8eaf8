"""Each search finds the neighbours that SciPy finds by all pairs, and names a failing metric."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist

from embedscope._errors import InvalidInputError
from embedscope.core.arrays import _rows
from embedscope.core.graph import _neighbors
from embedscope.core.graph._distances import NeighborSearch, check_metric
from embedscope.core.graph._neighbors import nearest_neighbors

K = 9


def assert_nearest(X: Any, metric: Any, pairs: np.ndarray, **kwds: Any) -> None:
    """Each row itself first, then others at the smallest of all distances, which `pairs` holds."""
    indices, distances = nearest_neighbors(X, NeighborSearch(K, metric, kwds))
    n_samples = X.shape[0]
    np.testing.assert_array_equal(indices[:, 0], np.arange(n_samples))
    assert all(len(set(row)) == K for row in indices.tolist())
    own_distances = np.take_along_axis(pairs, indices, axis=1)
    np.testing.assert_allclose(distances, own_distances, rtol=1e-4, atol=1e-6)
    nearest = np.sort(pairs, axis=1)[:, :K]
    np.testing.assert_allclose(distances, nearest, rtol=1e-4, atol=1e-6)
    assert indices.dtype == np.int32
    assert distances.dtype == np.float32


@pytest.fixture
def X(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(520, 5)).astype(np.float32)  # more than one block of 512


@pytest.mark.parametrize(
    ("metric", "kwds"),
    [
        ("euclidean", {}),
        ("sqeuclidean", {}),
        ("cosine", {}),
        ("correlation", {}),
        ("cityblock", {}),
        ("chebyshev", {}),
        ("canberra", {}),
        ("braycurtis", {}),
        ("hamming", {}),
        ("minkowski", {"p": 3}),
        ("minkowski", {"p": 1.5, "w": np.array([1.0, 2.0, 0.5, 1.0, 3.0])}),
        ("seuclidean", {"V": np.array([1.0, 2.0, 0.5, 1.0, 3.0])}),
    ],
)
def test_metrics_of_numbers(X: np.ndarray, metric: str, kwds: dict[str, Any]) -> None:
    if metric in ("canberra", "braycurtis"):
        X = np.abs(X)
    if metric == "hamming":
        X = np.round(X)
    assert_nearest(X, metric, cdist(X.astype(float), X.astype(float), metric, **kwds), **kwds)


@pytest.mark.parametrize("metric", ["seuclidean", "mahalanobis"])
def test_arguments_of_a_metric_are_estimated_from_the_data(X: np.ndarray, metric: str) -> None:
    X = X * np.array([1, 10, 100, 1, 1], np.float32)
    exact = X.astype(float)
    known = {"V": exact.var(axis=0, ddof=1), "VI": np.linalg.inv(np.cov(exact.T))}
    argument = "V" if metric == "seuclidean" else "VI"
    assert_nearest(X, metric, cdist(exact, exact, metric, **{argument: known[argument]}))


def test_the_true_angle_is_0_for_rows_of_one_direction(X: np.ndarray) -> None:
    """With pynndescent 0.7.0 it is 1, and 0 for opposite ones."""
    cosines = 1.0 - cdist(X.astype(float), X.astype(float), "cosine")
    angles = np.arccos(np.clip(cosines, -1.0, 1.0)) / np.pi
    np.fill_diagonal(angles, 0.0)
    assert_nearest(X, "true_angular", angles)
    assert_nearest(X * 1e-20, "true_angular", angles)


def test_the_true_angle_of_sparse_rows(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rows, "_DENSE_VALUES", 0)
    dense = np.where(rng.random((300, 30)) < 0.3, rng.random((300, 30)), 0).astype(np.float32)
    dense[:, 0] = 1
    angles = np.arccos(np.clip(1.0 - cdist(dense, dense, "cosine"), -1.0, 1.0)) / np.pi
    indices, distances = nearest_neighbors(
        sparse.csr_matrix(dense), NeighborSearch(K, "true_angular")
    )
    expected = np.take_along_axis(angles, indices, axis=1)
    np.testing.assert_allclose(distances[:, 1:], expected[:, 1:], rtol=1e-3)
    np.testing.assert_allclose(distances, np.sort(angles, axis=1)[:, :K], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("metric", ["dot", "direct_cosine"])
def test_products_of_unit_rows_are_cosine_distances(X: np.ndarray, metric: str) -> None:
    assert_nearest(X, metric, cdist(X.astype(float), X.astype(float), "cosine"))


WEIGHTS = np.array([1.0, 2.0, 0.5, 1.0, 3.0])


@pytest.mark.parametrize(
    ("name", "kwds", "metric", "same_kwds"),
    [
        ("wminkowski", {"p": 3, "w": WEIGHTS}, "minkowski", {"p": 3, "w": WEIGHTS}),
        ("weighted_minkowski", {"w": WEIGHTS}, "minkowski", {"p": 2, "w": WEIGHTS}),
        ("standardised_euclidean", {"sigma": WEIGHTS}, "seuclidean", {"V": WEIGHTS}),
        ("mahalanobis", {"vinv": np.diag(WEIGHTS)}, "mahalanobis", {"VI": np.diag(WEIGHTS)}),
    ],
)
def test_arguments_count_by_name(
    X: np.ndarray, name: str, kwds: dict[str, Any], metric: str, same_kwds: dict[str, Any]
) -> None:
    exact = X.astype(float)
    assert_nearest(X, name, cdist(exact, exact, metric, **same_kwds), **kwds)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "kwds", "metric"),
    [
        ("minkowski", {"p": 3, "w": WEIGHTS}, "minkowski"),
        ("seuclidean", {"V": WEIGHTS}, "seuclidean"),
        ("mahalanobis", {"VI": np.diag(WEIGHTS)}, "mahalanobis"),
    ],
)
def test_arguments_count_by_name_where_pynndescent_searches(
    X: np.ndarray,
    name: str,
    kwds: dict[str, Any],
    metric: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_neighbors, "_SCIKIT_LEARN_WORK", 0)
    exact = X.astype(float)
    pairs = cdist(exact, exact, metric, **kwds)
    indices, distances = nearest_neighbors(X, NeighborSearch(K, name, kwds))
    np.testing.assert_allclose(distances, np.take_along_axis(pairs, indices, axis=1), atol=1e-4)
    found = np.isclose(distances, np.sort(pairs, axis=1)[:, :K], atol=1e-4)
    assert found.mean() > 0.98


@pytest.mark.parametrize(
    ("alias", "metric"),
    [("l1", "cityblock"), ("l2", "euclidean"), ("manhattan", "cityblock"), ("nan_euclidean", None)],
)
def test_other_names_of_metrics(X: np.ndarray, alias: str, metric: str | None) -> None:
    assert_nearest(X, alias, cdist(X.astype(float), X.astype(float), metric or "euclidean"))


@pytest.mark.parametrize("metric", ["jaccard", "dice", "rogerstanimoto", "russellrao", "yule"])
def test_boolean_metrics_take_numbers_without_a_warning(
    rng: np.random.Generator, metric: str
) -> None:
    present = rng.random((600, 12)) < 0.4
    present[:, 0] = True  # no row without any
    pairs = cdist(present, present, metric)
    if metric == "russellrao":
        np.fill_diagonal(pairs, 0.0)  # a sample's distance to itself, for any metric
    assert_nearest(present.astype(np.float32) * 3, metric, pairs)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
def test_rows_without_direction_are_alike_and_far_from_all_others(
    X: np.ndarray, metric: str
) -> None:
    X[:3] = 0.0
    X[3] = 0.1 if metric == "correlation" else 0.0  # constant: no direction after centring
    pairs = np.ones((520, 520))
    pairs[4:, 4:] = cdist(X[4:].astype(float), X[4:].astype(float), metric)
    pairs[:4, :4] = 0.0
    assert_nearest(X, metric, pairs)


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_angles_do_not_depend_on_lengths(X: np.ndarray, metric: str, scale: float) -> None:
    pairs = cdist(X.astype(float), X.astype(float), metric)
    assert_nearest(X * np.float32(scale), metric, pairs)


def weighted_difference(x: np.ndarray, y: np.ndarray, weight: float = 1.0, p: float = 1.0) -> float:
    return float(np.sum(np.abs(x - y) ** p) * weight)


def test_a_function_of_two_vectors(X: np.ndarray) -> None:
    assert_nearest(X, weighted_difference, cdist(X.astype(float), X.astype(float), "cityblock"))


def test_a_function_with_arguments(X: np.ndarray) -> None:
    pairs = 2 * cdist(X.astype(float), X.astype(float), "sqeuclidean")
    assert_nearest(X, weighted_difference, pairs, weight=2.0, p=2.0)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan", "hamming", "jaccard"])
def test_sparse_data_as_dense_ones(rng: np.random.Generator, metric: str) -> None:
    dense = np.where(rng.random((600, 30)) < 0.2, rng.integers(1, 4, (600, 30)), 0)
    dense[:, 0] = 1
    same_as = (dense != 0) if metric == "jaccard" else dense.astype(float)
    pairs = cdist(same_as, same_as, "cityblock" if metric == "manhattan" else metric)
    assert_nearest(sparse.csr_matrix(dense.astype(np.float32)), metric, pairs)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_sparse_data_that_are_too_wide_to_be_dense(
    rng: np.random.Generator, metric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_rows, "_DENSE_VALUES", 0)
    dense = np.where(rng.random((600, 30)) < 0.2, rng.random((600, 30)), 0).astype(np.float32)
    dense[:, 0] = 1
    pairs = cdist(dense, dense, "cityblock" if metric == "manhattan" else metric)
    assert_nearest(sparse.csr_matrix(dense), metric, pairs)


def test_a_distance_that_is_not_a_number_is_no_neighbor(X: np.ndarray) -> None:
    def undefined_for_the_first(x: np.ndarray, y: np.ndarray) -> float:
        is_undefined = (x[0] == X[0, 0]) != (y[0] == X[0, 0])
        return np.nan if is_undefined else float(np.abs(x - y).sum())

    search = NeighborSearch(K, undefined_for_the_first)
    indices, distances = nearest_neighbors(X, search)
    np.testing.assert_array_equal(indices[0], [0] + [-1] * (K - 1))
    np.testing.assert_array_equal(distances[0], [0] + [np.inf] * (K - 1))
    assert (indices[1:] > 0).all()
    assert np.isfinite(distances[1:]).all()


def test_more_duplicates_than_neighbors_leave_each_sample_first() -> None:
    X = np.zeros((40, 3), dtype=np.float32)
    indices, distances = nearest_neighbors(X, NeighborSearch(5, "manhattan"))
    np.testing.assert_array_equal(indices[:, 0], np.arange(40))
    assert all(len(set(row)) == 5 for row in indices.tolist())
    assert not distances.any()


@pytest.mark.parametrize("metric", ["precomputed", "no such metric", ""])
def test_an_unknown_metric_is_named(metric: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^target_metric must be .* got '.*'\. Choose"):
        check_metric(metric, "target_metric")


@pytest.mark.parametrize("metric", ["inner_product", "bit_hamming", "bit_jaccard"])
def test_what_is_no_distance_of_numbers_is_refused(metric: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"^metric must be .* got '{metric}', which .*'"):
        check_metric(metric)


@pytest.mark.parametrize(
    ("metric", "kwds", "says"),
    [
        ("kantorovich", {}, r"must have metric_kwds=.*got no 'cost'\. .*'wasserstein_1d'"),
        ("sinkhorn", {"regularization": 2.0}, "got no 'cost'"),
        ("kantorovich", {"cost": np.ones((5, 4))}, r"must have shape \(5, 5\).*got shape \(5, 4\)"),
        ("seuclidean", {"V": np.ones(4)}, r"shape \(5,\).*Leave 'V' out"),
        ("mahalanobis", {"vinv": np.eye(6)}, r"shape \(5, 5\).*Leave 'VI' out"),
        ("minkowski", {"w": 1.0}, r"shape \(5,\), for data of 5 features; got shape \(\)\.$"),
        ("hellinger", {}, "must not be negative; got -"),
        ("jensen_shannon", {}, "must not be negative; got -"),
        ("wasserstein_1d", {}, "must not be negative; got -"),
    ],
)
def test_arguments_and_data_that_a_metric_cannot_take(
    X: np.ndarray, metric: str, kwds: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says):
        nearest_neighbors(X, NeighborSearch(K, metric, kwds))
    with pytest.raises(InvalidInputError, match=says):
        nearest_neighbors(sparse.csr_matrix(X), NeighborSearch(K, metric, kwds))


@pytest.mark.long  # two minutes to compile it
def test_the_cost_of_moving_between_features_is_used(rng: np.random.Generator) -> None:
    """Between features in a line, the transport distance is the area between the running sums."""
    shares = rng.dirichlet(np.ones(5), 40).astype(np.float32)
    line = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))
    sums = np.cumsum(shares.astype(float), axis=1)
    assert_nearest(shares, "kantorovich", cdist(sums, sums, "cityblock"), cost=line)


def test_every_metric_of_scikit_learn_can_be_searched_at_any_size() -> None:
    from pynndescent.distances import named_distances
    from sklearn.neighbors import VALID_METRICS

    names = set(VALID_METRICS["brute"]) - {"precomputed"}
    assert {NeighborSearch(K, name).canonical_metric for name in names} <= set(named_distances)


def fails(x: np.ndarray, y: np.ndarray) -> float:
    raise KeyError("no such gene")


@pytest.mark.parametrize(
    ("metric", "kwds", "reason"),
    [
        ("haversine", {}, "2 dimensions"),
        ("manhattan", {"nonsense": 1}, "failed with"),
        (fails, {}, "KeyError: 'no such gene'"),
        (lambda x, y: "far", {}, "ValueError"),
    ],
)
def test_a_metric_that_fails_says_why(
    X: np.ndarray, metric: Any, kwds: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=rf"^metric must work on .*{reason}.* Check the"):
        nearest_neighbors(X, NeighborSearch(K, metric, kwds))


def test_a_covariance_without_inverse_is_the_metrics_failure(X: np.ndarray) -> None:
    X[:, 1] = 0.0
    with pytest.raises(InvalidInputError, match=r"'mahalanobis'.*LinAlgError: Singular matrix"):
        nearest_neighbors(X, NeighborSearch(K, "mahalanobis"))


class Stop(Exception):
    """Raised by a progress hook; no search may take it for a failure of the metric."""


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan", weighted_difference])
def test_a_report_tells_the_fraction_and_may_stop(
    X: np.ndarray, metric: str | Callable[..., float]
) -> None:
    told: list[float] = []
    nearest_neighbors(X, NeighborSearch(K, metric), told.append)
    assert told == sorted(told)
    assert len(told) == 2  # blocks
    assert told[-1] == 1.0

    def stop(fraction: float) -> None:
        raise Stop

    with pytest.raises(Stop):
        nearest_neighbors(X, NeighborSearch(K, metric), stop)
