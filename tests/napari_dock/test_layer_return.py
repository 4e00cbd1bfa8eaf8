"""Layers that are renamed, deleted and added again, and docks that are closed and opened again."""

from __future__ import annotations

import numpy as np
import pytest
from dock_hands import answer_question, cell_field, click_image
from map_pixels import settle
from qtpy.QtCore import QEvent, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from embedscope.napari_dock.data._data_choice import Kind
from embedscope.samples import SampleId

N_CELLS = 30
TIMEOUT_MS = 20_000


@pytest.fixture
def cut(cells_viewer, open_dock, lay_out):
    """A dock over cells that are cut and on a map."""
    dock = open_dock(cells_viewer)
    lay_out(dock)
    return dock


def press_its_cross(dock) -> None:
    QTest.mouseClick(dock.parent().title.close_button, Qt.MouseButton.LeftButton)
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        settle()


def check_links(dock, cells_viewer, name: str) -> None:
    """A click on a cell selects its sample, and the selected sample is marked there."""
    y, x = (6 + 24 * 2 + 5, 6 + 24 * 3 + 5)
    click_image(cells_viewer, (y, x))
    assert dock.explorer.selected_ids == [SampleId("cells", 0, 7 * 15 + 3)]
    (overlay,) = dock.links.own_layers
    np.testing.assert_array_equal(np.asarray(overlay.data) > 0, cell_field() == 7 * 15 + 3)
    assert [layer.name for layer in dock.links.layers.values()] == [name]


def test_a_renamed_layer_is_not_added_a_second_time(cut, cells_viewer):
    before = cut.explorer.samples
    cells_viewer.layers["cells"].name = "nuclei"
    assert "named nuclei now" in cut.view.message.text()
    cut._add_to_map()
    assert "on the map already, named 'cells'" in cut.view.message.text()
    assert "Open another image first" in cut.view.message.text()
    cells_viewer.add_labels(np.eye(30, dtype=np.uint8), name="day 2")
    cut._add_to_map()
    assert "under Data, such as 'day 2'" in cut.view.message.text()
    assert cut.explorer.samples is before
    check_links(cut, cells_viewer, "nuclei")


@pytest.mark.parametrize("name", ["cells", "cells again"])
def test_a_layer_deleted_and_added_again_is_linked_again(cut, cells_viewer, qtbot, name):
    cut.explorer.select_ids([SampleId("cells", 0, 10)])
    cells_viewer.layers.remove("cells")
    assert cut.links.layers == {}
    assert "removed" in cut.view.message.text()
    cells_viewer.add_labels(cell_field(), name=name)
    qtbot.waitUntil(lambda: "cells" in cut.links.layers, timeout=TIMEOUT_MS)
    assert cut.view.message.text() == f"{name} linked to the map again"
    (overlay,) = cut.links.own_layers  # the selection is shown at once
    np.testing.assert_array_equal(np.asarray(overlay.data) > 0, cell_field() == 10)
    check_links(cut, cells_viewer, name)
    cells_viewer.layers[name].data_setitem((np.array([0]), np.array([0])), 999)
    assert cut.outdated.isVisible()


def test_a_layer_with_other_pixels_has_only_the_name(cut, cells_viewer, qtbot):
    cells_viewer.layers.remove("cells")
    cells_viewer.add_labels(np.fliplr(cell_field()), name="cells")
    qtbot.waitUntil(lambda: "not linked" in cut.view.message.text(), timeout=TIMEOUT_MS)
    assert cut.links.layers == {}
    cells_viewer.reset_view()
    click_image(cells_viewer, (10, 10))
    assert cut.explorer.selected_ids == []


def test_what_had_changed_before_it_was_deleted_is_still_known_as_changed(cut, cells_viewer, qtbot):
    cells = cells_viewer.layers["cells"]
    cells.data_setitem((np.array([0]), np.array([0])), 999)
    cells_viewer.layers.remove("cells")
    assert not cut.outdated.isVisible()
    cells_viewer.add_labels(cells.data, name="cells")
    qtbot.waitUntil(lambda: "cells" in cut.links.layers, timeout=TIMEOUT_MS)
    assert cut.outdated.isVisible()


def test_points_deleted_and_added_again(cells_viewer, open_dock, lay_out, qtbot):
    places = np.random.default_rng(0).random((20, 2)) * 100
    table = {"size": np.arange(20.0), "wave": np.sin(np.arange(20.0))}
    cells_viewer.add_points(places, features=table, name="spots")
    dock = open_dock(cells_viewer)
    dock.data_panel.kind.setCurrentIndex(list(Kind).index(Kind.FEATURES))
    dock.data_panel.labels.setCurrentIndex(dock.data_panel.labels.findText("spots"))
    lay_out(dock)
    cells_viewer.layers.remove("spots")
    cells_viewer.add_points(places[::-1], name="others")
    cells_viewer.add_points(places, name="again")
    qtbot.waitUntil(lambda: "spots" in dock.links.layers, timeout=TIMEOUT_MS)
    assert dock.links.layers["spots"].name == "again"


