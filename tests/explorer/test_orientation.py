"""On a map of any orientation decoded pictures are upright, or lie as their sample does."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope import Explorer
from embedscope._errors import InvalidInputError
from embedscope.samples import samples_from_array
from embedscope.training import TrainingParameters


@pytest.fixture(scope="module")
def bars() -> np.ndarray:
    """40 pictures of a bar, longer at each fourth, and 40 that are these turned by 90 degrees."""
    bars = np.zeros((40, 16, 16, 1), np.float32)
    for number, bar in enumerate(bars):
        bar[3 : 10 + number % 4, 7:9] = 0.5 + number / 100
    return np.concatenate([bars, np.rot90(bars, 1, (1, 2))])


@pytest.fixture(scope="module")
def explorer(bars) -> Explorer:
    parameters = TrainingParameters(
        alike="any orientation", quality="fast", n_style_components=4, neighbor_blur_px=1.0
    )
    explorer = Explorer(samples_from_array(bars), parameters=parameters)
    explorer.train()
    explorer.wait(120)
    assert explorer.model is not None, explorer.status.message
    return explorer


def test_turned_copies_lie_at_the_same_place(explorer):
    positions = explorer.embedding.positions
    width = np.ptp(positions, axis=0).max()
    assert np.abs(positions[:40] - positions[40:]).max() < 0.02 * width


def test_reconstructions_lie_as_their_samples_do(explorer, bars):
    for row in (0, 40):
        (made,) = explorer.reconstruct([row])
        turned = np.rot90(made.reconstruction, 1, (0, 1))
        error = np.square(made.reconstruction - bars[row]).mean()
        assert error < 0.3 * np.square(turned - bars[row]).mean()


def test_a_decoded_sample_lies_as_it_does_and_a_place_is_upright(explorer, bars):
    position = explorer.embedding.positions[40]
    upright = explorer.decode(position).sample
    own = explorer.decode(position, style=explorer.samples.identities[40]).sample
    assert np.square(own - bars[40]).mean() < np.square(own - bars[0]).mean()
    assert upright[..., 0].std(axis=0).mean() > 0.0
    assert upright.max(axis=1).mean() > 1.2 * upright.max(axis=0).mean()  # longer than wide


def test_the_angle_turns_a_decoded_picture(explorer):
    point = explorer.embedding.positions[0]
    upright = explorer.decode(point).sample
    turned = explorer.decode(point, angle=90).sample
    np.testing.assert_allclose(turned, np.rot90(upright, 1, (0, 1)), atol=1e-4)
    np.testing.assert_allclose(explorer.decode(point, angle=360).sample, upright)


def test_a_random_code_lies_as_its_sample_does_and_so_stays_when_it_is_turned(explorer):
    point = explorer.embedding.positions[0]
    other = explorer.decode(point, style="random")
    again = explorer.decode(point, style=other.style_of)
    np.testing.assert_allclose(again.sample, other.sample, atol=1e-5)


def test_the_angle_turns_every_step_of_a_path(explorer):
    ends = explorer.embedding.positions[[0, 39]]
    upright, turned = (explorer.decode_path(ends, 3, angle=angle) for angle in (0, 90))
    for before, after in zip(upright, turned, strict=True):
        np.testing.assert_allclose(after.sample, np.rot90(before.sample, 1, (0, 1)), atol=1e-4)


def test_only_a_map_of_upright_pictures_can_be_turned(explorer, bars):
    assert explorer.can_turn
    with_pixels = Explorer(samples_from_array(bars))
    assert not with_pixels.can_turn
    with_pixels.place(explorer.embedding.positions)
    assert not with_pixels.can_turn


@pytest.mark.parametrize("angle", ["left", None, np.nan, np.inf, True])
def test_an_angle_must_be_a_number(explorer, angle):
    with pytest.raises(InvalidInputError, match="angle must be a finite number"):
        explorer.decode([0.0, 0.0], angle=angle)
