"""A whole path with a real training run: click, carry, another, and drawn again."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest
from dock_hands import click_image, click_point, drag_map, pixels_of

from embedscope.napari_dock.map._gestures import Tool

N_PER_SECOND = 15


@pytest.fixture
def dock(jurkat_viewer, open_dock, train):
    made = open_dock(jurkat_viewer)
    train(made)
    return made


def test_a_cell_is_clicked_carried_and_drawn_again(dock, jurkat_viewer, qtbot):
    explorer, view, panel = dock.explorer, dock.view, dock.view.sample_panel
    assert view.explained.text() == f"The decoder {explorer.explained.text}."
    assert view.loss_plot.losses.keys() >= {"loss", "val_style_reconstruction_loss"}
    drag_map(dock, Tool.DECODE, pixels_of(dock, [4]))
    assert panel.caption.text() == "Typical sample here"
    assert not panel.spread.pixmap().isNull()
    typical = explorer.reconstruction.sample

    row, labels = 20, jurkat_viewer.layers["Jurkat cells"].data
    label = explorer.samples.identities.label[row]
    click_image(jurkat_viewer, np.argwhere(labels == label).mean(axis=0))
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
    """At another sample's position it is decoded unlike the typical sample, and fast."""
    explorer, panel = dock.explorer, dock.view.sample_panel
    drag_map(dock, Tool.DECODE, pixels_of(dock, [4]))
    assert panel.caption.text() in {
        f"Carried here from {name}",
        f"This sample, from its own code ({name})",
    }
    assert not np.array_equal(explorer.reconstruction.sample, typical)
    way = np.linspace(*pixels_of(dock, [row, 9]), 30)
    seconds = []
    for _ in range(3):  # the best counts: other tests run beside this one
        start = perf_counter()
        drag_map(dock, Tool.DECODE, way)
        seconds.append((perf_counter() - start) / len(way))
    assert min(seconds) < 1 / N_PER_SECOND
    drag_map(dock, Tool.PATH, way)
    assert {step.style_of for step in explorer.reconstruction} == {explorer.samples.identities[row]}


def _check_drawn_again(dock, qtbot):
    explorer, panel = dock.explorer, dock.view.sample_panel
    held_out = int(explorer.model.estimator.validation_rows_[0])
    click_point(dock, held_out)
    panel.carrying.reconstruct.click()
    assert "Reconstructing" in dock.view.message.text()
    qtbot.waitUntil(lambda: panel.reconstructions.isVisible(), timeout=60_000)
    (shown,) = explorer.sample_reconstructions
    assert shown.is_held_out == (shown.row in explorer.model.estimator.validation_rows_)
    assert f"error {shown.error:.2f}" in panel.reconstructions.texts[0].text()
    panel.reconstructions.clear.click()
    assert not panel.reconstructions.isVisible()
