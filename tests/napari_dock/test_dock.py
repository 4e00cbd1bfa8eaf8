"""The dock in a real viewer: cut, train, explore; closing or removing parts loses nothing."""

from __future__ import annotations

import gc
import time
import weakref

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import QApplication

from embedscope.napari_dock import ExplorerDock
from embedscope.napari_dock.data._data_choice import Kind
from embedscope.samples import jurkat_cells, samples_from_labels
from embedscope.training import Phase

SIDE_PX = 240  # 36 cells of the sample
TRAINING_TIMEOUT_MS = 240_000


@pytest.fixture
def cells():
    """A corner of the packaged sample with its own ids: from 1 to some hundreds, with gaps."""
    sample = jurkat_cells()
    corner = (slice(0, SIDE_PX), slice(0, SIDE_PX))
    return sample.image[corner], sample.labels[corner].astype(np.int32)


@pytest.fixture
def viewer(make_napari_viewer_proxy, cells):
    image, labels = cells
    viewer = make_napari_viewer_proxy()
    viewer.add_image(image[..., 1], name="DNA", scale=(0.5, 0.5))
    viewer.add_labels(labels, name="cells", scale=(0.5, 0.5))
    return viewer


@pytest.fixture
def dock(viewer, open_dock):
    return open_dock(viewer)


def test_from_layers_to_a_map_and_back(dock, viewer, cells, train, qtbot):
    before = viewer.layers["cells"].data.copy(), viewer.layers["cells"].features.copy()
    beats = []
    heart = QTimer()
    heart.timeout.connect(lambda: beats.append(time.perf_counter()))
    heart.start(20)
    train(dock)
    heart.stop()
    explorer, labels = dock.explorer, cells[1]
    assert explorer.status.phase is Phase.DONE, dock.view.message.text()
    assert np.median(np.diff(beats)) < 0.2  # the viewer stayed responsive
    ids = np.unique(labels)[1:]
    assert explorer.samples.identities.label.tolist() == ids.tolist()
    assert set(dock.view.loss_plot.losses) >= {"loss"}
    np.testing.assert_array_equal(
        dock.view.canvas.map_view.points.positions, explorer.embedding.positions
    )
    _check_selection_is_shown(dock, labels)
    _check_the_way_to_an_object(dock, viewer, labels)
    _check_sample_and_reasons(dock, qtbot)
    np.testing.assert_array_equal(viewer.layers["cells"].data, before[0])
    assert viewer.layers["cells"].features.equals(before[1])
    dock.view.map_panel.replay.setValue(0)
    assert explorer.embedding.epoch == explorer.replay.epochs[0]


def _check_selection_is_shown(dock, labels):
    """Exactly the selected objects are coloured, on a layer of the dock's own."""
    explorer = dock.explorer
    low, high = np.quantile(explorer.embedding.positions, [0.1, 0.6], axis=0)
    dock.view.intents.rectangle_selection_requested.emit(low, high, "replace")
    chosen = explorer.samples.identities.label[explorer.selection.rows]
    assert 0 < len(chosen) < len(explorer.samples)
    (overlay,) = dock.links.own_layers
    np.testing.assert_array_equal(np.asarray(overlay.data) > 0, np.isin(labels, chosen))


def _check_the_way_to_an_object(dock, viewer, labels):
    row = 7
    dock.view.visited.emit(row)
    label = dock.explorer.samples.identities[row].label
    middle = np.argwhere(labels == label).mean(axis=0) * 0.5
    np.testing.assert_allclose(viewer.scene.camera.center[-2:], middle, atol=1e-6)
    dock.links.picked.emit(dock.explorer.samples.identities[row], "replace")
    assert dock.explorer.selection.rows.tolist() == [row]
    assert dock.view.canvas.map_view.points.selected.tolist() == [row]


def _check_sample_and_reasons(dock, qtbot):
    dock.view.intents.decode_requested.emit(dock.explorer.embedding.positions[3])
    assert dock.view.sample_panel.drawn.pixmap() is not None
    assert "support" in dock.view.sample_panel.text.text()
    dock.view.intents.explanation_requested.emit()
    qtbot.waitUntil(lambda: "DNA" in dock.view.why_panel.text.text(), timeout=60_000)


