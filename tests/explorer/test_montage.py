"""Montages: order, size and number of the pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from embedscope._errors import InvalidInputError
from embedscope.explorer.export._montage import draw_montage, write_montage
from embedscope.samples import Samples, join_samples, samples_from_array, samples_from_table


def grey_samples(n_samples: int, side: int = 8) -> Samples:
    """Each picture is of one grey, its row number."""
    pictures = np.empty((n_samples, side, side), np.uint8)
    pictures[:] = np.arange(n_samples)[:, None, None]
    pictures[0, 0, 0], pictures[-1, 0, 0] = 0, 255  # so that greys are their own scale
    return samples_from_array(pictures)


SAMPLES = grey_samples(250)


def shown(montage: np.ndarray, cell: int = 64) -> list[int]:
    """The grey in the middle of each cell, along lines."""
    middles = montage[2 + cell // 2 :: cell + 2, 2 + cell // 2 :: cell + 2, 0]
    return [int(grey) for grey in middles.ravel() if grey < 255]


@given(st.lists(st.integers(0, 249), min_size=1, max_size=130), st.integers(1, 60))
def test_rows_are_shown_in_order_evenly_thinned(rows: list[int], most: int) -> None:
    montage = draw_montage(SAMPLES, np.array(rows), most=most)
    found = shown(montage)
    assert len(found) == min(len(rows), most)
    if len(rows) <= most:
        assert found == rows
    elif most > 1:
        assert (found[0], found[-1]) == (rows[0], rows[-1])
    height, width, _ = montage.shape
    n_columns, n_lines = (width - 2) // 66, (height - 2) // 66
    assert n_lines <= n_columns <= n_lines + 1
    assert (n_lines - 1) * n_columns < len(found) <= n_lines * n_columns


def test_thinned_evenly() -> None:
    found = shown(draw_montage(SAMPLES, np.arange(101), most=11))
    assert found == list(range(0, 101, 10))


def test_pixels_are_enlarged_by_a_whole_factor() -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (1, 10, 7), dtype=np.uint8)
    pictures[0, 0, :2] = 0, 255
    samples = samples_from_array(pictures)
    montage = draw_montage(samples, np.array([0]))
    assert montage.shape == (70 + 4, 49 + 4, 3)
    np.testing.assert_array_equal(montage[2:-2:7, 2:-2:7], samples.thumbnail(0))
    assert (montage[:2] == 255).all()
    assert (montage[:, -2:] == 255).all()


def test_large_pictures_stay_as_they_are() -> None:
    samples = grey_samples(3, side=65)
    assert draw_montage(samples, np.array([0, 1])).shape == (69, 2 * 67 + 2, 3)


def test_file_holds_the_montage(tmp_path: Path) -> None:
    file = write_montage(tmp_path / "new" / "gate.png", SAMPLES, np.array([3, 1, 200]))
    pixels = np.rint(255 * imread(file)[..., :3]).astype(np.uint8)
    np.testing.assert_array_equal(pixels, draw_montage(SAMPLES, np.array([3, 1, 200])))
    assert [entry.name for entry in file.parent.iterdir()] == ["gate.png"]


@pytest.mark.parametrize(
    ("rows", "most", "message"),
    [
        ([], 5, "rows must be row numbers, at least one"),
        ([0.5], 5, "rows must be row numbers"),
        ([[1]], 5, "rows must be row numbers"),
        ([True], 5, "rows must be row numbers"),
        ([3, 250], 5, r"rows must be in 0\.\.249; got 3\.\.250"),
        ([-1], 5, r"rows must be in 0\.\.249; got -1"),
        ([1], 0, "most must be at least 1"),
    ],
)
def test_nothing_to_draw(rows: list[object], most: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=message):
        write_montage(tmp_path / "a.png", SAMPLES, np.array(rows), most=most)
    assert not list(tmp_path.iterdir())


def test_absent_pictures_are_left_out() -> None:
    other = samples_from_array(np.full((4, 8, 8), 9, np.uint8), source="other")
    joined = join_samples([grey_samples(250), other])
    some = replace(joined, absent={"other": "it does not exist"})
    assert shown(draw_montage(some, np.array([251, 7, 250]))) == [7]
    with pytest.raises(InvalidInputError, match="got 2 without, of 'other'"):
        draw_montage(some, np.array([251, 250]))


def test_table_has_no_pictures() -> None:
    samples = samples_from_table(pd.DataFrame({"a": [1.0, 2.0]}))
    with pytest.raises(InvalidInputError, match="samples must be pictures to draw a montage"):
        draw_montage(samples, np.array([0]))
