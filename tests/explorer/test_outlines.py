"""Simplified outlines hold the same samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._outlines import simplify_outline, thin_outline
from embedscope.explorer.marks._regions import in_polygon


def circle(n_corners: int, radius: float = 1.0) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, n_corners, endpoint=False)
    return radius * np.stack([np.cos(turn), np.sin(turn)], axis=1)


def test_a_circle_drawn_by_hand_has_few_corners():
    positions = np.random.default_rng(0).uniform(-3, 3, (200, 2))
    simple = simplify_outline(circle(400), positions, 0.02)
    assert len(simple) < 40
    assert all((corner == circle(400)).all(axis=1).any() for corner in simple)


@given(st.integers(0, 10_000), st.floats(0, 2))
def test_the_same_samples_are_inside(seed, tolerance):
    rng = np.random.default_rng(seed)
    outline = np.cumsum(rng.normal(size=(60, 2)), axis=0)  # crosses itself
    positions = rng.normal(size=(80, 2)) * outline.std(axis=0) + outline.mean(axis=0)
    simple = simplify_outline(outline, positions, tolerance)
    np.testing.assert_array_equal(in_polygon(positions, simple), in_polygon(positions, outline))
    assert 3 <= len(simple) <= len(outline)


def test_all_corners_stay_if_a_sample_would_change_sides():
    outline = circle(60)
    crowd = np.concatenate([circle(6000, 0.9985), circle(6000, 1.0001)])  # close to the line
    simple = simplify_outline(outline, crowd, 0.05)
    assert len(simple) == len(outline)


def test_samples_without_a_position_and_no_samples():
    nowhere = np.full((3, 2), np.nan)
    assert len(simplify_outline(circle(100), nowhere, 0.1)) >= 3
    assert len(simplify_outline(circle(100), np.empty((0, 2)), 0.1)) >= 3


@given(st.integers(0, 10_000), st.floats(0, 3))
def test_a_thinned_line_stays_within_its_tolerance(seed, tolerance):
    outline = np.cumsum(np.random.default_rng(seed).normal(size=(40, 2)), axis=0)
    thin = thin_outline(outline, tolerance)
    ends = np.roll(thin, -1, axis=0)
    ways = ends - thin
    lengths = np.maximum((ways**2).sum(axis=1), 1e-12)
    shares = np.clip(((outline[:, None] - thin) * ways).sum(axis=2) / lengths, 0, 1)
    nearest = thin + shares[..., None] * ways
    away = np.linalg.norm(outline[:, None] - nearest, axis=2).min(axis=1)
    assert len(thin) == len(outline) or away.max() <= tolerance + 1e-9


def test_a_line_that_would_vanish_keeps_its_corners():
    assert len(thin_outline(circle(20), 50.0)) == 20


def test_two_corners_are_refused():
    with pytest.raises(InvalidInputError, match="at least 3 corners"):
        simplify_outline([[0, 0], [1, 1]], np.empty((0, 2)), 0.1)
