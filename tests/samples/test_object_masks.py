"""The mask of each crop's own object."""

from __future__ import annotations

import numpy as np

from embedscope.samples import join_samples, samples_from_array, samples_from_labels
from embedscope.samples.images import object_masks


def field() -> tuple[np.ndarray, np.ndarray]:
    labels = np.zeros((40, 40), np.uint16)
    labels[4:10, 4:8] = 7
    labels[4:10, 8:14] = 9  # touches the first
    labels[30:34, 36:40] = 12  # at the border
    return labels.astype(np.float32), labels


def test_a_mask_has_the_pixels_of_its_own_object():
    image, labels = field()
    cut = samples_from_labels(image, labels, 16, label_ids=[12, 7], features=False)
    masks = object_masks(cut)
    assert masks.shape == (2, 16, 16)
    assert masks.sum(axis=(1, 2)).tolist() == [16, 24]
    np.testing.assert_array_equal(masks[1], cut.images[1, ..., 0] == 7)


def test_masks_of_joined_sources_and_of_volumes():
    image, labels = field()
    one = samples_from_labels(image, labels, 16, source="one", features=False)
    other = one.same_way(image, labels, source="other", label_ids=[9])
    assert object_masks(join_samples([one, other])).sum(axis=(1, 2)).tolist() == [24, 36, 16, 36]
    stack = np.stack([labels * 0, labels, labels])
    deep = samples_from_labels(stack, stack, 16, axes="zyx", volume="volume", features=False)
    assert object_masks(deep).sum(axis=(1, 2, 3)).tolist() == [48, 72, 32]


def test_arrays_have_no_masks(rng):
    assert object_masks(samples_from_array(rng.random((5, 8, 8, 1), np.float32))) is None