def test_its_own_cross_ends_a_dock_and_another_is_linked_at_once(
    cut, cells_viewer, open_dock, qtbot
):
    explorer = cut.explorer
    explorer.add_gate([[-0.5, -0.5], [2.5, -0.5], [2.5, 2.5]], "corner")
    open_dock.forget()
    press_its_cross(cut)
    assert [layer.name for layer in cells_viewer.layers] == ["stain", "cells"]
    cells_viewer.layers["cells"].name = "renamed meanwhile"
    dock = open_dock(cells_viewer)
    assert dock.explorer is explorer
    qtbot.waitUntil(lambda: "cells" in dock.links.layers, timeout=TIMEOUT_MS)
    check_links(dock, cells_viewer, "renamed meanwhile")
    before = explorer.samples
    ready = []
    dock._prepare(lambda: ready.append(True))  # Train goes on with them, and the gate stays
    qtbot.waitUntil(lambda: bool(ready), timeout=TIMEOUT_MS)
    assert explorer.samples is before
    assert explorer.gates.names == ("corner",)


def test_a_dock_that_is_hidden_or_floats_stays_linked(cut, cells_viewer):
    frame = cut.parent()
    for change in (
        lambda: frame.setFloating(True),
        lambda: QTest.mouseClick(frame.title.hide_button, Qt.MouseButton.LeftButton),
        lambda: frame.show(),
        lambda: frame.setFloating(False),
    ):
        change()
        settle()
        assert list(cut.links.layers) == ["cells"]
    check_links(cut, cells_viewer, "cells")


def test_train_after_a_layer_came_back_goes_on_with_the_samples(cut, cells_viewer, qtbot):
    explorer, before = cut.explorer, cut.explorer.samples
    explorer.add_gate([[-0.5, -0.5], [2.5, -0.5], [2.5, 2.5]], "corner")
    cells_viewer.layers.remove("cells")
    cells_viewer.add_labels(cell_field(), name="cells")
    qtbot.waitUntil(lambda: "cells" in cut.links.layers, timeout=TIMEOUT_MS)
    ready = []
    cut._prepare(lambda: ready.append(True))  # asks nothing
    assert ready == [True]
    assert explorer.samples is before
    cells = cells_viewer.layers["cells"]
    cells.data_setitem((np.array([50]), np.array([50])), 9)
    asked = answer_question("Cancel")
    cut._prepare(lambda: ready.append(True))
    assert "have changed since the samples were cut" in asked[0]
    assert "press Cut again" in asked[0]
    assert ready == [True]


def test_a_copy_of_a_layer_is_not_added_to_the_map(cut, cells_viewer, qtbot):
    explorer = cut.explorer
    explorer.set_parameters(n_training_epochs=1)
    explorer.train()
    qtbot.waitUntil(lambda: explorer.model is not None, timeout=120_000)
    settle()
    before = explorer.samples
    copy = cell_field()
    copy[copy == 10] = 0  # a copy with a few edited objects is still a copy
    copy[50:54, 50:54] = 999
    cells_viewer.add_labels(copy, name="copy")
    cut.data_panel.labels.setCurrentIndex(cut.data_panel.labels.findText("copy"))
    cut.apply.click()
    qtbot.waitUntil(lambda: "must be another one" in cut.view.message.text(), timeout=TIMEOUT_MS)
    assert "press Cut again" in cut.view.message.text()
    assert explorer.samples is before
    stain = np.random.default_rng(9).random(cell_field().shape, np.float32)
    cells_viewer.layers["stain"].name = "old stain"
    cells_viewer.add_image(
        stain, name="stain"
    )  # the same outlines over another image give other samples
    images = cut.data_panel.images
    for place in range(images.count()):
        item = images.item(place)
        item.setCheckState(type(item.checkState())(2 if item.text() == "stain" else 0))
    cut.apply.click()
    qtbot.waitUntil(lambda: explorer.samples is not before, timeout=TIMEOUT_MS)
    assert set(explorer.samples.sources) == {"cells", "copy"}


def test_the_layer_that_came_back_is_linked_rather_than_a_copy_of_it(cut, cells_viewer, qtbot):
    cells_viewer.add_labels(cell_field(), name="copy")
    cells_viewer.layers.remove("cells")
    cells_viewer.add_labels(cell_field(), name="back")
    qtbot.waitUntil(lambda: "cells" in cut.links.layers, timeout=TIMEOUT_MS)
    assert cut.links.layers["cells"].name == "back"
