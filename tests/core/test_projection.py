"""Principal axes are the right singular vectors, however large, wide or long the data are."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope.core.arrays import _principal_axes as _projection
from embedscope.core.arrays._principal_axes import in_safe_units, principal_axes


def centred(rng: np.random.Generator, n_samples: int, n_features: int) -> np.ndarray:
    """Data whose variance falls by half from axis to axis, in a random orientation."""
    rank = min(n_samples - 1, n_features, 12)
    X = rng.normal(size=(n_samples, rank)) * 2.0 ** -np.arange(rank)
    rotation = np.linalg.qr(rng.normal(size=(n_features, rank)))[0]
    rotated = X @ rotation.T
    return (rotated - rotated.mean(axis=0)).astype(np.float32)


def assert_leading(axes: np.ndarray, X: np.ndarray, tolerance: float) -> None:
    _, _, right = np.linalg.svd(X.astype(np.float64), full_matrices=False)
    cosines = np.abs((axes * right[: axes.shape[1]].T).sum(axis=0))
    np.testing.assert_allclose(cosines, 1.0, atol=tolerance)
    np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=1e-5)
    assert (np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0) > 0).all()
    assert axes.dtype == np.float32
    assert axes.flags.c_contiguous


@pytest.mark.parametrize(("n_samples", "n_features"), [(200, 20), (30, 50), (500, 6)])
def test_axes_are_singular_vectors(
    rng: np.random.Generator, n_samples: int, n_features: int
) -> None:
    X = centred(rng, n_samples, n_features)
    assert_leading(principal_axes(X, 5), X, 1e-4)


def test_wide_data_by_a_randomised_decomposition(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_projection, "_MOST_FEATURES", 100)
    X = centred(rng, 300, 150)
    assert_leading(principal_axes(X, 5), X, 1e-4)


def test_long_data_are_thinned_evenly(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_projection, "_ENOUGH_ROWS", 500)
    X = centred(rng, 5000, 20)
    axes = principal_axes(X, 3)
    assert_leading(axes, X, 0.01)
    np.testing.assert_array_equal(axes, principal_axes(X[::10], 3))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_units_do_not_matter(rng: np.random.Generator, scale: float) -> None:
    X = centred(rng, 100, 8)
    np.testing.assert_allclose(
        principal_axes(X * np.float32(scale), 4), principal_axes(X, 4), atol=1e-3
    )


@pytest.mark.parametrize("wide", [False, True])
def test_no_more_axes_than_there_are(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch, wide: bool
) -> None:
    if wide:
        monkeypatch.setattr(_projection, "_MOST_FEATURES", 0)
    assert principal_axes(centred(rng, 50, 3), 128).shape == (3, 3)
    assert principal_axes(centred(rng, 4, 30), 128).shape == (30, 4)


def test_data_without_variance_have_orthonormal_axes_all_the_same() -> None:
    axes = principal_axes(np.zeros((10, 4), np.float32), 2)
    np.testing.assert_allclose(axes.T @ axes, np.eye(2), atol=1e-6)


def test_safe_units_change_no_digit(rng: np.random.Generator) -> None:
    X = rng.normal(size=(5, 3)).astype(np.float32)
    assert in_safe_units(X)[0] is X
    for scale in (2.0**-90, 2.0**90):
        scaled, exponent = in_safe_units(X * np.float32(scale))
        assert 0.5 <= np.abs(scaled).max() <= 1.0
        np.testing.assert_array_equal(np.ldexp(scaled, exponent), X * np.float32(scale))
    assert in_safe_units(np.zeros((2, 2), np.float32))[1] == 0
