"""Masked pixels: values under a mask are never read."""

from __future__ import annotations

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.samples import (
    Source,
    measure_features,
    samples_from_array,
    samples_from_labels,
    samples_from_patches,
)

LABELS = np.kron(np.arange(1, 5).reshape(2, 2), np.ones((6, 6), int))
IMAGE = np.arange(144.0).reshape(12, 12)
MASKED = np.ma.masked_equal(LABELS, 4)


@pytest.mark.parametrize("where", ["numpy", "pyramid", "dask"])
def test_masked_labels_and_images_are_refused_and_the_remedy_works(where):
    labels = MASKED
    if where == "pyramid":
        labels = [MASKED, MASKED[::2, ::2]]
    if where == "dask":
        da = pytest.importorskip("dask.array")
        labels = da.from_array(MASKED)
    match = "labels must have no masked values; got a masked array"
    with pytest.raises(InvalidInputError, match=match):
        samples_from_labels(IMAGE, labels, 4)
    with pytest.raises(InvalidInputError, match=match):
        measure_features(IMAGE, labels)
    with pytest.raises(InvalidInputError, match=match):
        Source("cells", "labels", labels=labels, axes="yx")
    with pytest.raises(InvalidInputError, match="image must have no masked"):
        samples_from_labels(labels, LABELS, 4)
    with pytest.raises(InvalidInputError, match="image must have no masked"):
        samples_from_patches(labels, 4, image_axes="yx")
    filled = da.ma.filled(labels, 0) if where == "dask" else MASKED.filled(0)
    assert samples_from_labels(IMAGE, filled, 4).identities.label.tolist() == [1, 2, 3]


def test_masked_rows_are_refused_and_empty_masks_are_none():
    with pytest.raises(InvalidInputError, match="X must have no masked values"):
        samples_from_array(MASKED)
    assert len(samples_from_labels(IMAGE, np.ma.MaskedArray(LABELS), 4)) == 4


def test_the_error_of_labels_that_are_no_integers_has_a_remedy():
    with pytest.raises(InvalidInputError, match=r"Pass the image that holds the number of each"):
        samples_from_labels(IMAGE, LABELS / 3, 4)
    with pytest.raises(InvalidInputError, match=r"with scipy\.ndimage\.label"):
        samples_from_labels(IMAGE, LABELS > 1, 4)
