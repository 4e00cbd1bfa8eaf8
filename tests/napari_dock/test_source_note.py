"""The note on how well the source is told: with the remedies that are left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt

from embedscope.napari_dock._dock_view import DockView
from embedscope.napari_dock.data._data_choice import Kind
from embedscope.napari_dock.data._data_panel import DataPanel
from embedscope.napari_dock.panels._source_note import SourceNote
from embedscope.samples import jurkat_cells
from embedscope.training import SourceTold

TOLD = SourceTold(0.9, 0.25, 4)


@pytest.fixture
def note(qapp):
    return SourceNote()


def test_samples_of_one_source_have_no_note(note):
    assert note.isHidden()
    note.show_told(TOLD)
    assert not note.isHidden()
    note.show_told(None)
    assert note.isHidden()


def test_a_mixed_map_is_measured_without_a_remedy(note):
    note.show_told(SourceTold(0.3, 0.25, 4))
    assert note.text.text() == ("30 % of the neighbours share the source (25 % by chance).")
    assert note.learned.isHidden()


def test_a_map_of_sources_offers_both_remedies(note):
    note.show_told(TOLD)
    assert note.text.text() == (
        "90 % of the neighbours share the source (25 % by chance): scale within images, or use "
        "learned; then train again."
    )
    assert not note.scaling.isHidden()
    assert not note.learned.isHidden()


def test_what_was_done_is_not_offered_again(note):
    scaled = SourceTold(0.9, 0.25, 4, are_scaled_within=True)
    note.show_told(scaled)
    assert note.scaling.isHidden()
    assert note.text.text().endswith("chance): use learned; then train again.")
    note.show_told(replace(TOLD, is_alike_learned=True))
    assert note.learned.isHidden()
    assert "learned" not in note.text.text()
    note.show_told(replace(scaled, is_alike_learned=True))
    assert "train again" not in note.text.text()


def test_columns_are_standardised_instead(note):
    note.show_told(SourceTold(0.9, 0.25, 4, are_pictures=False))
    assert "standardise the columns" in note.text.text()
    assert note.learned.isHidden()


def test_samples_on_the_map_are_scaled_within_their_images(cells_viewer, open_dock, lay_out):
    dock = open_dock(cells_viewer)
    lay_out(dock)
    before = dock.explorer.samples
    dock.view.source_note.scaling.click()
    samples = dock.explorer.samples
    assert samples.groups.column == "source"
    assert list(samples.identities) == list(before.identities)
    assert "Press Train" in dock.view.message.text()
    assert dock.data_panel.choice().options.scales_within
    assert dock._jobs.is_on_map(dock.data_panel.choice())  # Train does not cut them again


def test_its_button_sets_the_parameter(qapp):
    view, asked = DockView(), []
    view.intents.parameters_requested.connect(asked.append)
    view.source_note.show_told(TOLD)
    view.source_note.learned.click()
    assert asked == [{"alike": "learned"}]
    assert "Press Train" in view.message.text()


def test_intensities_are_scaled_within_each_image_if_the_user_wants_it(qapp):
    from napari.layers import Image, Labels

    labels = np.zeros((30, 30), np.int32)
    labels[4:10, 4:10], labels[16:24, 16:24] = 3, 8
    stain = Image(np.random.default_rng(0).random(labels.shape), name="stain")
    panel = DataPanel()
    panel.show_layers((stain, Labels(labels, name="cells")))
    assert panel.choice().make().groups is None
    panel.scales.setCurrentText("within each image")
    assert panel.choice().make().groups.column == "source"
    panel.kind.setCurrentIndex(list(Kind).index(Kind.PATCHES))
    panel.crop_size.setValue(10)
    assert panel.choice().make().groups.column == "source"


def test_two_exposures_are_told_then_scaled_and_trained_on_together(shown_viewer, open_dock, qtbot):
    """A second image of cells, less than half as bright: they lie apart until it is scaled."""

    def train(dock):
        explorer, before = dock.explorer, dock.explorer.model
        dock.view.train_panel.train.click()
        qtbot.waitUntil(lambda: explorer.model not in (None, before), timeout=120_000)
        qtbot.waitUntil(lambda: explorer.status.phase.is_finished, timeout=60_000)

    cells = jurkat_cells()
    for number, light in enumerate((1.0, 0.4)):
        part = slice(240 * number, 240 * number + 240), slice(0, 320)
        dna = (light * cells.image[part][..., 1]).astype(np.uint8)
        shown_viewer.add_image(dna, name=f"DNA {number}")
        shown_viewer.add_labels(cells.labels[part].astype(np.int32), name=f"cells {number}")
    dock = open_dock(shown_viewer)
    dock.explorer.set_parameters(reconstruction=False, quality="fast")
    note, panel = dock.view.source_note, dock.data_panel
    for number in (0, 1):
        panel.labels.setCurrentText(f"cells {number}")
        for place in range(panel.images.count()):
            item = panel.images.item(place)
            is_own = item.text() == f"DNA {number}"
            item.setCheckState(Qt.CheckState.Checked if is_own else Qt.CheckState.Unchecked)
        if number == 0:
            train(dock)
            assert note.isHidden()
    n_before = len(dock.explorer.samples)
    dock.apply.click()
    qtbot.waitUntil(lambda: len(dock.explorer.samples) > n_before, timeout=60_000)
    train(dock)
    before = dock.explorer.source_told
    assert before.dominates
    assert not note.isHidden()
    n_samples = len(dock.explorer.samples)
    note.scaling.click()
    assert note.isHidden()  # there is no map now
    train(dock)
    assert len(dock.explorer.samples) == n_samples
    assert dock.explorer.source_told.share < before.share - 0.1
    assert note.scaling.isHidden()
