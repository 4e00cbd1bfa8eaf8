"""The demo's decoder draws an exemplar at the exemplar's place, and blends in between."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope.cli._cell_networks import cell_encoder, exemplar_decoder


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logits))


@pytest.fixture
def exemplars(rng):
    places = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]], dtype=np.float32)
    crops = rng.uniform(0.1, 0.9, size=(3, 6, 6, 2)).astype(np.float32)
    return places, crops


def test_at_its_place_an_exemplar_is_drawn_as_it_is(exemplars):
    places, crops = exemplars
    decoder = exemplar_decoder(places, crops, blend=0.5)
    np.testing.assert_allclose(_sigmoid(np.asarray(decoder(places))), crops, atol=1e-4)


def test_half_way_both_have_the_same_share(exemplars):
    places, crops = exemplars
    decoder = exemplar_decoder(places, crops, blend=1.0)
    logits = np.log(crops / (1.0 - crops))
    drawn = np.asarray(decoder(np.array([[2.0, 0.0]], dtype=np.float32)))[0]
    np.testing.assert_allclose(drawn, (logits[0] + logits[1]) / 2, atol=2e-2)


def test_pixels_stay_those_of_real_cells(exemplars):
    decoder = exemplar_decoder(*exemplars, blend=0.5)
    assert [weight.shape for weight in decoder.trainable_weights] == [(2, 3), (3,)]


def test_the_encoder_takes_crops_and_gives_places():
    encoder = cell_encoder((40, 40, 3), seed=1)
    same = cell_encoder((40, 40, 3), seed=1)
    assert encoder.output_shape == (None, 2)
    for first, second in zip(encoder.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
