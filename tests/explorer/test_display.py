"""Saved pictures have the limits and colours that the user has set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from embedscope._errors import InvalidInputError
from embedscope.explorer import Explorer
from embedscope.explorer.export._montage import draw_grid_picture, draw_montage
from embedscope.samples import (
    Display,
    Samples,
    samples_from_array,
    samples_from_labels,
    samples_from_table,
)
from embedscope.training import TrainingParameters

VIRIDIS_ENDS = ([0.267, 0.005, 0.329], [0.993, 0.906, 0.144])


def two_channels() -> Samples:
    """Objects of one intensity in each channel, of which the second is bright."""
    labels = np.zeros((20, 60), np.uint16)
    image = np.zeros((20, 60, 2), np.uint16)
    for number in range(3):
        labels[6:14, 20 * number + 6 : 20 * number + 14] = number + 1
        image[labels == number + 1] = 100 * (number + 1), 1000 * (number + 1)
    return samples_from_labels(image, labels, 8, percentiles=(0, 100), channel_names=["a", "b"])


SAMPLES = two_channels()


def middles(samples: Samples, **options: Any) -> list[list[int]]:
    return [samples.thumbnail(row, **options)[4, 4].tolist() for row in range(len(samples))]


def test_limits_are_intensities_of_the_image() -> None:
    for green in ("#00ff00", "lime", "green"):
        shown = middles(SAMPLES, display=Display([(0, 400), (1000, 3000)], ["red", green]))
        assert shown == [[64, 0, 0], [128, 128, 0], [191, 255, 0]]
    grey = middles(SAMPLES, display=Display((0, 300), ["gray", "black"]))
    assert grey == [[85] * 3, [170] * 3, [255] * 3]


def test_wider_limits_than_those_of_the_network_are_not_clipped() -> None:
    # The scale of the network ends at 300; its copy of the picture would end there too.
    tight = SAMPLES.same_way(
        *(4 * np.asarray(SAMPLES.sources["image"].image),),
        SAMPLES.sources["image"].labels,
        source="bright",
    )
    assert middles(tight, display=Display((0, 1200), ["white", "black"]))[1:] == [
        [170] * 3,
        [255] * 3,
    ]


def test_a_table_of_colours_is_a_colormap() -> None:
    shown = middles(SAMPLES, display=Display([(100, 300), (0, 1)], [VIRIDIS_ENDS, "black"]))
    np.testing.assert_allclose(shown[0], np.multiply(VIRIDIS_ENDS[0], 255), atol=1)
    np.testing.assert_allclose(shown[2], np.multiply(VIRIDIS_ENDS[1], 255), atol=1)


def test_colours_alone_keep_the_limits_of_the_network() -> None:
    shown = middles(SAMPLES, display=Display(colors=["cyan", "black"]))
    assert shown == [[0, 0, 0], [0, 128, 128], [0, 255, 255]]
    assert SAMPLES.to_picture(SAMPLES.X[1], display=Display(colors=["cyan", "black"]))[
        4, 4
    ].tolist() == [0, 128, 128]


def test_a_montage_and_a_grid_are_shown_so(tmp_path: Path) -> None:
    display = Display([(0, 400), (1000, 3000)], ["red", "lime"])
    explorer = Explorer(SAMPLES)
    explorer.select_rows([0, 2])
    explorer.save_montage(tmp_path / "two.png", display=display)
    pixels = (255 * imread(tmp_path / "two.png")[..., :3]).round().astype(np.uint8)
    np.testing.assert_array_equal(pixels, draw_montage(SAMPLES, [0, 2], display=display))
    assert pixels[34, 34].tolist() == [64, 0, 0]
    assert pixels[34, 100].tolist() == [191, 255, 0]
    decoded = SAMPLES.X[[0, 1, 2, 2]]
    grid = draw_grid_picture(SAMPLES, decoded, np.array([1, 1, 1, 0.001]), display=display)
    assert grid[100, 34].tolist() == [64, 0, 0]  # the first is in the lower left corner
    assert grid[100, 100].tolist() == [128, 128, 0]
    assert grid[34, 34].tolist() == [191, 255, 0]
    assert (grid[2:66, 68:132] == 255).all()  # no sample is near the last


def test_the_decoded_map_is_saved(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 90, (40, 6, 6), dtype=np.uint8)
    pictures[20:] += 100
    parameters = TrainingParameters(
        n_neighbors=5, n_training_epochs=1, encoder="dense", reconstruction=False
    )
    explorer = Explorer(samples_from_array(pictures), parameters=parameters)
    with pytest.raises(InvalidInputError):  # there is no map yet
        explorer.save_grid(tmp_path / "none.png", 3)
    explorer.train()
    assert explorer.wait(120).phase.value == "done"
    explorer.save_grid(tmp_path / "grid.png", 3, display=Display((0, 255), ["red"]))
    pixels = imread(tmp_path / "grid.png")[..., :3]
    assert pixels.shape == (3 * 68 + 2, 3 * 68 + 2, 3)  # 6 pixels, 11 times as large
    assert pixels[1, 1].tolist() == [1, 1, 1]
    inside = pixels[(pixels != 1).any(axis=-1)]
    assert inside[:, 0].max() > 0.2
    assert (inside[:, 1:] == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"limits": (3, 3)}, "limits must be pairs of rising numbers"),
        ({"limits": [(0, 1), (0, np.nan)]}, "limits must be pairs of rising numbers"),
        ({"limits": [(0, 1), 5]}, "limits must be pairs of rising numbers"),
        ({"limits": "bright"}, "limits must be pairs of rising numbers"),
        ({"colors": ["no colour", "red"]}, "colors must be names"),
        ({"colors": [np.ones((4, 4)), "red"]}, "colors must be names"),
        ({"colors": [[[0, 0, 2]], "red"]}, "colors must be names"),
        ({"colors": ["red"]}, "colors must be one for each of 2 channels; got 1"),
        ({"limits": [(0, 1)] * 3}, "limits must be one pair, or one for each of 2 channels; got 3"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        SAMPLES.thumbnail(0, display=Display(**options))


def test_tables_have_no_grid_of_pictures() -> None:
    import pandas as pd

    table = samples_from_table(pd.DataFrame({"a": [1.0, 2.0, 4.0]}))
    with pytest.raises(InvalidInputError, match="samples must be pictures"):
        draw_grid_picture(table, table.X, np.ones(3))
