"""Decoding with style codes: the sample of a code, its own position, and bad input."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from linear_map import N_SAMPLES, linear_explorer, random_samples

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.explorer.answers._places import PlaceIndex
from embedscope.explorer.answers._styles import StyleOfNeighbor, StyleOfSample
from embedscope.samples import SampleId


@pytest.fixture
def explorer() -> Explorer:
    return linear_explorer()


def flat(sample: np.ndarray) -> np.ndarray:
    return sample.ravel()


def test_without_a_style_the_typical_sample_is_decoded(explorer: Explorer) -> None:
    drawn = explorer.decode([0.3, 0.6])
    np.testing.assert_allclose(flat(drawn.sample)[:4], [0.3, 0.6, 0, 0], atol=1e-6)
    assert (drawn.style, drawn.style_of) == ("typical", None)


def test_at_its_own_position_a_sample_is_reconstructed(explorer: Explorer) -> None:
    one = explorer.samples.identities[7]
    drawn = explorer.decode(explorer.embedding.positions[7], style=one)
    truth = flat(explorer.samples.X[7])
    np.testing.assert_allclose(flat(drawn.sample)[:4], truth[:4], atol=1e-6)
    assert (drawn.style, drawn.style_of) == ("own", one)
    assert explorer.reconstruction is drawn


def test_elsewhere_it_is_carried(explorer: Explorer) -> None:
    one = explorer.samples.identities[7]
    drawn = explorer.decode(explorer.embedding.positions[8], style=tuple(one))
    code, place = flat(explorer.samples.X[7])[2:4], explorer.embedding.positions[8]
    np.testing.assert_allclose(flat(drawn.sample)[:4], [*place, *code], atol=1e-6)
    assert (drawn.style, drawn.style_of) == ("carried", one)


def test_has_style_follows_model_and_run(explorer: Explorer) -> None:
    assert explorer.has_style
    assert not linear_explorer(style=False).has_style
    explorer.set_samples(random_samples())
    assert not explorer.has_style


def test_path_carries_one_sample_from_its_own_position(explorer: Explorer) -> None:
    one = explorer.samples.identities[3]
    corners = explorer.embedding.positions[[3, 9]]
    drawn = explorer.decode_path(corners, n_steps=4, style=one)
    assert [each.style for each in drawn] == ["own", "carried", "carried", "carried"]
    codes = np.array([flat(each.sample)[2:4] for each in drawn])
    np.testing.assert_allclose(codes, np.tile(flat(explorer.samples.X[3])[2:4], (4, 1)), atol=1e-6)
    assert explorer.model.estimator.encoded == [1]


def test_an_atlas_in_one_style_shows_nothing(explorer: Explorer) -> None:
    one = explorer.samples.identities[3]
    drawn = explorer.draw(explorer.embedding.positions[:5], style=one)
    assert [each.style for each in drawn] == ["carried"] * 3 + ["own", "carried"]
    assert explorer.reconstruction is None


def test_a_random_style_is_that_of_a_near_sample_and_another_each_time(explorer: Explorer) -> None:
    point = np.array([0.5, 0.5])
    distances = np.linalg.norm(explorer.embedding.positions - point, axis=1)
    near = {explorer.samples.identities[row] for row in np.argsort(distances)[:15]}
    drawn = [explorer.decode(point, style="random") for _ in range(60)]
    assert {each.style for each in drawn} == {"random"}
    chosen = [each.style_of for each in drawn]
    assert set(chosen) <= near
    assert len(set(chosen)) > 5
    assert all(one != other for one, other in pairwise(chosen))
    row = explorer.samples.identities.row(chosen[-1])
    np.testing.assert_allclose(
        flat(drawn[-1].sample)[:4], [0.5, 0.5, *flat(explorer.samples.X[row])[2:4]], atol=1e-6
    )


def test_random_style_leaves_out_samples_without_a_picture() -> None:
    samples = random_samples(n_samples=20)
    places = PlaceIndex(np.random.default_rng(0).random((20, 2)))
    choose = StyleOfNeighbor(
        lambda _, row: np.array([row], np.float32), places, samples, np.random.default_rng(0)
    )
    assert choose(np.array([[0.5, 0.5]])).codes.shape == (1, 1)
    object.__setattr__(samples, "absent", {"array": "gone"})
    with pytest.raises(InvalidInputError, match=r"^style must be None where no sample .*Attach"):
        choose(np.array([[0.5, 0.5]]))


def test_samples_that_were_added_have_a_code_of_their_own(explorer: Explorer) -> None:
    new = np.random.default_rng(5).random((3, 4, 4, 1), np.float32)
    explorer.add_samples(new)
    row = N_SAMPLES + 1
    one = explorer.samples.identities[row]
    drawn = explorer.decode(explorer.embedding.positions[row], style=one)
    assert drawn.style == "own"
    truth = flat(explorer.samples.inputs([row])[0])
    np.testing.assert_allclose(flat(drawn.sample)[:4], truth[:4], atol=1e-6)


def test_code_is_computed_once_and_for_one_sample(explorer: Explorer) -> None:
    one, other = explorer.samples.identities[4], explorer.samples.identities[5]
    for point in ([0, 0], [1, 1], [0, 1]):
        explorer.decode(point, style=one)
    explorer.decode([0, 0], style=other)
    assert explorer.model.estimator.encoded == [1, 1]
    explorer.show_result(explorer.model)  # nothing of another map is kept
    explorer.decode([0, 0], style=one)
    assert explorer.model.estimator.encoded == [1, 1, 1]


@given(
    home=st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    steps=st.lists(st.floats(0, 2), min_size=1, max_size=8),
    angle=st.floats(0, 6.3),
)
def test_a_style_is_its_own_up_to_a_distance(
    home: tuple[float, float], steps: list[float], angle: float
) -> None:
    direction = np.array([np.cos(angle), np.sin(angle)])
    points = np.array(home) + np.array(steps)[:, np.newaxis] * direction
    choose = StyleOfSample(SampleId("a", 0, 1), np.array([1, 2], np.float32), np.array(home), 1.0)
    chosen = choose(points)
    assert chosen.codes.tolist() == [[1, 2]] * len(steps)
    for step, kind in zip(steps, chosen.kinds, strict=True):
        if abs(step - 1.0) > 1e-9:
            assert kind == ("own" if step < 1 else "carried")


@pytest.mark.parametrize("options", [{"style": False}, {"style": False, "spread": False}])
def test_maps_without_style_codes_decode_typical_samples_only(
    options: dict[str, bool],
) -> None:
    explorer = linear_explorer(**options)
    assert explorer.decode([0.1, 0.2]).style == "typical"
    for style in (explorer.samples.identities[0], "random"):
        with pytest.raises(
            InvalidInputError, match=r"^style must be None on a map without .*; got"
        ):
            explorer.decode([0.1, 0.2], style=style)


def test_a_map_that_was_to_have_style_codes_and_got_none_has_none() -> None:
    explorer = linear_explorer()
    explorer.model.estimator.style_encoder_ = None  # as for samples too small for a code
    with pytest.raises(InvalidInputError, match=r"^style must be None on a map without"):
        explorer.decode([0.1, 0.2], style="random")
    (each,) = explorer.reconstruct([0])
    assert each.error == each.typical_error


def test_a_map_without_a_decoder_has_no_styles() -> None:
    explorer = linear_explorer()
    explorer.model.estimator.decoder_ = None
    with pytest.raises(InvalidInputError, match=r"^style must be None on a map without"):
        explorer.decode([0.1, 0.2], style=explorer.samples.identities[0])
    assert not explorer.decode([0.1, 0.2]).decoded


@pytest.mark.parametrize(
    "style",
    [
        "Random",
        "abc",
        3,
        ("array", 0),
        ("array", 0, 999),
        ("else", 0, 1),
        ("array", 0, "01"),
        ("array", 0, ""),
        object,
    ],
)
def test_what_is_no_style_is_refused(explorer: Explorer, style: Any) -> None:
    for ask in (explorer.decode, explorer.draw):
        with pytest.raises(InvalidInputError, match=r"^style must be .*; got .*identities\.$"):
            ask([[0, 0]] if ask == explorer.draw else [0, 0], style=style)
    assert explorer.reconstruction is None


def test_only_a_point_can_have_a_random_style(explorer: Explorer) -> None:
    with pytest.raises(InvalidInputError, match=r"^style must be None or the identity"):
        explorer.decode_path([[0, 0], [1, 1]], style="random")
    with pytest.raises(InvalidInputError, match=r"^style must be None or the identity"):
        explorer.draw([[0, 0]], style="random")


def test_there_are_no_styles_while_a_run_goes_on() -> None:
    explorer = linear_explorer(random_samples((4,)))
    one = explorer.samples.identities[0]
    explorer.set_parameters(n_neighbors=5)
    explorer.train()
    explorer.pause()
    try:
        with pytest.raises(InvalidInputError, match=r"^style must be None while a run goes on"):
            explorer.decode([0, 0], style=one)
        with pytest.raises(InvalidInputError, match=r"^reconstruct must wait"):
            explorer.reconstruct([0])
        assert explorer.decode([0, 0]).spread is None
    finally:
        explorer.stop()
        explorer.wait(60)


@pytest.mark.speed
def test_a_click_with_a_style_takes_under_30_ms() -> None:
    """Of a hundred thousand samples, the code of one is computed."""
    explorer = linear_explorer(random_samples((4, 4, 1), 100_000))
    explorer.decode([0.5, 0.5])  # the trees are built by the first question
    rng = np.random.default_rng(0)

    def seconds() -> float:
        one = explorer.samples.identities[int(rng.integers(100_000))]
        start = perf_counter()
        explorer.decode(rng.random(2), style=one)
        return perf_counter() - start

    assert min(seconds() for _ in range(20)) < 30e-3
