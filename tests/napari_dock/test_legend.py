"""The legend under the mouse: classes, limits, palettes, and who is unlike those trained on."""

from __future__ import annotations

import numpy as np
import pytest
from map_pixels import as_array, pixels, settle
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from view_contract import explorer_with_map

from embedscope.explorer import ColorBy, Presenter
from embedscope.napari_dock._dock_view import DockView
from embedscope.napari_dock.map._legend import LegendButton
from embedscope.napari_dock.widgets._theme import DARK, LIGHT
from embedscope.samples import samples_from_array

LEFT, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def explorer():
    made = explorer_with_map()
    positions = made.embedding.positions
    samples = samples_from_array(np.eye(60, 4, dtype=np.float32))
    numbers = np.linspace(0, 59, 60)
    made.set_samples(samples.with_features(kind=np.repeat(["a", "b", "c"], 20), area=numbers))
    made.place(positions)
    return made


@pytest.fixture
def view(show_widget, explorer):
    shown = DockView(lambda: explorer.color_by)
    shown.canvas.setFixedHeight(400)  # screenshots of it are compared
    show_widget(shown, 400, 950)
    presenter = Presenter(explorer, shown, "view")
    yield shown
    presenter.close()


def button_of(view, label: str) -> LegendButton:
    settle()
    (found,) = (
        button
        for button in view.map_panel.legend.findChildren(LegendButton)
        if button.isVisible() and button.text().startswith(label)
    )
    return found


def hidden(explorer) -> set[str]:
    return {entry.label for entry in explorer.coloring.legend if not entry.visible}


def test_a_click_hides_a_class_and_another_shows_it(view, explorer):
    explorer.color("kind")
    QTest.mouseClick(button_of(view, "b"), LEFT)
    assert hidden(explorer) == {"b"}
    assert (view.canvas.map_view.points.rgba[20:40, 3] == 0).all()
    QTest.mouseClick(button_of(view, "b"), LEFT)
    assert hidden(explorer) == set()


def test_with_shift_a_class_is_alone_and_then_all_are_there_again(view, explorer):
    explorer.color("kind")
    QTest.mouseClick(button_of(view, "b"), LEFT, SHIFT)
    assert hidden(explorer) == {"a", "c"}
    QTest.mouseClick(button_of(view, "c"), LEFT, SHIFT)
    assert hidden(explorer) == {"a", "b"}
    QTest.mouseClick(button_of(view, "c"), LEFT, SHIFT)
    assert hidden(explorer) == set()


def type_limits(scale, low: str, high: str) -> None:
    for entry, text in ((scale.low, low), (scale.high, high)):
        entry.setFocus()
        entry.selectAll()
        QTest.keyClicks(entry, text)
        QTest.keyClick(entry, Qt.Key.Key_Return)


def test_limits_are_typed_and_taken_from_the_data_again(view, explorer):
    explorer.color("area")
    scale, own = view.map_panel.legend.scale, explorer.coloring.limits
    assert not scale.own_limits.isVisible()
    type_limits(scale, "10", "40")
    assert explorer.color_by.limits == (10, 40)
    assert (explorer.coloring.levels[:10] == explorer.coloring.levels[10]).all()
    scale.own_limits.click()
    assert explorer.coloring.limits == own
    assert explorer.color_by.limits is None


@pytest.mark.parametrize(("low", "high"), [("x", "3"), ("50", "50"), ("60", "40"), ("nan", "inf")])
def test_limits_that_are_no_range_are_put_back(view, explorer, low, high):
    explorer.color("area")
    scale, before = view.map_panel.legend.scale, explorer.coloring.limits
    scale.low.setText(low)
    scale.high.setText(high)
    QTest.keyClick(scale.high, Qt.Key.Key_Return)
    assert explorer.coloring.limits == before
    shown = [float(scale.low.text()), float(scale.high.text())]
    np.testing.assert_allclose(shown, before, rtol=1e-3)


def test_a_palette_is_chosen_and_drawn(view, explorer):
    explorer.color("area")
    scale = view.map_panel.legend.scale
    settle()
    before = as_array(scale.bar.grab().toImage())
    assert np.ptp(before, axis=1).max() > 100  # from dark to bright
    scale.palettes.textActivated.emit("magma")
    assert explorer.color_by == ColorBy("feature", "area", palette="magma")
    assert scale.palettes.currentText() == "magma"
    settle()
    assert (as_array(scale.bar.grab().toImage()) != before).any()


@pytest.mark.parametrize("colors", [DARK, LIGHT])
def test_samples_unlike_those_trained_on_are_crossed_and_counted(view, explorer, colors):
    view.set_theme(colors)
    plain = pixels(view.canvas.map_view)
    told: list[bool] = []
    view.map_panel.novel_marked.connect(told.append)
    view.show_novel(np.arange(60) == 24)
    marked = pixels(view.canvas.map_view)
    changed = np.argwhere((marked != plain).any(axis=-1))
    x, y = view.canvas.map_view.to_pixels(explorer.embedding.positions[[24]].astype(float))[0]
    assert len(changed) > 20
    assert np.abs(changed - (y, x)).max() < 15  # this point alone
    entry = button_of(view, "unlike those trained on  1")
    QTest.mouseClick(entry, LEFT)
    assert told == [False]
    np.testing.assert_array_equal(pixels(view.canvas.map_view), plain)
    QTest.mouseClick(entry, LEFT)
    np.testing.assert_array_equal(pixels(view.canvas.map_view), marked)
    view.show_novel(np.zeros(60, bool))
    settle()
    assert not entry.isVisible()
    np.testing.assert_array_equal(pixels(view.canvas.map_view), plain)


def test_hidden_samples_have_no_cross(view, explorer):
    explorer.color("kind")
    view.show_novel(np.arange(60) < 20)
    QTest.mouseClick(button_of(view, "a"), LEFT)
    shown = pixels(view.canvas.map_view)
    view.show_novel(np.zeros(60, bool))
    np.testing.assert_array_equal(pixels(view.canvas.map_view), shown)


def test_size_and_opacity_of_the_points_change_the_picture(view, explorer):
    plain = pixels(view.canvas.map_view)
    menu = view.map_panel.points_menu
    menu.diameter.setValue(16)
    large = pixels(view.canvas.map_view)
    assert (large != plain).any(axis=-1).sum() > 500
    menu.opacity.setValue(20)
    faint = pixels(view.canvas.map_view)
    contrast = [np.abs(shown - shown[1, 1]).max() for shown in (large, faint)]
    assert contrast[1] < 0.5 * contrast[0]
    menu.diameter.setValue(0)
    menu.opacity.setValue(100)
    np.testing.assert_array_equal(pixels(view.canvas.map_view), plain)
