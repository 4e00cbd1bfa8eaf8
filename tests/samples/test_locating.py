"""Rows of a table find their objects in the labels, by label and frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from skimage.measure import regionprops

from embedscope._errors import InvalidInputError
from embedscope.samples import Source, samples_from_table
from embedscope.samples.images._locating import locate_objects


def labels() -> np.ndarray:
    film = np.zeros((2, 30, 40), np.int32)
    film[0, 3:9, 4:20], film[0, 12:15, 30:33] = 700, 5
    film[1, 20:28, 1:4], film[1, 12:15, 10:33] = 700, 9
    return film


def table(rows: list[tuple[int, int]]) -> pd.DataFrame:
    frames, ids = zip(*rows, strict=True)
    size = np.arange(len(rows)) * 1.5
    return pd.DataFrame({"frame": frames, "label": ids, "size": size})


def test_each_row_has_the_middle_and_the_box_of_its_own_object():
    source = Source("cells", "labels", labels=labels(), axes="tyx")
    rows = [(1, 9), (0, 700), (1, 700), (0, 5)]
    found = locate_objects(samples_from_table(table(rows), source=source))
    for row, (frame, label) in enumerate(rows):
        (region,) = [each for each in regionprops(labels()[frame]) if each.label == label]
        np.testing.assert_allclose(found.centroids[row], region.centroid)
        assert tuple(found.bounding_boxes[row]) == region.bbox


def test_a_row_without_an_object_has_no_position():
    source = Source("cells", "labels", labels=labels(), axes="tyx")
    found = locate_objects(samples_from_table(table([(0, 5), (1, 5), (0, 700)]), source=source))
    assert np.isnan(found.centroids[1]).all()
    assert not found.bounding_boxes[1].any()
    assert np.isfinite(found.centroids[[0, 2]]).all()


def test_without_labels_nothing_can_be_found():
    with pytest.raises(InvalidInputError, match="one source with labels"):
        locate_objects(samples_from_table(table([(0, 5), (0, 6)])))
