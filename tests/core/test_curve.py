"""`fit_curve` gives umap-learn's coefficients, and those of any scale of the map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedscope.core.layout._curve import fit_curve, similarity

REFERENCE = np.load(Path(__file__).parent / "reference" / "curve.npz")["min_dist_spread_a_b"]


@pytest.mark.parametrize(("min_dist", "spread", "a", "b"), REFERENCE.tolist())
def test_coefficients_are_those_of_umap_learn(
    min_dist: float, spread: float, a: float, b: float
) -> None:
    assert fit_curve(min_dist, spread) == pytest.approx((a, b), rel=1e-5)


@pytest.mark.parametrize("share", [0.0, 1e-6, 0.1, 0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("spread", [1e-3, 0.1, 1.0, 10.0, 1e4])
def test_map_units_change_nothing_but_the_units(share: float, spread: float) -> None:
    distance = np.linspace(0.0, 3.0, 50)
    in_units_of_spread = similarity(distance, *fit_curve(share, 1.0))
    in_map_units = similarity(distance * spread, *fit_curve(share * spread, spread))
    np.testing.assert_allclose(in_map_units, in_units_of_spread, atol=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_curve_follows_the_exponential_that_it_replaces(share: float) -> None:
    spread = 10.0  # umap-learn finds a negative `a` here
    distance = np.linspace(0.0, 3 * spread, 100)
    wanted = np.where(distance < share * spread, 1.0, np.exp(-(distance - share * spread) / spread))
    found = similarity(distance, *fit_curve(share * spread, spread))
    assert np.abs(found - wanted).max() < 0.11
    assert (np.diff(found) < 0).all()


def test_similarity_is_the_stated_formula() -> None:
    assert similarity(np.array([0.0, 1.0, 2.0]), 3.0, 0.5) == pytest.approx([1, 1 / 4, 1 / 7])
