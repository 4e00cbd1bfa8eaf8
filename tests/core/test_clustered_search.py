"""The search in cells finds nearly what a search of all pairs finds, at exact distances."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.spatial.distance import cdist

from embedscope.core.graph import _clustered_search, _neighbors
from embedscope.core.graph._cells import Cells
from embedscope.core.graph._clustered_search import clustered_neighbors, is_flat
from embedscope.core.graph._distances import NeighborSearch
from embedscope.core.graph._joining import holders_of, improve
from embedscope.core.graph._neighbors import nearest_neighbors


def search(X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    return clustered_neighbors(np.asarray(X, np.float32), k, lambda fraction: None)


def recall(X: np.ndarray, k: int) -> float:
    """Share of the nearest neighbours found; checks the rows and their distances."""
    indices, distances = search(X, k)
    exact = np.asarray(X, np.float32).astype(np.float64)
    pairs = cdist(exact, exact)
    assert indices.shape == distances.shape == (len(X), k)
    assert indices.dtype == np.int32
    assert distances.dtype == np.float32
    np.testing.assert_array_equal(indices[:, 0], np.arange(len(X)))
    assert all(len(set(row)) == k for row in indices.tolist())
    own_distances = np.take_along_axis(pairs, indices, axis=1)
    np.testing.assert_allclose(distances, own_distances, rtol=1e-5)
    assert (np.diff(distances, axis=1) >= 0).all()
    farthest = np.sort(pairs, axis=1)[:, k - 1]
    return float((distances <= farthest[:, None] * (1 + 1e-5)).mean())


@pytest.fixture
def few_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """As few rows are compared as in a search among many thousand."""
    monkeypatch.setattr(_clustered_search, "_COMPARED_ROWS", 400)


@pytest.mark.usefixtures("few_compared")
def test_nearly_all_neighbors_of_pictures_are_found(digits: Any) -> None:
    assert recall(digits.data, 15) > 0.96


def test_neighbors_of_neighbors_find_what_the_cells_do_not_hold(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_clustered_search, "_COMPARED_ROWS", 1000)
    X = rng.normal(size=(3000, 6)).astype(np.float32)
    cells = Cells(X)
    points = X[cells.order]
    pairs = cdist(points, points)
    farthest = np.sort(pairs, axis=1)[:, 14]

    def share(lists: np.ndarray) -> float:
        distances = np.take_along_axis(pairs, lists[:, :15].astype(np.intp), axis=1)
        return float((distances <= farthest[:, None] + 1e-5).mean())

    lists = np.concatenate(
        [
            _clustered_search._nearest_in_cells(points, cells, number, 30)
            for number in range(len(cells.bounds))
        ]
    )
    shares = [share(lists)]
    for _ in range(5):
        better = np.empty_like(lists)
        improve(points, lists, holders_of(lists, 20), 20, 0, better)
        lists = better
        shares.append(share(lists))
    assert shares == sorted(shares)
    assert shares[0] < 0.9
    assert shares[-1] > 0.99


def test_few_rows_are_all_compared(rng: np.random.Generator) -> None:
    assert recall(rng.normal(size=(700, 5)), 15) == 1.0
    assert recall(rng.normal(size=(20, 3)), 20) == 1.0
    assert recall(rng.normal(size=(2, 3)), 2) == 1.0


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_many_features_are_searched_in_their_components(
    rng: np.random.Generator, offset: float
) -> None:
    rank = 40  # of 300 features, all of it within the components, but for a little noise
    X = rng.normal(size=(700, rank)) @ rng.normal(size=(rank, 300))
    X += 0.01 * rng.normal(size=X.shape)
    X[350:, 0] += offset
    assert recall(X, 10) == 1.0


@pytest.mark.parametrize("offset", [1e3, 1e5])
def test_two_groups_far_apart(rng: np.random.Generator, offset: float) -> None:
    X = rng.normal(size=(1200, 6))
    X[600:, 0] += offset
    assert recall(X, 15) == 1.0


@pytest.mark.parametrize("scale", [1e-25, 1e25])
def test_data_whose_squares_leave_float32(rng: np.random.Generator, scale: float) -> None:
    assert recall(rng.normal(size=(600, 6)) * scale, 15) == 1.0


@pytest.mark.usefixtures("few_compared")
def test_duplicates_have_distance_zero_and_each_row_stays_first(rng: np.random.Generator) -> None:
    X = np.repeat(rng.normal(size=(3, 25)), [1500, 60, 40], axis=0)  # more than a cell may hold
    indices, distances = search(X, 8)
    assert not distances.any()
    np.testing.assert_array_equal(indices[:, 0], np.arange(1600))
    assert all(len(set(row)) == 8 for row in indices.tolist())
    np.testing.assert_array_equal(X[indices], np.repeat(X[:, None], 8, axis=1))


def test_a_group_smaller_than_the_lists_of_candidates(rng: np.random.Generator) -> None:
    X = rng.normal(size=(33, 4))  # 60 candidates are wanted of 33 rows
    assert recall(X, 15) == 1.0


@pytest.mark.usefixtures("few_compared")
def test_wide_data_are_ranked_in_small_parts(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = rng.normal(size=(900, 20)).astype(np.float32)
    wanted = search(X, 5)
    monkeypatch.setattr(_clustered_search, "_RANKED_VALUES", 1)
    found = search(X, 5)
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])


def test_progress_is_reported_and_may_stop_the_search(rng: np.random.Generator) -> None:
    X = rng.normal(size=(1500, 3)).astype(np.float32)
    told: list[float] = []
    clustered_neighbors(X, 5, told.append)
    assert len(told) > 5
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)

    def stop(fraction: float) -> None:
        told.append(fraction)
        raise KeyboardInterrupt

    first = told[0]
    told.clear()
    with pytest.raises(KeyboardInterrupt):
        clustered_neighbors(X, 5, stop)
    assert told == [first]


class OnlyIndexed:
    """Rows that can be read in parts only, as those of a file."""

    def __init__(self, X: np.ndarray) -> None:
        self.shape = X.shape
        self.read = 0
        self._X = X

    def __getitem__(self, index: slice | np.ndarray) -> np.ndarray:
        rows: np.ndarray = self._X[index]
        self.read = max(self.read, len(rows))
        return rows


def test_the_data_are_read_in_parts(rng: np.random.Generator) -> None:
    X = rng.normal(size=(25_000, 4)).astype(np.float32)
    rows = OnlyIndexed(X)
    found = clustered_neighbors(rows, 5, lambda fraction: None)
    np.testing.assert_array_equal(found[0], search(X, 5)[0])
    assert rows.read < 20_000


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
def test_every_search_takes_rows_that_are_read_in_parts(
    rng: np.random.Generator, metric: str
) -> None:
    X = rng.normal(size=(100, 4)).astype(np.float32)
    wanted = nearest_neighbors(X, NeighborSearch(5, metric))
    found = nearest_neighbors(OnlyIndexed(X), NeighborSearch(5, metric))
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
def test_metrics_that_are_searched_in_cells(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    monkeypatch.setattr(_neighbors, "_ALL_PAIRS_WORK", 0)
    X = rng.normal(size=(900, 6)).astype(np.float32)
    if metric != "euclidean":
        X[:3] = 0.0  # no direction: near to each other only
    indices, distances = nearest_neighbors(X, NeighborSearch(9, metric))
    np.testing.assert_array_equal(indices[:, 0], np.arange(900))
    others = X[3:].astype(float)
    pairs = cdist(others, others if metric != "euclidean" else X.astype(float), metric)
    np.testing.assert_allclose(distances[3:], np.sort(pairs, axis=1)[:, :9], rtol=1e-4, atol=1e-6)
    if metric != "euclidean":
        assert not distances[:3, :3].any()
        np.testing.assert_allclose(distances[:3, 3:], 1.0, rtol=1e-6)


def test_cells_hold_every_row_once_and_are_small(rng: np.random.Generator) -> None:
    X = np.concatenate([rng.normal(size=(3000, 5)), np.zeros((2000, 5))]).astype(np.float32)
    cells = Cells(X)
    np.testing.assert_array_equal(np.sort(cells.order), np.arange(5000))
    sizes = [stop - start for start, stop in cells.bounds]
    assert sum(sizes) == 5000
    assert 0 < min(sizes) <= max(sizes) <= 512
    for (start, stop), centre in zip(cells.bounds, cells.centres, strict=True):
        np.testing.assert_allclose(X[cells.order[start:stop]].mean(axis=0), centre, atol=1e-6)
    start, stop = cells.bounds[3]
    near = cells.nearest(3, 700)
    np.testing.assert_array_equal(near[: stop - start], np.arange(start, stop))
    assert 700 <= len(near) == len(set(near.tolist())) < 1300
    assert len(cells.nearest(0, 10_000)) == 5000


def test_holders_have_the_row_in_their_lists() -> None:
    lists = np.array([[0, 1, 2], [1, 0, 3], [2, 0, 1], [3, 2, 0]], dtype=np.int32)
    holders = holders_of(lists, 3)
    assert holders.shape == (4, 15)
    assert [row[row >= 0].tolist() for row in holders] == [[1, 2, 3], [0, 2], [3, 0], [1]]
    assert [row[row >= 0].tolist() for row in holders_of(lists, 2)] == [[1, 2], [0], [3], []]


def test_more_holders_than_fit_are_those_with_the_row_at_the_lowest_ranks() -> None:
    rows = np.arange(40, dtype=np.int32)
    lists = np.stack([rows, (rows + 1) % 40, np.zeros_like(rows)], axis=1)
    assert holders_of(lists, 3)[0].tolist() == [39, *range(14)]


@pytest.mark.speed
def test_the_number_of_threads_does_not_matter(rng: np.random.Generator) -> None:
    X = rng.normal(size=(5000, 12)).astype(np.float32)
    wanted = search(X, 10)
    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        found = search(X, 10)
    finally:
        numba.set_num_threads(n_threads)
    np.testing.assert_array_equal(found[0], wanted[0])
    np.testing.assert_array_equal(found[1], wanted[1])


@settings(max_examples=30, deadline=None)
@given(
    X=st.tuples(st.integers(2, 40), st.integers(1, 4)).flatmap(
        lambda shape: npst.arrays(np.int8, shape, elements=st.integers(-3, 3))
    ),
    k=st.integers(1, 40),
)
def test_any_small_data_with_ties(X: np.ndarray, k: int) -> None:
    assert recall(X, min(k, len(X))) == 1.0


def test_data_without_leading_components_are_flat(rng):
    noise = rng.random((3_000, 300)).astype(np.float32)
    assert is_flat(noise)
    assert not is_flat(noise * np.geomspace(1.0, 1e-3, 300, dtype=np.float32))
    assert not is_flat(noise[:, :128])
    assert is_flat(1e30 * noise)
