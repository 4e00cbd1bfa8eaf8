"""What a dock in a window of 1,600 x 1,000 shows at once, and what its parts do not cover."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from dock_hands import drag_map, pixels_of
from linear_map import linear_explorer
from map_pixels import settle
from qtpy.QtCore import QPoint, QRect

from embedscope.explorer import Presenter
from embedscope.napari_dock._dock_view import DockView
from embedscope.napari_dock.map._gestures import Tool
from embedscope.training import Phase, Status

HEIGHT_PX = 860  # of the dock there, without its title and what stands below


@pytest.fixture(params=[360, 400])
def dock(show_widget, request):
    explorer = linear_explorer()
    view = DockView(lambda: explorer.color_by, has_style=lambda: explorer.has_style)
    show_widget(view, request.param, HEIGHT_PX)
    presenter = Presenter(explorer, view, "view")
    settle()
    yield SimpleNamespace(view=view, explorer=explorer)
    presenter.close()


def is_whole(widget: Any) -> bool:
    """Whether nothing of a widget is scrolled or cut away."""
    around, there = widget.parentWidget(), widget.isVisible()
    while around is not None and there:
        corner = widget.mapTo(around, QPoint(0, 0))
        there = around.rect().contains(QRect(corner, widget.size()))
        around = around.parentWidget()
    return there


def test_a_place_and_a_path_are_seen_without_scrolling(dock):
    view, panel = dock.view, dock.view.sample_panel
    drag_map(dock, Tool.DECODE, pixels_of(dock, [3]))
    for widget in (panel.drawn, panel.spread, *panel.real, panel.grid_layer, view.train_panel):
        assert is_whole(widget)
    drag_map(dock, Tool.PATH, pixels_of(dock, [3, 9, 20]))
    settle()
    for widget in (panel.drawn, panel.strip, panel.path_layer, view.train_panel.train):
        assert is_whole(widget)
    assert view.canvas.height() >= 240
    view.tabs.setCurrentWidget(view.gates_panel)
    settle()
    for button in view.gates_panel.buttons.values():
        assert is_whole(button)


def test_train_pause_and_stop_do_not_scroll_away(dock):
    view = dock.view
    view.resize(view.width(), 400)
    view.parameters.expand(animate=False)
    settle()
    bar = view.scroll_area.verticalScrollBar()
    assert bar.maximum() > 0
    for place in (0, bar.maximum()):
        bar.setValue(place)
        settle()
        assert is_whole(view.train_panel)


def test_while_it_trains_the_losses_are_in_front_and_afterwards_what_was(dock):
    view = dock.view
    view.tabs.setCurrentWidget(view.gates_panel)
    view.show_status(Status(run_id=1, phase=Phase.LAYOUT))
    assert view.tabs.currentWidget() is view.gates_panel
    view.show_status(Status(run_id=1, phase=Phase.FITTING))
    assert view.tabs.currentWidget() is view.learned
    view.show_status(Status(run_id=1, phase=Phase.DONE))
    assert view.tabs.currentWidget() is view.gates_panel
    view.show_status(Status(run_id=2, phase=Phase.FITTING))
    view.tabs.setCurrentWidget(view.sample_panel)  # by hand: that stays
    view.show_status(Status(run_id=2, phase=Phase.FITTING, fraction=0.5))
    view.show_status(Status(run_id=2, phase=Phase.DONE))
    assert view.tabs.currentWidget() is view.sample_panel


def test_a_gate_has_one_colour_on_the_map_and_in_the_list_chosen_or_not(dock):
    view, explorer = dock.view, dock.explorer
    explorer.add_gate([[0, 0], [1, 0], [1, 1]], "G")
    (gate,) = explorer.gates
    view.tabs.setCurrentWidget(view.gates_panel)
    view.gates_panel.choose("G")
    icon = view.gates_panel.list.topLevelItem(0).icon(0)
    for mode in (icon.Mode.Normal, icon.Mode.Selected):
        shown = icon.pixmap(12, 12, mode).toImage().pixelColor(6, 6)
        assert shown.name() == gate.color
    assert view.canvas.overlay.gates[0].color == gate.color


def test_the_card_covers_neither_its_sample_nor_the_name_of_a_gate(dock):
    view, explorer = dock.view, dock.explorer
    places = explorer.embedding.positions
    low, high = places.min(axis=0), places.max(axis=0)
    top_left = [low[0], high[1] - 0.2 * (high[1] - low[1])]
    explorer.add_gate(
        [top_left, [0.6 * low[0] + 0.4 * high[0], top_left[1]], [low[0], high[1]]], "mitosis"
    )
    settle()
    names = view.canvas.overlay.name_places()
    for row in range(0, len(places), 7):
        explorer.hover(row)
        card: QRect = view.card.geometry()
        assert view.card.isVisible()
        assert view.canvas.native.rect().contains(card)
        (pixel,) = pixels_of(dock, [row])
        assert not card.contains(QPoint(*np.round(pixel).astype(int)))
        assert not any(card.contains(QPoint(int(x), int(y))) for x, y in names)
    view.resize(view.width(), 620)
    settle()
    assert view.canvas.native.rect().contains(view.card.geometry())
