"""A whole path with a real training run: click, carry, another, and drawn again."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest
from dock_hands import click_image, click_point, drag_map, pixels_of
from map_pixels import settle

from embedscope.napari_dock._sample_data import jurkat_layers
from embedscope.napari_dock.map._gestures import Tool

CORNER = (slice(0, 240), slice(0, 240))  # 36 cells of the sample
N_PER_SECOND = 15


@pytest.fixture
def dock(shown_viewer, open_dock, train):
    for data, about, kind in jurkat_layers():
        getattr(shown_viewer, f"add_{kind}")(data[CORNER], **about)
    settle()
    made = open_dock(shown_viewer)
    train(made)
    return made


def test_a_cell_is_clicked_carried_and_drawn_again(dock, shown_viewer, qtbot):
    explorer, view, panel = dock.explorer, dock.view, dock.view.sample_panel
    assert view.explained.text() == f"The decoder {explorer.explained.text}."
    assert view.loss_plot.losses.keys() >= {"loss", "val_style_reconstruction_loss"}
    drag_map(dock, Tool.DECODE, pixels_of(dock, [4]))
    assert panel.caption.text() == "Typical sample here"
    assert not panel.spread.pixmap().isNull()
    typical = explorer.reconstruction.sample

    row, labels = 20, shown_viewer.layers["Jurkat cells"].data
    label = explorer.samples.identities.label[row]
    click_image(shown_viewer, np.argwhere(labels == label).mean(axis=0))
    assert explorer.selection.rows.tolist() == [row]
    panel.carrying.carry.click()
    name = f"Jurkat cells {label}"
    assert panel.caption.text() == f"This sample, from its own code ({name})"
    _check_carrying(dock, row, name, typical)
    panel.carrying.another.click()
    assert panel.caption.text().startswith("Another: code of Jurkat cells ")
    panel.carrying.release.click()
    assert panel.caption.text() == "Typical sample here"
    _check_drawn_again(dock, qtbot)


def _check_carrying(dock, row, name, typical):
    """Where somebody else stands it is drawn otherwise than typically, and fast."""
    explorer, panel = dock.explorer, dock.view.sample_panel
    drag_map(dock, Tool.DECODE, pixels_of(dock, [4]))
    assert panel.caption.text() in {
        f"Carried here from {name}",
        f"This sample, from its own code ({name})",
    }
    assert not np.array_equal(explorer.reconstruction.sample, typical)
    way = np.linspace(*pixels_of(dock, [row, 9]), 30)
    start = perf_counter()
    drag_map(dock, Tool.DECODE, way)
    assert (perf_counter() - start) / len(way) < 1 / N_PER_SECOND
    drag_map(dock, Tool.PATH, way)
    assert {step.style_of for step in explorer.reconstruction} == {explorer.samples.identities[row]}


def _check_drawn_again(dock, qtbot):
    explorer, panel = dock.explorer, dock.view.sample_panel
    held_out = int(explorer.model.estimator.validation_rows_[0])
    click_point(dock, held_out)
    panel.carrying.reconstruct.click()
    assert "Drawing" in dock.view.message.text()
    qtbot.waitUntil(lambda: panel.reconstructions.isVisible(), timeout=20_000)
    (shown,) = explorer.sample_reconstructions
    assert shown.is_held_out == (shown.row in explorer.model.estimator.validation_rows_)
    assert f"error {shown.error:.2f}" in panel.reconstructions.texts[0].text()
    panel.reconstructions.clear.click()
    assert not panel.reconstructions.isVisible()
