"""A later image whose intensities are not comparable to those the scale was measured on."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.samples import samples_from_labels, samples_from_patches

LABELS = np.kron(np.arange(1, 10).reshape(3, 3), np.pad(np.ones((12, 12), int), 4))
PIXELS = np.random.default_rng(0).integers(200, 4000, LABELS.shape).astype(np.uint16)


def made(pixels, align=False):
    return samples_from_labels(pixels, LABELS, 8, align=align, features=False)


@pytest.mark.parametrize("align", [False, True])
def test_an_8_bit_export_of_a_16_bit_image_is_refused(align):
    export = (PIXELS // 16).astype(np.uint8)
    for later, first in ((export, PIXELS), (PIXELS, export)):
        with pytest.raises(InvalidInputError, match=f"dtype of the first one, {first.dtype}"):
            made(first, align).same_way(later, LABELS, source="later")
        converted = later.astype(first.dtype)  # as the message says
        assert len(made(first, align).same_way(converted, LABELS, source="later")) == 9
    with pytest.raises(InvalidInputError, match="got uint8"):
        samples_from_patches(PIXELS, 20).same_way(export, source="later")


def test_floats_after_integers_are_noted():
    samples = made(PIXELS).same_way(PIXELS * 1.0, LABELS, source="later")
    (note,) = samples.left_out
    assert note.name == "intensities of later"
    assert note.reason.startswith("are float64, but the scale was measured on uint16")
    patches = samples_from_patches(PIXELS, 20).same_way(PIXELS * 1.0, source="later")
    assert [name for name, _ in patches.left_out] == ["intensities of later"]


def test_comparable_numbers_give_no_note():
    for later in (PIXELS, PIXELS.astype(">u2")):
        assert not made(PIXELS).same_way(later, LABELS, source="later").left_out
    floats = PIXELS.astype(np.float32)
    assert not made(floats).same_way(floats.astype(np.float64), LABELS, source="later").left_out
