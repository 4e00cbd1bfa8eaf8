"""Labels that are painted after samples were cut: the dock detects it, and cuts again."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest
from dock_hands import canvas_of, click_image, send
from map_pixels import settle
from napari.layers import Image, Labels, Points
from qtpy.QtCore import QEvent

from embedscope import Explorer
from embedscope.napari_dock._qt_dispatcher import QtDispatcher
from embedscope.napari_dock.data._data_choice import DataChoice, Kind
from embedscope.napari_dock.data._layer_watch import LayerWatch
from embedscope.napari_dock.data._sample_jobs import SampleJobs
from embedscope.samples import SampleId, join_samples

N_CELLS = 30


def field() -> np.ndarray:
    """Cells on a grid, ids with gaps."""
    labels = np.zeros((120, 144), np.int32)
    for number, (y, x) in enumerate(np.ndindex(5, 6)):
        labels[24 * y + 6 : 24 * y + 18, 24 * x + 6 : 24 * x + 18] = 7 * number + 3
    return labels


@pytest.fixture
def stain():
    return np.random.default_rng(0).random(field().shape, np.float32)


@pytest.fixture
def cut(shown_viewer, open_dock, lay_out, stain):
    """A dock over cells that are cut and on a map."""
    shown_viewer.add_image(stain, name="stain")
    shown_viewer.add_labels(field(), name="cells")
    shown_viewer.reset_view()
    dock = open_dock(shown_viewer)
    lay_out(dock)
    return dock


def cut_again(dock, qtbot):
    before = dock.explorer.samples
    dock.outdated.cut_again.click()
    qtbot.waitUntil(lambda: dock.explorer.samples is not before, timeout=60_000)


def wait_for_threads(qtbot) -> None:
    """Wait until no pixels are compared any more, and the results have arrived."""

    def are_done() -> bool:
        return not any(thread.name == "embedscope samples" for thread in threading.enumerate())

    qtbot.waitUntil(are_done, timeout=60_000)
    settle()


def marked(dock, place) -> bool:
    (overlay,) = dock.links.own_layers
    return bool(overlay.get_value(place))


def test_a_stroke_is_noticed_and_cutting_again_keeps_marks_and_places(cut, shown_viewer, qtbot):
    explorer, cells = cut.explorer, shown_viewer.layers["cells"]
    explorer.select_ids([SampleId("cells", 0, 10), SampleId("cells", 0, 17)])
    explorer.add_gate([[-0.5, -0.5], [2.5, -0.5], [2.5, 2.5]], "corner")
    places = dict(zip(explorer.samples.identities.label, explorer.embedding.positions, strict=True))
    assert not cut.outdated.isVisible()
    cells.mode, cells.selected_label, cells.brush_size = "paint", 555, 6
    shown_viewer.layers.selection.active = cells
    native = canvas_of(shown_viewer)
    middle = (native.width() / 2, native.height() / 2)  # between four cells
    send(native, QEvent.Type.MouseButtonPress, middle)
    send(native, QEvent.Type.MouseButtonRelease, middle)
    assert (cells.data == 555).any()
    assert cut.outdated.isVisible()
    assert "cells" in cut.outdated.text.text()
    cells.mode = "pan_zoom"
    cells.data = np.where(cells.data == 10, 0, cells.data)  # deletes a selected cell
    cut_again(cut, qtbot)
    assert not cut.outdated.isVisible()
    known = set(explorer.samples.identities.label.tolist())
    assert 555 in known
    assert 10 not in known
    assert explorer.selected_ids == [SampleId("cells", 0, 17)]
    assert explorer.gates.names == ("corner",)
    for label, place in zip(
        explorer.samples.identities.label, explorer.embedding.positions, strict=True
    ):
        if label != 555:
            np.testing.assert_array_equal(place, places[label])
    assert marked(cut, tuple(np.argwhere(cells.data == 17)[0]))
    assert not marked(cut, tuple(np.argwhere(cells.data == 24)[0]))


def test_before_cutting_again_a_deleted_cell_marks_no_other_cell(cut, shown_viewer):
    explorer, cells = cut.explorer, shown_viewer.layers["cells"]
    gone = np.argwhere(cells.data == 10)
    cells.data_setitem(tuple(gone.T), 0)
    assert cut.outdated.isVisible()
    explorer.select_ids([SampleId("cells", 0, 10)])
    overlay = np.asarray(cut.links.own_layers[0].data)
    assert not overlay.any()
    explorer.select_ids([SampleId("cells", 0, 17)])
    overlay = np.asarray(cut.links.own_layers[0].data)
    np.testing.assert_array_equal(overlay > 0, cells.data == 17)
    click_image(shown_viewer, gone.mean(axis=0))
    assert explorer.selected_ids == []


def test_a_changed_image_is_noticed_and_train_cuts_again_by_itself(
    cut, shown_viewer, lay_out, stain
):
    before = cut.explorer.samples
    shown_viewer.layers["stain"].data = stain[::-1].copy()
    assert cut.outdated.isVisible()
    lay_out(cut)
    assert cut.explorer.samples is not before
    assert not cut.outdated.isVisible()


def test_a_layer_that_is_deleted_asks_for_nothing(cut, shown_viewer):
    cells = shown_viewer.layers["cells"]
    cells.data_setitem((np.array([50]), np.array([50])), 9)
    shown_viewer.layers.remove("cells")
    assert not cut.outdated.isVisible()


@pytest.mark.parametrize("is_hidden", [False, True])
@pytest.mark.parametrize("name", ["cells", "stain"])
def test_what_a_script_writes_is_noticed_once_it_is_refreshed(
    cut, shown_viewer, qtbot, name, is_hidden
):
    layer = shown_viewer.layers[name]
    layer.refresh()
    wait_for_threads(qtbot)
    assert not cut.outdated.isVisible()
    layer.visible = not is_hidden
    layer.data[50:54, 50:54] = 999
    layer.refresh()
    layer.visible = True
    qtbot.waitUntil(cut.outdated.isVisible, timeout=60_000)
    cut_again(cut, qtbot)
    known = set(cut.explorer.samples.identities.label.tolist())
    assert (999 in known) == (name == "cells")
    layer.refresh()
    wait_for_threads(qtbot)
    assert not cut.outdated.isVisible()


@pytest.mark.parametrize("is_hidden", [False, True])
def test_a_stroke_undone_after_cutting_again_is_noticed(cut, shown_viewer, qtbot, is_hidden):
    cells = shown_viewer.layers["cells"]
    cells.paint((2, 2), 555)
    cut_again(cut, qtbot)
    assert 555 in cut.explorer.samples.identities.label
    shown_viewer.dims.events.point()  # drawn again, and nothing else
    cells.refresh()
    assert not cut.outdated.isVisible()
    cells.visible = not is_hidden
    cells.undo()
    cells.visible = True
    assert 555 not in cells.data
    assert cut.outdated.isVisible()
    cut_again(cut, qtbot)
    assert 555 not in cut.explorer.samples.identities.label
    assert not cut.outdated.isVisible()
    cells.redo()
    assert cut.outdated.isVisible()


def watched(choice: DataChoice):
    watch, told = LayerWatch(), []
    watch.changed.connect(told.append)
    watch.watch("a", choice)
    return watch, told


def test_a_table_counts_by_the_columns_that_were_chosen():
    table = pd.DataFrame({"size": [1.0, 2.0], "noise": [0.0, 0.0]})
    layer = Points(np.zeros((2, 2)), features=table)
    watch, told = watched(DataChoice(Kind.FEATURES, layer, columns=("size",)))
    layer.features = table.assign(umap_1=[3.0, 4.0], noise=[1.0, 1.0])
    layer.data = layer.data + 1  # moved
    assert told == []
    layer.features = table.assign(size=[1.0, 9.0])
    assert told == [("a",)]
    watch.forget("a")
    assert told[1:] == [()]
    layer.features = table
    assert len(told) == 2


def test_layers_are_garbage_collected():
    labels, image = Labels(np.ones((4, 4), int)), Image(np.ones((4, 4)))
    before = [len(emitter.callbacks) for emitter in labels.events.emitters.values()]
    watch, told = watched(DataChoice(Kind.OBJECTS, labels, (image,)))
    image.data = np.zeros((4, 4))
    labels.data = np.zeros((4, 4), int)
    assert told == [("a",)]  # once
    watch.close()
    assert [len(emitter.callbacks) for emitter in labels.events.emitters.values()] == before


def test_after_a_session_is_opened_a_stroke_is_noticed_as_well(cut, shown_viewer, qtbot, tmp_path):
    cut.explorer.save(tmp_path / "session", include_images=True)
    cut.explorer.set_samples(None)
    cut.open_session(str(tmp_path / "session"))
    qtbot.waitUntil(lambda: cut.explorer.samples is not None, timeout=60_000)
    qtbot.waitUntil(lambda: list(cut.links.layers) == ["cells"], timeout=60_000)
    cells = shown_viewer.layers["cells"]
    cells.data_setitem((np.array([0, 0, 0]), np.array([0, 1, 2])), 999)
    assert cut.outdated.isVisible()
    cut_again(cut, qtbot)
    assert 999 in cut.explorer.samples.identities.label
    assert len(cut.explorer.samples) == N_CELLS + 1


def test_two_layers_are_cut_again_one_after_the_other_and_a_failure_is_no_end(qtbot, stain):
    choices = {
        name: DataChoice(
            Kind.OBJECTS, Labels(field(), name=name), (Image(pixels, name=f"stain {name}"),)
        )
        for name, pixels in (("a", stain), ("b", stain[::-1].copy()))
    }
    first = choices["a"].make()
    both = join_samples([first, choices["b"].make_like(first)])
    explorer, errors = Explorer(both), []
    places = np.random.default_rng(0).normal(size=(len(both), 2)).astype(np.float32)
    explorer.place(places)
    explorer.select_rows([4, N_CELLS + 5])
    chosen = explorer.selected_ids
    jobs = SampleJobs(explorer, QtDispatcher(), lambda _: None, errors.append)
    for name, choice in choices.items():
        jobs.watch.watch(name, choice)
        choice.labels.data_setitem((np.array([0, 0, 1]), np.array([0, 1, 1])), 999)
    assert jobs.watch.outdated_sources == ("a", "b")
    jobs.cut_again()
    qtbot.waitUntil(lambda: len(explorer.samples) == len(both) + 2, timeout=60_000)
    assert jobs.watch.outdated_sources == ()
    ids = explorer.samples.identities
    old = np.flatnonzero(ids.label != 999)
    np.testing.assert_array_equal(explorer.embedding.positions[old], places)
    assert explorer.selected_ids == chosen
    choices["a"].images[0].data = stain[:50]
    jobs.cut_again()
    qtbot.waitUntil(lambda: bool(errors), timeout=60_000)
    assert "shape" in str(errors[0])
    assert jobs.watch.outdated_sources == ("a",)
    assert len(explorer.samples) == len(both) + 2
    jobs.close()
