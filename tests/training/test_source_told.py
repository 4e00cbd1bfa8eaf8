"""How well the source is told by neighbours on the map."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope.samples import join_samples, samples_from_array
from embedscope.training import SourceTold, TrainingParameters


def samples(*sizes: int):
    parts = [
        samples_from_array(np.zeros((size, 3), np.float32), source=f"image {number}")
        for number, size in enumerate(sizes)
    ]
    return join_samples(parts) if len(parts) > 1 else parts[0]


def test_separate_sources_are_told_entirely():
    both = samples(60, 30)
    positions = np.random.default_rng(0).normal(size=(90, 2)).astype(np.float32)
    positions[60:] += 100.0
    told = SourceTold.of_map(both, positions)
    assert told.share == 1.0
    assert told.dominates
    assert "Standardise the columns" in told.text


@pytest.mark.parametrize("is_scaled", [False, True])
@pytest.mark.parametrize("is_learned", [False, True])
def test_the_remedy_for_pictures_leaves_out_what_was_done(is_scaled, is_learned):
    told = SourceTold(1.0, 0.5, 2, are_scaled_within=is_scaled, is_alike_learned=is_learned)
    assert told.text.startswith(told.finding)
    assert told.text.endswith("to learned.") is not is_learned
    assert ("scaled_within" in told.text) is not is_scaled
    assert ("may truly differ" in told.text) is (is_scaled and is_learned)


def test_mixed_sources_are_told_by_chance():
    both = samples(400, 200)
    positions = np.random.default_rng(0).normal(size=(600, 2)).astype(np.float32)
    told = SourceTold.of_map(both, positions)
    assert told.chance == pytest.approx(0.5, abs=0.01)
    assert told.share == pytest.approx(told.chance, abs=0.06)
    assert not told.dominates
    assert told.text.startswith(f"{round(100 * told.share)} % of the neighbours")


def test_samples_at_one_place_are_no_neighbours_of_themselves():
    told = SourceTold.of_map(samples(1, 1, 1), np.zeros((3, 2), np.float32))
    assert told.share == 0.0


def test_one_source_or_no_positions_have_no_score():
    assert SourceTold.of_map(samples(20), np.zeros((20, 2), np.float32)) is None
    assert SourceTold.of_map(samples(2, 2), np.full((4, 2), np.nan, np.float32)) is None


def test_the_explorer_says_it_after_training():
    from embedscope.explorer import Explorer

    rng = np.random.default_rng(0)
    parts = [
        samples_from_array(rng.normal(5.0 * number, 1.0, (30, 4)).astype(np.float32), source=name)
        for number, name in enumerate(("one", "other"))
    ]
    parameters = TrainingParameters(n_neighbors=5, reconstruction=False, quality="fast")
    explorer = Explorer(join_samples(parts), parameters=parameters)
    assert explorer.source_told is None
    explorer.train()
    explorer.wait()
    assert explorer.source_told.dominates
    assert not explorer.source_told.are_pictures
    assert explorer.source_told is explorer.source_told  # measured once