def test_the_map_takes_the_cells_of_another_image(dock, viewer, cells, train, qtbot):
    train(dock)
    n_before, trained = len(dock.explorer.samples), dock.explorer.embedding.positions.copy()
    viewer.add_image(cells[0][::-1, :, 1], name="DNA 2", scale=(0.5, 0.5))
    viewer.add_labels(cells[1][::-1], name="cells 2", scale=(0.5, 0.5))
    panel = dock.data_panel
    panel.labels.setCurrentIndex(panel.labels.findText("cells 2"))
    for place in range(panel.images.count()):
        item = panel.images.item(place)
        wanted = item.text() == "DNA 2"
        item.setCheckState(Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)
    dock.apply.click()
    qtbot.waitUntil(lambda: len(dock.explorer.samples) == 2 * n_before, timeout=60_000)
    np.testing.assert_array_equal(dock.explorer.embedding.positions[:n_before], trained)
    assert np.isfinite(dock.explorer.novelty[n_before:]).all()
    assert set(dock.links.layers) == {"cells", "cells 2"}


def test_a_layer_renamed_and_another_deleted_while_it_trains(dock, viewer, qtbot):
    dock.view.train_panel.train.click()
    qtbot.waitUntil(lambda: dock.explorer.status.phase.is_at_work, timeout=60_000)
    viewer.layers["cells"].name = "renamed"
    viewer.layers.remove("DNA")
    QApplication.processEvents()
    viewer.layers.remove("renamed")
    assert "removed" in dock.view.message.text()
    qtbot.waitUntil(lambda: dock.explorer.status.phase.is_finished, timeout=TRAINING_TIMEOUT_MS)
    assert dock.explorer.status.phase is Phase.DONE
    assert dock.explorer.model.samples.identities.sources == ("cells",)
    assert len(viewer.layers) == 0


def test_a_dock_closed_while_it_trains_loses_nothing(dock, viewer, qtbot):
    dock.view.train_panel.train.click()
    qtbot.waitUntil(lambda: dock.explorer.status.phase.is_at_work, timeout=60_000)
    explorer = dock.explorer
    viewer.window.remove_dock_widget(dock)
    dock.close()
    explorer.wait(60)
    qtbot.waitUntil(lambda: explorer.model is not None, timeout=60_000)
    again = ExplorerDock(viewer)
    assert again.explorer is explorer
    np.testing.assert_array_equal(
        again.view.canvas.map_view.points.positions, explorer.model.embedding
    )
    again.close_links()


