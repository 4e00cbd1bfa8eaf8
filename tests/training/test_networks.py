"""The decoder draws an exemplar at the exemplar's place and blends in between; shapes of all."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope.training._networks import exemplar_decoder, picture_encoder, place_exemplars


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logits))


@pytest.fixture
def exemplars(rng):
    places = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]], dtype=np.float32)
    crops = rng.uniform(0.1, 0.9, size=(3, 6, 6, 2)).astype(np.float32)
    return places, crops


def placed(places, crops, blend):
    decoder = exemplar_decoder(crops)
    place_exemplars(decoder, places, blend)
    return decoder


def test_at_its_place_an_exemplar_is_drawn_as_it_is(exemplars):
    places, crops = exemplars
    decoder = placed(places, crops, 0.5)
    np.testing.assert_allclose(_sigmoid(np.asarray(decoder(places))), crops, atol=1e-4)


def test_half_way_both_have_the_same_share(exemplars):
    places, crops = exemplars
    decoder = placed(places, crops, 1.0)
    logits = np.log(crops / (1.0 - crops))
    drawn = np.asarray(decoder(np.array([[2.0, 0.0]], dtype=np.float32)))[0]
    np.testing.assert_allclose(drawn, (logits[0] + logits[1]) / 2, atol=2e-2)


def test_before_they_have_a_place_all_have_the_same_share(exemplars):
    _, crops = exemplars
    drawn = np.asarray(exemplar_decoder(crops)(np.array([[3.0, -1.0]], dtype=np.float32)))[0]
    np.testing.assert_allclose(drawn, np.log(crops / (1.0 - crops)).mean(axis=0), atol=1e-4)


def test_by_default_exemplars_blend_over_half_the_way_to_the_second_neighbour(exemplars):
    _, crops = exemplars
    row = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], dtype=np.float32)
    decoder = placed(row, crops, None)  # second neighbours at 2, 1 and 2
    kernel, _ = decoder.layers[0].get_weights()
    np.testing.assert_allclose(kernel, row.T / (0.5 * 2.0) ** 2)


def test_exemplars_at_one_place_are_blended(exemplars):
    _, crops = exemplars
    decoder = placed(np.ones((3, 2), np.float32), crops, None)
    assert np.isfinite(np.asarray(decoder(np.ones((1, 2), np.float32)))).all()


def test_nothing_in_it_is_trained(exemplars):
    assert exemplar_decoder(exemplars[1]).trainable_weights == []


@pytest.mark.parametrize("shape", [(40, 40, 3), (1, 1, 1), (7, 2, 2), (6, 9, 9, 1), (1, 5, 5, 3)])
def test_the_encoder_takes_pictures_and_volumes_and_gives_places(shape):
    encoder, same = picture_encoder(shape, seed=1), picture_encoder(shape, seed=1)
    assert encoder.output_shape == (None, 2)
    assert np.asarray(encoder(np.zeros((2, *shape), np.float32))).shape == (2, 2)
    for first, second in zip(encoder.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
