"""Samples in words: the same name for both front ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from embedscope.explorer import Explorer, depth_in_words, left_out_in_words, name_of, names_of_rows
from embedscope.samples import (
    SampleId,
    join_samples,
    samples_from_array,
    samples_from_labels,
    samples_from_patches,
    samples_from_table,
)


def _squares(n_frames: int | None = None) -> np.ndarray:
    labels = np.zeros((20, 60), np.int32)
    for label in (4, 9):
        labels[5:15, 4 * label : 4 * label + 10] = label
    return labels if n_frames is None else np.stack([labels] * n_frames)


def _cells(source: str, n_frames: int | None = None):
    labels = _squares(n_frames)
    axes = {} if n_frames is None else {"axes": "tyx"}
    return samples_from_labels(labels.astype(np.float32), labels, source=source, **axes)


def test_a_frame_is_named_in_a_series_only():
    assert names_of_rows(_cells("still"), [0, 1]) == ["still 4", "still 9"]
    film = _cells("film", 2)
    assert names_of_rows(film, [0, 3]) == ["film 4, frame 0", "film 9, frame 1"]


def test_a_series_of_one_frame_is_still_a_series():
    assert names_of_rows(_cells("film", 1), [0]) == ["film 4, frame 0"]


def test_each_source_is_a_series_or_not():
    both = join_samples([_cells("still"), _cells("film", 2)])
    assert names_of_rows(both, [1, 2]) == ["still 9", "film 4, frame 0"]
    assert name_of(both, SampleId("elsewhere", 3, 7)) == "elsewhere 7"


def test_a_table_with_frames_is_a_series():
    table = pd.DataFrame({"label": [1, 1], "frame": [0, 1], "size": [2.0, 3.0]})
    assert names_of_rows(samples_from_table(table, source="cells"), [0]) == ["cells 1, frame 0"]


def test_the_feature_that_colours_comes_first_and_numbers_are_short():
    table = pd.DataFrame({"label": [3, 5], "size": [2.123456, 3.0], "age": [1.0, 2.0], "kind": "a"})
    explorer = Explorer(samples_from_table(table, source="cells"))
    assert explorer.describe(0).name == "cells 3"
    assert dict(explorer.describe(0).values)["size"] == "2.123"
    explorer.color("age")
    assert explorer.describe(1).values[0] == ("age", "2")


def test_missing_row_is_refused():
    with pytest.raises(ValueError, match="samples must be there first"):
        Explorer().describe(0)
    explorer = Explorer(np.random.default_rng(0).random((5, 3)))
    with pytest.raises(ValueError, match="5"):
        explorer.describe(5)


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        ("project", "maximum along z"),
        ("mean", "mean along z"),
        ("middle", "middle plane of the object"),
        ("volume", "maximum along z"),
    ],
)
def test_pictures_of_volumes_say_what_they_show(volume, said):
    labels = _squares(3)
    image = labels.astype(np.float32)
    options = {"axes": "zyx", "volume": volume, "features": False}
    assert depth_in_words(samples_from_labels(image, labels, **options)) == said
    patches = samples_from_patches(image, 10, image_axes="zyx", volume=volume)
    assert depth_in_words(patches) == said.removesuffix(" of the object")


def test_flat_pictures_and_tables_say_nothing_of_depth(rng):
    assert depth_in_words(None) == ""
    assert depth_in_words(_cells("film", 3)) == ""
    assert depth_in_words(samples_from_table(pd.DataFrame({"a": [1.0, 2.0]}))) == ""
    assert depth_in_words(samples_from_array(rng.random((5, 4, 6, 6, 1)))) == "maximum along z"


def test_missing_rows_are_named_before_columns_that_are_not_learned():
    words = {f"word {number}": ["a", "b", "c"] for number in range(50)}
    samples = samples_from_table(pd.DataFrame({**words, "size": [1.0, 2.0, np.nan]}))
    sentence, lines = left_out_in_words(samples)
    assert sentence.startswith("Left out or changed: 1 row (missing or infinite values")
    assert sentence.endswith(", word 0 (not numeric (object)) and 49 others.")
    assert lines[0].startswith("1 row: missing or infinite values")
    assert (len(lines), lines[-1]) == (41, "and 11 more")
    assert left_out_in_words(None) == ("", ())
    assert left_out_in_words(samples_from_array(np.eye(4))) == ("", ())
