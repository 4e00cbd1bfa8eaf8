"""The preview follows the choice by itself, at once in words and soon in pictures."""

from __future__ import annotations

import threading

import dask.array as da
import numpy as np
import pandas as pd
import pytest
from map_pixels import settle
from napari.components import ViewerModel
from napari.layers import Image, Labels

from embedscope.napari_dock._qt_dispatcher import QtDispatcher
from embedscope.napari_dock.data._data_choice import DataChoice, Kind
from embedscope.napari_dock.data._data_panel import DataPanel
from embedscope.napari_dock.data._layer_samples import CropOptions
from embedscope.napari_dock.data._live_preview import LivePreview, middle_of_view


def field(side: int, pitch: int = 20) -> np.ndarray:
    """Squares of 8 pixels on a grid, each with an id of its own, with gaps."""
    labels = np.zeros((side, side), np.int32)
    for number, (y, x) in enumerate(np.ndindex(side // pitch, side // pitch)):
        labels[y * pitch + 4 : y * pitch + 12, x * pitch + 4 : x * pitch + 12] = 3 * number + 7
    return labels


class Read:
    """Labels on disk that record what is read."""

    def __init__(self, labels: np.ndarray) -> None:
        self._labels, self.n_read = labels, 0
        self.shape, self.dtype, self.ndim = labels.shape, labels.dtype, labels.ndim

    def __getitem__(self, key):
        part = self._labels[key]
        self.n_read += part.size
        return part


@pytest.fixture
def panel(qtbot):
    """A panel on the screen, that follows a viewer with a field of cells."""
    viewer = ViewerModel()
    labels = field(400)
    viewer.add_layer(Image(labels.astype(np.float32), name="stain"))
    viewer.add_layer(Labels(labels, name="cells"))
    panel = DataPanel()
    qtbot.addWidget(panel)
    live = LivePreview(viewer, panel, QtDispatcher(panel))
    panel.show_layers(list(viewer.layers))
    panel.show()
    settle()
    yield panel
    live.close()


def n_pictures(panel) -> int:
    return sum(not crop.pixmap().isNull() for crop in panel.preview.crops)


def test_sixteen_crops_come_by_themselves_and_say_how_large_they_are(panel, qtbot):
    qtbot.waitUntil(lambda: n_pictures(panel) == 16, timeout=60_000)
    assert "8 x 8 px" in panel.preview.text.text()
    panel.crop_size.setValue(24)
    assert panel.preview.text.text() == "Crops of 24 x 24 px"  # at once
    before = panel.preview.crops[0].pixmap().toImage()
    qtbot.waitUntil(lambda: panel.preview.crops[0].pixmap().toImage() != before, timeout=60_000)


def test_patches_and_columns(panel, qtbot):
    panel.crop_size.setValue(30)
    panel.kind.setCurrentIndex(list(Kind).index(Kind.PATCHES))
    assert panel.preview.text.text() == "Patches of 30 x 30 px"
    qtbot.waitUntil(lambda: n_pictures(panel) == 16, timeout=60_000)
    panel.kind.setCurrentIndex(list(Kind).index(Kind.FEATURES))
    qtbot.waitUntil(lambda: n_pictures(panel) == 0, timeout=60_000)


def test_what_is_wrong_is_said_in_place_of_the_pictures(panel, qtbot):
    qtbot.waitUntil(lambda: n_pictures(panel) == 16, timeout=60_000)
    panel.images.item(0).setCheckState(panel.images.item(0).checkState().Unchecked)
    qtbot.waitUntil(lambda: "must be chosen" in panel.preview.text.text(), timeout=60_000)
    assert n_pictures(panel) == 0


def test_columns_that_are_measured_later_are_offered_at_once(panel):
    panel.kind.setCurrentIndex(list(Kind).index(Kind.FEATURES))
    cells, told = panel.labels.currentData(), []
    panel.changed.connect(lambda: told.append(panel.choice().columns))
    table = pd.DataFrame({"index": [7, 10], "area": [64.0, 64.0], "kind": ["a", "b"]})
    cells.features = table
    assert told == [("area",)]
    cells.features = table.assign(wave=[0.1, 0.2])
    panel.columns.item(0).setCheckState(panel.columns.item(0).checkState().Unchecked)
    cells.features = table.assign(wave=[0.1, 0.2], more=[1, 2])
    assert told[1:] == [("area", "wave"), ("wave",), ("wave", "more")]
    assert panel.preview.text.text() == "2 rows of 2 columns"


def test_where_nothing_is_in_view_it_looks_again_once_the_view_moves(qtbot):
    labels = np.zeros((50, 3000), np.int32)
    labels[10:20, 2900:2910] = 4
    viewer = ViewerModel()
    viewer.add_layer(Image(labels * 1.0, name="stain"))
    viewer.add_layer(Labels(labels, name="cells"))
    viewer.scene.camera.center = (0, 25, 100)
    panel = DataPanel()
    qtbot.addWidget(panel)
    live = LivePreview(viewer, panel, QtDispatcher(panel))
    panel.show_layers(list(viewer.layers))
    panel.show()
    qtbot.waitUntil(lambda: "in view" in panel.preview.text.text(), timeout=60_000)
    viewer.scene.camera.center = (0, 25, 2800)
    qtbot.waitUntil(lambda: n_pictures(panel) == 1, timeout=60_000)
    live.close()


def test_a_collapsed_panel_reads_nothing(panel, qtbot):
    qtbot.waitUntil(lambda: n_pictures(panel) == 16, timeout=60_000)
    panel.hide()
    panel.crop_size.setValue(12)
    qtbot.waitUntil(lambda: n_pictures(panel) == 0, timeout=60_000)
    panel.show()
    qtbot.waitUntil(lambda: n_pictures(panel) == 16, timeout=60_000)


def test_many_changes_are_one_preview(panel, qtbot):
    qtbot.waitUntil(lambda: n_pictures(panel) == 16, timeout=60_000)
    begun = []
    for size in range(10, 40):
        panel.crop_size.setValue(size)
        settle()
        begun.append(sum(each.name == "embedscope samples" for each in threading.enumerate()))
    assert max(begun) == 0
    qtbot.waitUntil(lambda: "39" in panel.preview.text.text(), timeout=60_000)


def test_of_a_large_image_only_a_block_is_read():
    labels = Read(field(4000))
    choice = DataChoice(
        Kind.OBJECTS,
        Labels(da.from_array(labels, chunks=200), name="cells"),
        (Image(da.zeros((4000, 4000), chunks=200), name="stain"),),
    )
    labels.n_read = 0  # napari itself has read some for its thumbnail
    preview = choice.preview((2000, 2000))
    assert len(preview.pictures) == 16
    assert 0 < labels.n_read < 4000**2 / 50


def test_sparse_objects_are_searched_farther_away_unless_the_preview_is_outdated():
    labels = np.zeros((3000, 3000), np.int32)
    labels[1500:1510, 1500:1510] = 4
    labels[1900:1910, 1700:1710] = 9
    choice = DataChoice(
        Kind.OBJECTS, Labels(labels, name="cells"), (Image(labels * 1.0, name="stain"),)
    )
    assert len(choice.preview((1500, 1500)).pictures) == 2
    assert len(choice.preview((1500, 1500), lambda: False).pictures) == 1
    empty = choice.preview((100, 100), lambda: False)
    assert empty.pictures == ()
    assert "in view" in empty.text


@pytest.mark.parametrize(("axes", "shape"), [("t", (5, 60, 80)), ("z", (5, 60, 80))])
def test_of_films_the_frame_on_show_and_of_stacks_the_depth(axes, shape):
    labels = np.zeros(shape, np.int32)
    labels[3, 10:20, 10:20], labels[3, 30:40, 30:40], labels[2, 30:40, 30:40] = 5, 8, 8
    cells, stain = Labels(labels, name="cells"), Image(labels * 1.0, name="stain")
    choice = DataChoice(Kind.OBJECTS, cells, (stain,), options=CropOptions(third_axis=axes))
    assert len(choice.preview((3, 30, 30)).pictures) == 2
    assert len(choice.preview((0, 30, 30)).pictures) == (0 if axes == "t" else 2)


def test_the_middle_of_the_view_is_a_pixel_of_the_layer():
    viewer = ViewerModel()
    cells = Labels(np.ones((4, 50, 60), int), scale=(60, 2, 0.5), translate=(0, 10, 0))
    viewer.add_layer(cells)
    viewer.dims.set_point(0, 120)
    viewer.scene.camera.center = (0, 10 + 2 * 30, 0.5 * 20)
    assert middle_of_view(viewer, cells) == (2, 30, 20)
    viewer.scene.camera.center = (0, -500, 900)
    assert middle_of_view(viewer, cells) == (2, 0, 59)