def test_features_and_patches_become_samples_too(dock, viewer, cells):
    import pandas as pd

    ids = np.unique(cells[1])[1:]
    size = np.bincount(cells[1].ravel())[ids]
    viewer.layers["cells"].features = pd.DataFrame(
        {"index": ids, "size": size, "wave": np.sin(ids)}
    )
    panel = dock.data_panel
    panel.show_layers(list(viewer.layers))
    panel.kind.setCurrentIndex(1)
    assert panel.choice().kind is Kind.FEATURES
    assert panel.choice().columns == ("size", "wave")
    assert panel.choice().make().identities.label.tolist() == ids.tolist()
    panel.kind.setCurrentIndex(2)
    assert len(panel.choice().make()) == (SIDE_PX // 32) ** 2


def test_without_layers_it_says_what_to_do(make_napari_viewer_proxy, qtbot):
    dock = ExplorerDock(make_napari_viewer_proxy())
    qtbot.addWidget(dock)
    dock.view.train_panel.train.click()
    qtbot.waitUntil(lambda: "must be chosen" in dock.view.message.text(), timeout=60_000)
    assert dock.view.train_panel.isEnabled()
    dock.close_links()


def test_a_session_is_opened_with_its_layers(dock, tmp_path, qtbot):
    dock.explorer.set_samples(dock.data_panel.choice().make())
    rng = np.random.default_rng(0)
    dock.explorer.place(rng.normal(size=(len(dock.explorer.samples), 2)))
    dock.explorer.add_gate([[-1, -1], [1, -1], [1, 1]], "inner")
    dock.explorer.save(tmp_path / "session", include_images=True)
    dock.explorer.set_samples(None)
    dock.open_session(str(tmp_path / "session"))
    assert "Opening" in dock.view.message.text()
    qtbot.waitUntil(lambda: dock.explorer.samples is not None, timeout=60_000)
    assert dock.explorer.gates.names == ("inner",)
    assert list(dock.links.layers) == ["cells"]


def test_a_session_without_pictures_takes_them_from_the_layers_that_hold_them(
    dock, viewer, tmp_path, qtbot
):
    saved = save_placed(dock, tmp_path / "session")
    dock.explorer.set_samples(None)
    open_session(dock, tmp_path / "session", qtbot)
    assert list(dock.links.layers) == ["cells"]
    opened = dock.explorer.samples
    assert not opened.absent
    np.testing.assert_array_equal(opened.X, saved.X)


def test_a_layer_that_has_only_the_name_is_not_linked(dock, viewer, cells, tmp_path, qtbot):
    save_placed(dock, tmp_path / "session")
    dock.explorer.set_samples(None)
    viewer.layers["cells"].data = np.flipud(cells[1]).copy()
    open_session(dock, tmp_path / "session", qtbot)
    assert dock.links.layers == {}
    assert "Layers named cells hold other pixels" in dock.view.message.text()
    assert "cells" in dock.explorer.samples.absent


def test_a_session_finds_a_layer_that_was_renamed_meanwhile(dock, viewer, tmp_path, qtbot):
    save_placed(dock, tmp_path / "session")
    dock.explorer.set_samples(None)
    viewer.layers["cells"].name = "nuclei"
    viewer.add_labels(np.flipud(viewer.layers["nuclei"].data).copy(), name="cells")
    n_layers = len(viewer.layers)
    open_session(dock, tmp_path / "session", qtbot)
    assert dock.links.layers["cells"].name == "nuclei"
    assert len(viewer.layers) == n_layers + 1  # the dock's own
    assert not dock.explorer.samples.absent


@pytest.mark.parametrize("kind", ["shapes", "points"])
def test_a_layer_of_another_kind_with_the_name_is_passed_over(dock, viewer, tmp_path, qtbot, kind):
    save_placed(dock, tmp_path / "session")
    dock.explorer.set_samples(None)
    viewer.layers.remove("cells")
    getattr(viewer, f"add_{kind}")(np.ones((4, 2)) * [[0], [1], [2], [3]], name="cells")
    open_session(dock, tmp_path / "session", qtbot)
    assert dock.links.layers == {}
    assert "cells" in dock.explorer.samples.absent


def test_of_another_image_the_pictures_are_not_taken_but_the_labels_are_linked(
    dock, viewer, cells, tmp_path, qtbot
):
    save_placed(dock, tmp_path / "session")
    dock.explorer.set_samples(None)
    viewer.layers["DNA"].data = cells[0][..., 0]
    open_session(dock, tmp_path / "session", qtbot)
    assert list(dock.links.layers) == ["cells"]
    assert "cells" in dock.explorer.samples.absent


def test_images_on_disk_are_added_beside_layers_that_only_have_their_names(
    dock, viewer, cells, tmp_path, qtbot
):
    image, labels = cells
    np.save(tmp_path / "image.npy", image[..., 1])
    np.save(tmp_path / "labels.npy", labels)
    dock.explorer.set_samples(
        samples_from_labels(
            image[..., 1],
            labels,
            source="cells",
            image_path=str(tmp_path / "image.npy"),
            labels_path=str(tmp_path / "labels.npy"),
        )
    )
    dock.explorer.save(tmp_path / "session")
    dock.explorer.set_samples(None)
    viewer.layers["cells"].data = np.flipud(labels).copy()
    open_session(dock, tmp_path / "session", qtbot)
    (linked,) = dock.links.layers.values()
    assert linked.name != "cells"
    np.testing.assert_array_equal(linked.data, labels)


def save_placed(dock, path):
    """Cut the chosen samples, give each a position, and save a session without pictures."""
    samples = dock.data_panel.choice().make()
    dock.explorer.set_samples(samples)
    dock.explorer.place(np.random.default_rng(0).normal(size=(len(samples), 2)))
    dock.explorer.save(path)
    return samples


def open_session(dock, path, qtbot):
    dock.open_session(str(path))
    qtbot.waitUntil(lambda: dock.explorer.samples is not None, timeout=60_000)


def test_closed_docks_are_not_kept_alive(viewer, qtbot):
    alive = []
    for _ in range(3):
        dock = ExplorerDock(viewer)
        dock.explorer.set_samples(None)
        alive.append(weakref.ref(dock))
        dock.close()
        dock.deleteLater()
        del dock
        QApplication.processEvents()
    for _ in range(3):  # deleting may request further deletions
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QApplication.processEvents()
    gc.collect()
    assert [each() for each in alive] == [None, None, None]
