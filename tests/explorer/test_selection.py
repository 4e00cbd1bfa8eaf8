"""Selections: frozen rows, and how gestures combine with them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._selection import MODES, Selection, combine, mask_of_rows

row_sets = st.sets(st.integers(0, 19))
AS_SETS = {
    "replace": lambda current, hits: hits,
    "add": set.union,
    "subtract": set.difference,
    "invert": set.symmetric_difference,
}


@given(row_sets, row_sets, st.sampled_from(MODES))
def test_modes_are_set_algebra(current, hits, mode):
    masks = [mask_of_rows(list(rows), 20) for rows in (current, hits)]
    combined = Selection.of_mask(combine(*masks, mode))
    assert set(combined.rows.tolist()) == AS_SETS[mode](current, hits)
    assert set(np.flatnonzero(masks[0])) == current  # what was handed in is left alone


def test_replace_gives_a_new_array():
    hits = np.array([True, False])
    combined = combine(np.array([False, False]), hits, "replace")
    hits[0] = False
    assert combined[0]


@given(st.lists(st.integers(0, 19)))
def test_rows_are_sorted_each_once(rows):
    selection = Selection(rows, 3, "napari")
    assert selection.rows.tolist() == sorted(set(rows))
    assert selection.rows.dtype == np.int64
    assert len(selection) == len(set(rows))
    assert selection.mask(20).sum() == len(selection)
    assert (selection.revision, selection.origin) == (3, "napari")


def test_selection_is_immutable():
    selection = Selection([1, 2])
    with pytest.raises(ValueError, match="read-only"):
        selection.rows[0] = 5
    with pytest.raises(FrozenInstanceError):
        selection.revision = 2


def test_unknown_mode_is_refused():
    with pytest.raises(InvalidInputError, match="mode must be one of replace, add"):
        combine(np.zeros(2, bool), np.zeros(2, bool), "xor")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([-1, 3], "got -1. Rows that were not found"),
        ([3, 7], r"in \[0, 5\); got 7"),
        ([0.5], "whole numbers"),
        ([True, False, True, False, True], "numpy.flatnonzero"),
        ([[1, 2]], "whole numbers"),
        (3, "whole numbers"),
        ([2**63], "got 9223372036854775808"),
    ],
)
def test_bad_rows_are_refused(rows, said):
    with pytest.raises(InvalidInputError, match=said):
        mask_of_rows(np.array(rows), 5)


def test_no_rows():
    assert not mask_of_rows([], 3).any()
    assert len(Selection([])) == 0
