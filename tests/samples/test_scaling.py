"""Channel scaling: known answers, and the same range for later images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedscope._errors import InvalidInputError
from embedscope.samples import ChannelScale, normalise_channels


def test_each_channel_is_scaled_by_its_own_percentiles():
    values = np.arange(101.0)
    images = np.stack([values, 1000 - 2 * values], axis=-1).reshape(101, 1, 1, 2)
    scaled = normalise_channels(images, (10, 90))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled[[10, 50, 90], 0, 0, 0], [0, 0.5, 1], atol=1e-6)
    np.testing.assert_allclose(scaled[[10, 50, 90], 0, 0, 1], [1, 0.5, 0], atol=1e-6)
    assert scaled[[0, 100], 0, 0, 0].tolist() == [0, 1]


def test_scale_is_kept_for_later_images():
    scale = ChannelScale.from_images(np.array([[0.0], [10.0]]), (0, 100))
    np.testing.assert_allclose(scale.apply(np.array([[5.0], [20.0], [-3.0]])), [[0.5], [1], [0]])


def test_constant_channel_becomes_zero():
    images = np.stack([np.full((2, 3, 3), 7), np.arange(18).reshape(2, 3, 3)], axis=-1)
    scaled = normalise_channels(images, (0, 100))
    assert not scaled[..., 0].any()
    assert scaled[..., 1].max() == 1


@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=4, max_side=4),
        elements=st.floats(-1e30, 1e30, allow_subnormal=False),
    )
)
def test_result_is_finite_and_in_the_unit_range(images):
    scaled = normalise_channels(images)
    assert scaled.shape == images.shape
    assert np.isfinite(scaled).all()
    assert scaled.min() >= 0
    assert scaled.max() <= 1


@pytest.mark.parametrize("percentiles", [(50, 50), (90, 10), (-1, 99), (0, 101)])
def test_percentiles_must_rise(percentiles):
    with pytest.raises(InvalidInputError, match="percentiles must be two rising numbers"):
        normalise_channels(np.ones((2, 2)), percentiles)


@pytest.mark.parametrize("images", [np.array([[np.nan]]), np.array([[np.inf]]), np.ones((0, 2))])
def test_images_must_be_finite(images):
    with pytest.raises(InvalidInputError, match=r"images must be .* finite numbers"):
        normalise_channels(images)


def test_number_of_channels_must_agree():
    scale = ChannelScale.from_images(np.array([[0.0, 1.0], [1.0, 2.0]]))
    with pytest.raises(InvalidInputError, match="images must have 2 channels"):
        scale.apply(np.ones((1, 3)))
