"""Feature tables are converted to plain arrays and back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import pandas as hp

from embedscope._errors import InvalidModelError
from embedscope.core.storage._stored_header import is_storable
from embedscope.explorer.session._session_columns import columns_from_arrays, columns_to_arrays


def there_and_back(frame: pd.DataFrame) -> pd.DataFrame:
    described, arrays = columns_to_arrays(frame)
    assert all(is_storable(array) for array in arrays.values())
    return columns_from_arrays(json.loads(json.dumps(described)), arrays, len(frame))


@given(
    hp.data_frames(
        [
            hp.column("real", dtype=np.float32),
            hp.column("whole, µ", dtype=np.int64),
            hp.column("flag", dtype=bool),
        ],
        index=hp.range_indexes(),
    ),
    st.data(),
)
def test_any_numbers_and_categories_are_restored(frame: pd.DataFrame, data: Any) -> None:
    words = st.sampled_from(["", "a", 'b "c", d', "細胞", None])
    values = data.draw(st.lists(words, min_size=len(frame), max_size=len(frame)))
    classes = ["", "a", 'b "c", d', "細胞", "never"]
    frame["class"] = pd.Categorical(values, classes, ordered=data.draw(st.booleans()))
    pd.testing.assert_frame_equal(there_and_back(frame), frame)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.array([1, None], dtype="Int16"), [1.0, np.nan]),
        (pd.array([1, 2], dtype="Int16"), np.array([1, 2], np.int16)),
        (pd.array([True, False], dtype="boolean"), [True, False]),
        (pd.array(["x", None], dtype="string"), pd.Categorical(["x", None])),
        (np.array(["x", "y"], object), pd.Categorical(["x", "y"])),
        (pd.Categorical([3, 1]), pd.Categorical(["3", "1"], ["1", "3"])),
        (pd.Series([{"a": 1}, None]), pd.Categorical(["{'a': 1}", None])),
        (pd.Series([1, "1"], dtype=object), pd.Categorical(["1", "1"])),
        (pd.Categorical([1, "1"]), pd.Categorical(["1", "1"])),
        (pd.to_datetime(["2026-01-02"] * 2), pd.Categorical(["2026-01-02 00:00:00"] * 2)),
    ],
)
def test_other_columns_become_numbers_or_categories(column: Any, expected: Any) -> None:
    found = there_and_back(pd.DataFrame({"a": column}))
    pd.testing.assert_frame_equal(found, pd.DataFrame({"a": expected}))


def test_no_columns_keep_their_rows() -> None:
    assert there_and_back(pd.DataFrame(index=range(5))).shape == (5, 0)


@pytest.mark.parametrize(
    ("described", "arrays"),
    [
        ([{"name": "a", "kind": "values"}], {}),
        ([{"name": "a", "kind": "values"}], {"column_0": np.zeros(2)}),
        ([{"name": "a", "kind": "values"}], {"column_0": np.zeros((3, 2))}),
        ([{"kind": "values"}], {"column_0": np.zeros(3)}),
        (["a"], {"column_0": np.zeros(3)}),
        (
            [{"name": "a", "kind": "categories", "ordered": False}],
            {"column_0": np.full(3, 9), "column_0_categories": np.array(["x"])},
        ),
    ],
)
def test_parts_that_do_not_fit(described: Any, arrays: Any) -> None:
    with pytest.raises(InvalidModelError, match="parts that do not fit together"):
        columns_from_arrays(described, arrays, 3)
