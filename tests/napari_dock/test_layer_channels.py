"""Channels of another image: matched by the names of their layers, never by order."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image, Labels

from embedscope._errors import InvalidInputError
from embedscope.napari_dock.data._layer_samples import (
    CropOptions,
    samples_of_objects,
    samples_of_patches,
    samples_same_way,
)

LABELS = np.kron(np.arange(1, 10).reshape(3, 3), np.pad(np.ones((12, 12), int), 4))
STAINS = {"DAPI": 100, "GFP": 5000, "brightfield": 9000}


def image(stain: str, name: str) -> Image:
    pixels = np.random.default_rng(STAINS[stain]).uniform(0, 100, LABELS.shape) + STAINS[stain]
    return Image(pixels, name=name)


def first():
    layers = [image(stain, stain) for stain in STAINS]
    return samples_of_objects(Labels(LABELS, name="one"), layers, CropOptions(size_px=12))


@pytest.mark.parametrize(
    "named",
    [
        "{}",
        "{} [1]",
        "day 2 {}",
        "{}-plate_7 [3]",
    ],
)
def test_channels_are_found_in_any_order(named):
    samples = first()
    layers = [image(stain, named.format(stain)) for stain in ("GFP", "brightfield", "DAPI")]
    again = samples_same_way(samples, Labels(LABELS, name="two"), layers)
    np.testing.assert_array_equal(again.images, samples.images)
    patches = samples_of_patches([image(stain, stain) for stain in STAINS], 10, 10, "")
    others = samples_same_way(patches, None, layers)
    np.testing.assert_array_equal(others.images, patches.images)


def test_napari_s_numbers_are_the_channels_of_a_file_opened_twice():
    opened = [image(s, n) for s, n in zip(STAINS, ("a", "a [1]", "a [2]"), strict=True)]
    samples = samples_of_objects(Labels(LABELS), opened, CropOptions(size_px=12))
    later = [image(s, n) for s, n in zip(STAINS, ("b", "b [1]", "b [2]"), strict=True)]
    again = samples_same_way(samples, Labels(LABELS, name="two"), later[::-1])
    np.testing.assert_array_equal(again.images, samples.images)
    assert any("'b [1]'" in name and "'a [1]'" in why for name, why in again.left_out)


@pytest.mark.parametrize(
    "names",
    [("DAPI", "GFP", "Cy5"), ("DAPI", "GFP"), ("a", "b", "c"), ("DAPI", "DAPI [1]", "GFP")],
)
def test_other_channels_are_refused_with_both_lists(names):
    layers = [image("DAPI", name) for name in names]
    with pytest.raises(InvalidInputError, match=r"\['DAPI', 'GFP', 'brightfield'\]; got \['"):
        samples_same_way(first(), Labels(LABELS, name="two"), layers)


def test_colours_are_no_stains():
    colours = Image(np.zeros((*LABELS.shape, 3), np.uint8), rgb=True)
    with pytest.raises(InvalidInputError, match="got one layer with colours"):
        samples_same_way(first(), Labels(LABELS, name="two"), [colours])
    samples = samples_of_objects(Labels(LABELS), [colours], CropOptions(size_px=12))
    assert len(samples_same_way(samples, Labels(LABELS, name="two"), [colours])) == 9


def test_cut_again_the_layers_may_have_new_names():
    samples, layers = first(), [image(stain, f"x {k}") for k, stain in enumerate(STAINS)]
    again = samples_same_way(samples, Labels(LABELS, name="two"), layers, "one")
    np.testing.assert_array_equal(again.images, samples.images)
