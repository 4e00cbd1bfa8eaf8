"""The encoder of pictures: which samples it takes, and that its seed decides its weights."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope.training._networks import picture_encoder


@pytest.mark.parametrize("shape", [(40, 40, 3), (1, 1, 1), (7, 2, 2), (6, 9, 9, 1), (1, 5, 5, 3)])
def test_the_encoder_maps_pictures_and_volumes_to_points(shape):
    encoder, same = picture_encoder(shape, seed=1), picture_encoder(shape, seed=1)
    assert encoder.output_shape == (None, 2)
    assert np.asarray(encoder(np.zeros((2, *shape), np.float32))).shape == (2, 2)
    for first, second in zip(encoder.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
