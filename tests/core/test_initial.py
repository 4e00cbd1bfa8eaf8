"""Initial positions: eigenvectors known in closed form, and a start for every kind of graph."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from embedscope.core.layout._initial import initial_positions

NOISE = 1e-4  # standard deviation of the jitter


def ring(n: int) -> sparse.csr_matrix:
    step = np.roll(np.eye(n, dtype=np.float32), 1, axis=1)
    return sparse.csr_matrix(step + step.T)


def path(n: int) -> sparse.csr_matrix:
    step = np.eye(n, k=1, dtype=np.float32)
    return sparse.csr_matrix(step + step.T)


def weighted_ring(n: int) -> sparse.csr_matrix:
    """A ring like a neighbour graph: eight neighbours each, weaker with distance, not all equal."""
    shifted = [np.roll(np.eye(n), s, axis=1) * np.exp(-s / 3) for s in (1, 2, 3, 4)]
    strengths = sum(shifted) * np.linspace(0.5, 1.0, n)[:, None]
    return sparse.csr_matrix(strengths + strengths.T, dtype=np.float32)


def start(
    method: str | np.ndarray,
    graph: sparse.csr_matrix,
    components: np.ndarray,
    n_components: int = 2,
    seed: int = 0,
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return initial_positions(method, graph, components, n_components, rng)


def spanned_cosine(found: np.ndarray, wanted: np.ndarray, weight: np.ndarray) -> float:
    """Cosine of the largest angle between the spans; 1 where they are equal up to a rotation."""
    centred = [columns - np.average(columns, axis=0, weights=weight) for columns in (found, wanted)]
    bases = [np.linalg.qr(columns * np.sqrt(weight)[:, None])[0] for columns in centred]
    return float(np.linalg.svd(bases[0].T @ bases[1], compute_uv=False).min())


def leading_eigenvectors(graph: sparse.csr_matrix, n: int) -> np.ndarray:
    """Eigenvectors of the random walk after the constant one, by a dense solver in float64."""
    root = np.sqrt(graph.toarray().sum(axis=1, dtype=np.float64))
    values, vectors = np.linalg.eigh(graph.toarray() / np.outer(root, root))
    assert values[-1 - n] - values[-2 - n] > 1e-4  # or the answer would not be defined
    return vectors[:, ::-1][:, 1 : 1 + n] / root[:, None]


@pytest.mark.parametrize("seed", range(3))
def test_spectral_positions_of_a_ring_are_a_circle(seed: int) -> None:
    n = 120
    rough = np.random.default_rng(seed + 10).normal(size=(n, 2))  # independent of the ring
    found = start("spectral", ring(n), rough, seed=seed)
    angle = 2 * np.pi * np.arange(n) / n
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert spanned_cosine(found, circle, np.ones(n)) > 0.999


@pytest.mark.parametrize("seed", range(3))
def test_spectral_positions_of_a_path_are_cosines(seed: int) -> None:
    n = 100
    rough = np.random.default_rng(seed + 10).normal(size=(n, 2))
    found = start("spectral", path(n), rough, seed=seed)
    place = np.pi * np.arange(n) / (n - 1)
    cosines = np.stack([np.cos(place), np.cos(2 * place)], axis=1)
    degree = np.asarray(path(n).sum(axis=1)).ravel()
    assert spanned_cosine(found, cosines, degree) > 0.999
    # The first coordinate gives the order along the path.
    order = np.argsort(found[:, 0])
    assert (order == np.arange(n)).all() or (order == np.arange(n)[::-1]).all()


@pytest.mark.parametrize(
    "components",
    [np.zeros((200, 2)), np.ones((200, 5)), np.eye(200)[:, :2]],
    ids=["zero", "constant", "spikes"],
)
def test_spectral_positions_need_no_good_start(components: np.ndarray) -> None:
    graph = weighted_ring(200)
    found = start("spectral", graph, components)
    degree = np.asarray(graph.sum(axis=1)).ravel()
    assert spanned_cosine(found, leading_eigenvectors(graph, 2), degree) > 0.99


def test_spectral_positions_of_two_blobs_part_them(rng: np.random.Generator) -> None:
    n, blob = 80, np.arange(80) < 40
    strengths = (rng.random((n, n)) < 0.2) * (blob[:, None] == blob) + np.eye(n, k=1) * 0.01
    graph = sparse.csr_matrix(np.maximum(strengths, strengths.T), dtype=np.float32)
    found = start("spectral", graph, rng.normal(size=(n, 2)))
    assert (
        found[blob, 0].max() < found[~blob, 0].min() or found[blob, 0].min() > found[~blob, 0].max()
    )


def pca_start(components: np.ndarray) -> np.ndarray:
    centred = components - components.mean(axis=0)
    return 10.0 * centred / np.abs(centred).max()


def in_pieces(n: int) -> sparse.csr_matrix:
    return sparse.block_diag([ring(n // 2), ring(n - n // 2)], format="csr")


def with_loners(n: int) -> sparse.csr_matrix:
    return sparse.csr_matrix(sparse.block_diag([ring(n - 2), np.zeros((2, 2), np.float32)]))


@pytest.mark.parametrize(
    ("method", "graph"),
    [
        ("pca", ring(60)),
        ("spectral", in_pieces(60)),
        ("spectral", with_loners(60)),
        ("spectral", ring(12)),  # too few for a spectrum
    ],
    ids=["pca", "in pieces", "with loners", "few"],
)
def test_principal_components_replace_a_missing_spectrum(
    method: str, graph: sparse.csr_matrix, rng: np.random.Generator
) -> None:
    components = rng.normal(size=(graph.shape[0], 5))
    found = start(method, graph, components)
    np.testing.assert_allclose(found, pca_start(components[:, :2]), atol=8 * NOISE)


@pytest.mark.parametrize("n_components", [1, 2, 3, 7])
@pytest.mark.parametrize("method", ["spectral", "pca", "random"])
@pytest.mark.parametrize("n_samples", [2, 5, 90])
def test_any_number_of_dimensions(
    method: str, n_components: int, n_samples: int, rng: np.random.Generator
) -> None:
    components = rng.normal(size=(n_samples, 2))  # fewer than some maps have
    found = start(method, ring(n_samples), components, n_components)
    assert found.shape == (n_samples, n_components)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 10.0 + 8 * NOISE
    assert (found.std(axis=0) > 10 * NOISE).all()  # no dimension is left flat


def test_constant_components_leave_only_the_jitter() -> None:
    found = start("pca", ring(50), np.full((50, 3), 4.0))
    assert 0 < np.abs(found).max() < 8 * NOISE


def test_random_positions_fill_the_square() -> None:
    found = start("random", ring(4000), np.zeros((4000, 2)))
    assert np.abs(found).max() <= 10.0
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=0.5)
    np.testing.assert_allclose(found.std(axis=0), 20 / np.sqrt(12), rtol=0.05)


def test_a_given_array_keeps_its_position_and_scale(rng: np.random.Generator) -> None:
    given = rng.normal(5, 100, (30, 2))
    before = given.copy()
    found = start(given, ring(30), np.zeros((30, 2)))
    np.testing.assert_allclose(found, given, atol=8 * NOISE, rtol=1e-6)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize("method", ["spectral", "pca", "random"])
def test_a_seed_repeats(method: str, rng: np.random.Generator) -> None:
    components = rng.normal(size=(60, 4))
    first, again, other = (start(method, ring(60), components, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
