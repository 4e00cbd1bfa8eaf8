"""Rows of a table that only seem to fit an image are refused, or corrected if that is proven."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from embedscope._errors import InvalidInputError
from embedscope.samples import Source, samples_from_table


def film(n_frames: int = 4) -> np.ndarray:
    """Objects 1 to 6 in every frame of the time series; 7 only in the last one."""
    labels = np.zeros((n_frames, 6, 24), np.int32)
    for label in range(1, 7):
        labels[:, 1:4, 4 * label - 3 : 4 * label - 1] = label
    labels[-1, 5, 5] = 7
    return labels


SERIES = Source("film", "labels", labels=film(), axes="tyx")
STILL = Source("still", "labels", labels=film()[0], axes="yx")


def table(frames, labels=range(1, 7)) -> pd.DataFrame:
    rows = [(frame, label) for frame in frames for label in labels]
    made = pd.DataFrame(rows, columns=["frame", "label"])
    return made.assign(value=100.0 * made["frame"] + made["label"])


def test_frames_from_one_are_corrected_if_every_row_and_object_fits():
    rows = pd.concat([table(range(1, 5)), table([4], [7])], ignore_index=True)
    samples = samples_from_table(rows, columns=["value"], source=SERIES)
    assert samples.identities.frame.tolist() == (rows["frame"] - 1).tolist()
    assert samples.left_out[0].name == "first frame 1 in column 'frame'"


@pytest.mark.parametrize("frames", [range(1, 5), range(1, 4), range(2, 4), range(4, 8), [3]])
def test_frames_that_may_not_count_from_zero_are_refused(frames):
    rows = table(frames)
    with pytest.raises(InvalidInputError, match="must count the frames of 'film' from 0; got"):
        samples_from_table(rows, columns=["value"], source=SERIES)
    shown = rows[rows["frame"] < 4]
    if len(shown):  # what the message says, if they count from 0
        background = pd.DataFrame({"frame": [0], "label": [0], "value": [np.nan]})
        named = pd.concat([shown, background], ignore_index=True)
        samples = samples_from_table(named, columns=["value"], source=SERIES)
        assert samples.identities.frame.tolist() == shown["frame"].tolist()


def test_frames_from_zero_stay_unchanged():
    samples = samples_from_table(table([0, 2]), columns=["value"], source=SERIES)
    assert set(samples.identities.frame) == {0, 2}
    (note,) = [each for each in samples.left_out if "objects" in each.name]
    reason = "the table has no row for them (labels 1, 2, 3, 4, 5, ...)"
    assert note == ("values of 13 objects", reason)


def test_a_single_image_takes_one_time_point_of_any_number():
    samples = samples_from_table(table([5]), columns=["value"], source=STILL)
    assert not samples.identities.frame.any()
    assert "number 5 in column 'frame'" in [name for name, _ in samples.left_out]
    with pytest.raises(InvalidInputError, match="which is one time point, must be of one; got 2"):
        samples_from_table(table([0, 1], [1, 2]), columns=["value"], source=STILL)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (range(6), "'label' only counts them"),
        ([5, 4, 3, 2, 1, 0], r"got 5 in column 'label' that are, and 6 if \+1 is added to all"),
        ([2, 3, 4, 5, 6, 8], None),
        ([3, 4, 5, 6, 7], "and 5 if -1 is added to all"),
        ([71, 72], "got 0 of 2 rows whose label in column 'label' is one of its 6 objects"),
        ([1, 20, 3, 40, 50, 60, 70], "got 2 of 7 rows"),
        ([1, 2, 3, 4, 5, 6, 20, 30, 40, 50, 60, 70, 80], None),  # the table of a larger image
        ([1, 2, 2], "identities must differ; got 1 that repeat an earlier one, by column 'label'"),
    ],
)
def test_labels_that_fit_better_plus_or_minus_one_are_refused(labels, message):
    rows = table([0], labels)
    if message is None:
        samples = samples_from_table(rows, columns=["value"], source=STILL)
        assert any("of the table" in name for name, _ in samples.left_out)
        return
    with pytest.raises(InvalidInputError, match=message):
        samples_from_table(rows, columns=["value"], source=STILL)


def test_row_numbers_of_a_time_series_are_no_labels():
    film_rows = pd.DataFrame({"frame": [0, 0, 0, 0, 1, 1, 1, 1], "label": range(8)})
    labels = np.zeros((2, 1, 16), np.int32)
    labels[:, 0, ::4] = 1, 5, 6, 7  # in both frames: as many rows as labels from 0 to 7
    source = Source("film", "labels", labels=labels, axes="tyx")
    with pytest.raises(InvalidInputError, match="column 'label' only counts them"):
        samples_from_table(film_rows.assign(value=np.arange(8.0)), columns=["value"], source=source)


def test_a_class_called_label_is_named_in_the_error():
    rows = pd.DataFrame({"label": [0, 1, 0, 1], "value": [1.0, 2, 3, 4]})
    with pytest.raises(InvalidInputError, match=r"by column 'label'.* a class and no label"):
        samples_from_table(rows)
    assert len(samples_from_table(rows.rename(columns={"label": "class"}))) == 4
