"""Every control of the whole dock says what it does, and paths and grids get into the viewer."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from dock_hands import circle_on_screen, drag_map
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QMenu,
    QScrollBar,
    QTabBar,
    QWidget,
)
from superqt import QCollapsible

from embedscope.napari_dock.map._gestures import Tool
from embedscope.samples import jurkat_cells

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
)
# Composite controls: their parts need no tooltip of their own.
MADE_OF_PARTS = (QAbstractSpinBox, QAbstractItemView, QComboBox, QCollapsible)
SIDE_PX = 240  # 36 cells
TRAINING_TIMEOUT_MS = 240_000
N_MOVES = 8


@pytest.fixture
def dock(shown_viewer, open_dock):
    sample = jurkat_cells()
    corner = (slice(0, SIDE_PX), slice(0, SIDE_PX))
    shown_viewer.add_image(sample.image[corner][..., 1], name="DNA", colormap="magenta")
    shown_viewer.add_image(sample.image[corner][..., 2], name="dark", colormap="cyan")
    shown_viewer.add_labels(sample.labels[corner].astype(np.int32), name="cells")
    return open_dock(shown_viewer)


def controls_of(top: QWidget) -> list[QWidget]:
    """Buttons, lists, sliders and entries at whatever depth, seen or not."""
    found = [control for kind in CONTROLS for control in top.findChildren(kind)]
    return [
        control
        for control in dict.fromkeys(found)
        if not isinstance(control, QScrollBar) and not is_part(control)
    ]


def is_part(control: Any) -> bool:
    """Whether it is part of a composite control, or of Qt's own scroll bars."""
    parent = control.parentWidget()
    while parent is not None:
        if isinstance(parent, QTabBar):
            return True
        if isinstance(parent, MADE_OF_PARTS):
            inside = isinstance(parent, QCollapsible) and parent.content().isAncestorOf(control)
            return not inside
        parent = parent.parentWidget()
    return False


def test_every_control_has_a_tooltip(dock):
    controls = controls_of(dock)
    assert len(controls) > 60  # the walk reaches the forms, the panels and the legend
    names = [
        f"{type(c).__name__} {getattr(c, 'text', str)()!r}" for c in controls if not c.toolTip()
    ]
    assert names == []


def test_every_entry_of_a_menu_has_a_tooltip(dock):
    menus = dock.findChildren(QMenu)
    assert any(menu.actions() for menu in menus)
    for menu in menus:
        texts = [action for action in menu.actions() if action.text() and not action.isSeparator()]
        assert all(action.toolTip() != action.text() for action in texts), menu
        assert menu.toolTipsVisible() or not texts


def test_a_control_without_a_tooltip_would_be_found(dock):
    dock.view.map_panel.keep.setToolTip("")
    assert dock.view.map_panel.keep in [c for c in controls_of(dock) if not c.toolTip()]


def test_a_map_moves_live_and_then_draws_paths_and_grids_and_says_why(dock, shown_viewer, qtbot):
    moved = moves_of_the_map(dock)
    dock.view.train_panel.train.click()
    qtbot.waitUntil(lambda: len(moved) > N_MOVES, timeout=TRAINING_TIMEOUT_MS)
    assert np.median(np.diff(moved)) < 0.5  # twice a second or more
    dock.view.train_panel.stop.click()  # the best map so far is enough
    qtbot.waitUntil(lambda: dock.explorer.model is not None, timeout=TRAINING_TIMEOUT_MS)
    check_path_and_grid(dock, shown_viewer, qtbot)
    check_reasons_of_a_gate(dock, qtbot)


def moves_of_the_map(dock):
    """Times in seconds at which the map was drawn with new positions; grows while it trains."""
    points, moves, shown = dock.view.canvas.map_view.points, [], []

    def note(event):
        if dock.explorer.status.phase.is_at_work and (
            not shown or shown[-1] is not points.positions
        ):
            shown.append(points.positions)
            moves.append(time.perf_counter())

    dock.view.canvas.map_view.native._vispy_canvas.events.draw.connect(note)
    return moves


def check_path_and_grid(dock, shown_viewer, qtbot):
    way = circle_on_screen(dock.view, 40)[:20]
    drag_map(dock, Tool.PATH, way)
    panel = dock.view.sample_panel
    assert len(panel.strip.steps) == len(dock.explorer.reconstruction)
    panel.path_layer.click()
    strip = shown_viewer.layers["path on the map: DNA"]
    assert strip.data.shape[0] == len(panel.strip.steps)
    assert strip.colormap.name == "magenta"
    assert "Added path on the map: DNA, path on the map: dark" in dock.view.message.text()
    panel.grid_layer.click()
    qtbot.waitUntil(lambda: "grid over the map: dark" in shown_viewer.layers, timeout=60_000)
    assert shown_viewer.layers["grid over the map: dark"].colormap.name == "cyan"
    offered = [dock.data_panel.images.item(k).text() for k in range(dock.data_panel.images.count())]
    assert offered == ["DNA", "dark"]  # decoded layers are not offered


def check_reasons_of_a_gate(dock, qtbot):
    drag_map(dock, Tool.GATE, circle_on_screen(dock.view, share=0.4))
    (gate,) = dock.explorer.gates
    inside = np.flatnonzero(
        dock.explorer.gates.memberships(dock.explorer.embedding.positions)[gate.name]
    )
    why = dock.view.why_panel
    why.of.setCurrentIndex(1)
    why.button.click()
    assert "Computing" in dock.view.message.text()
    qtbot.waitUntil(lambda: dock.explorer.explanation is not None, timeout=60_000)
    np.testing.assert_array_equal(dock.explorer.explanation.rows, inside)
    assert "DNA" in why.text.text()
