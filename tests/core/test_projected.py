"""Training on principal components: the folded network must compute the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from embedscope.core.arrays._rows import Rows, as_rows
from embedscope.core.networks._networks import dense_encoder
from embedscope.core.networks._projected import ProjectedEncoder, fit_projection


def _rows(
    rng: np.random.Generator, n_features: int, *, shape: tuple[int, ...] | None = None
) -> Rows:
    spread = np.linspace(3.0, 0.1, n_features)
    return as_rows((rng.normal(size=(400, n_features)) * spread + 5.0).astype(np.float32), shape)


@pytest.mark.parametrize(("n_features", "shape"), [(6, None), (24, (4, 6)), (200, None)])
def test_the_folded_encoder_gives_what_the_projected_one_gave(rng, n_features, shape):
    rows = _rows(rng, n_features, shape=shape)
    projection = fit_projection(rows)
    encoder = dense_encoder(rows.shape, 2, (32, 32, 32), seed=1)
    projected = ProjectedEncoder(encoder, projection, continues=False, seed=1)
    trained = np.asarray(projected.network(projection.apply(rows).take(slice(None))))
    projected.fold()
    np.testing.assert_allclose(
        np.asarray(encoder(rows.take(slice(None)))), trained, atol=2e-4 * np.abs(trained).max()
    )


def test_continuing_starts_from_the_network_as_it_is(rng):
    rows = _rows(rng, 200)  # more features than components: the rest must not get lost
    encoder = dense_encoder(rows.shape, 2, (32, 32, 32), seed=1)
    before = np.asarray(encoder(rows.take(slice(None))))
    projection = fit_projection(rows)
    projected = ProjectedEncoder(encoder, projection, continues=True, seed=1)
    seen = np.asarray(projected.network(projection.apply(rows).take(slice(None))))
    # The components hold most of the variance, so the trained network is close to the old one ...
    assert np.corrcoef(seen.ravel(), before.ravel())[0, 1] > 0.99
    projected.fold()  # ... and without any training the network stays unchanged.
    np.testing.assert_allclose(np.asarray(encoder(rows.take(slice(None)))), before, atol=1e-3)


def test_components_are_centred_and_of_unit_spread(rng):
    rows = _rows(rng, 24)
    components = fit_projection(rows).apply(rows).flat
    np.testing.assert_allclose(components.mean(axis=0), 0.0, atol=1e-4)
    assert components[:, 0].std() == pytest.approx(1.0, rel=1e-3)
    assert (np.diff(components.std(axis=0)) < 1e-3).all()


def test_distances_survive_up_to_the_common_scale(rng):
    rows = _rows(rng, 24)  # fewer features than components: nothing is lost
    projection = fit_projection(rows)
    components = projection.apply(rows).flat
    pairs = rng.integers(len(rows), size=(50, 2))
    in_data = np.linalg.norm(rows.flat[pairs[:, 0]] - rows.flat[pairs[:, 1]], axis=1)
    in_components = np.linalg.norm(components[pairs[:, 0]] - components[pairs[:, 1]], axis=1)
    np.testing.assert_allclose(in_components / projection.scale, in_data, rtol=1e-3, atol=1e-3)


def test_sparse_data_stay_sparse_and_are_centred(rng):
    dense = rng.random((300, 50)).astype(np.float32)
    dense[dense < 0.8] = 0.0
    rows = as_rows(sparse.csr_matrix(dense))
    components = fit_projection(rows).apply(rows).flat
    assert isinstance(components, np.ndarray)
    np.testing.assert_allclose(components.mean(axis=0), 0.0, atol=1e-4)


def test_constant_data_give_finite_components():
    rows = as_rows(np.full((10, 3), 7.0, dtype=np.float32))
    assert np.isfinite(fit_projection(rows).apply(rows).flat).all()
