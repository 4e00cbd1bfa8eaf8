"""The sample panel: what is drawn is said, samples are carried, and real ones are drawn again."""

from __future__ import annotations

from time import perf_counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from dock_hands import box_around, click_point, drag_map, pixels_of
from linear_map import HELD_OUT, linear_explorer, random_samples
from map_pixels import settle
from qtpy.QtCore import Qt
from qtpy.QtGui import QRegion
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QLabel, QWidget

from embedscope.explorer import Explorer, Presenter
from embedscope.napari_dock._dock_view import DockView
from embedscope.napari_dock.map._gestures import Tool
from embedscope.samples import samples_from_array
from embedscope.training import Phase, Status

TABLE = samples_from_array(np.random.default_rng(0).random((60, 6), np.float32))


@pytest.fixture
def open_view(qtbot):
    """``open_view(explorer)`` shows it, with the hands' way to it."""
    opened = []

    def open_it(explorer: Explorer) -> Any:
        view = DockView(lambda: explorer.color_by, has_style=lambda: explorer.has_style)
        qtbot.addWidget(view)
        view.resize(400, 800)
        with qtbot.waitExposed(view):
            view.show()
        opened.append(Presenter(explorer, view, "view"))
        settle()
        return SimpleNamespace(view=view, explorer=explorer, panel=view.sample_panel)

    yield open_it
    for presenter in opened:
        presenter.close()


@pytest.fixture
def dock(open_view):
    return open_view(linear_explorer())


def look_at(dock: Any, row: int) -> None:
    """Click with Look at the point of a sample."""
    drag_map(dock, Tool.DECODE, pixels_of(dock, [row]))


def flat(dock: Any) -> np.ndarray:
    return dock.explorer.reconstruction.sample.ravel()


def carry(dock: Any, row: int) -> None:
    dock.explorer.select_rows([row])
    dock.panel.carrying.carry.click()


def test_a_place_shows_its_typical_sample_and_how_sure_that_is(dock):
    look_at(dock, 5)
    panel = dock.panel
    assert panel.caption.text() == "Typical sample here"
    assert panel.spread.isVisible()
    assert panel.how_sure.text() == "how sure"
    assert panel.nearest.text() == "Nearest real samples"
    assert panel.spread.pixmap().toImage().pixelColor(3, 3).red() == pytest.approx(
        int(dock.explorer.reconstruction.spread_picture[0, 0, 0]), abs=1
    )


def test_where_less_is_sure_the_picture_is_brighter(dock):
    places = dock.explorer.embedding.positions.sum(axis=1)
    shown = []
    for row in (int(places.argmin()), int(places.argmax())):  # sure and not, on this map
        look_at(dock, row)
        shown.append(dock.panel.spread.pixmap().toImage().pixelColor(3, 3).red())
    assert shown[0] + 50 < shown[1]


def test_a_map_that_knows_no_spread_shows_none(open_view):
    dock = open_view(linear_explorer(spread=False))
    look_at(dock, 5)
    assert dock.panel.drawn.isVisible()
    assert not dock.panel.spread.isVisible()
    assert not dock.panel.how_sure.isVisible()


def test_of_a_table_the_values_are_given_with_their_spread(open_view):
    dock = open_view(linear_explorer(TABLE))
    look_at(dock, 5)
    drawn = dock.explorer.reconstruction
    assert f"± {drawn.spread[0]:.2g}" in dock.panel.text.text()
    assert "Nearest real samples:" in dock.panel.text.text()


def test_a_place_far_from_all_data_is_marked(dock):
    dock.view.intents.decode_requested.emit(np.array([90.0, 90.0]))
    assert "support 0 %: far from all data, an extrapolation" in dock.panel.text.text()
    assert "255,179,71" in dock.panel.text.styleSheet()
    look_at(dock, 5)
    assert dock.panel.text.styleSheet() == ""


def test_a_carried_sample_goes_where_the_pointer_drags_it(dock):
    carry(dock, 7)
    name, code = "array 7", dock.explorer.samples.X[7].ravel()[2:4]
    assert dock.panel.caption.text() == f"This sample, from its own code ({name})"
    assert f"Carrying {name}" in dock.panel.carrying.text.text()
    assert dock.view.map_panel.tools[Tool.DECODE].isChecked()
    drag_map(dock, Tool.DECODE, np.linspace(*pixels_of(dock, [7, 20]), 5))
    assert dock.panel.caption.text() == f"Carried here from {name}"
    np.testing.assert_allclose(flat(dock)[2:4], code, atol=1e-6)
    np.testing.assert_allclose(flat(dock)[:2], dock.explorer.embedding.positions[20], atol=0.02)
    drag_map(dock, Tool.PATH, np.linspace(*pixels_of(dock, [7, 20]), 5))
    codes = [step.sample.ravel()[2:4] for step in dock.explorer.reconstruction]
    np.testing.assert_allclose(codes, np.tile(code, (len(codes), 1)), atol=1e-6)
    assert len(dock.panel.strip.steps) == len(codes)
    assert dock.panel.caption.text() == f"Carried here from {name}"


def test_let_go_it_is_the_typical_sample_of_the_same_place(dock):
    carry(dock, 7)
    look_at(dock, 20)
    place = dock.explorer.reconstruction.point
    dock.panel.carrying.release.click()
    assert dock.panel.caption.text() == "Typical sample here"
    np.testing.assert_array_equal(dock.explorer.reconstruction.point, place)
    assert not dock.panel.carrying.text.isVisible()
    assert not dock.panel.carrying.carry.isChecked()
    look_at(dock, 9)
    assert dock.explorer.reconstruction.style == "typical"


@pytest.mark.parametrize("samples", [None, TABLE], ids=["pictures", "table"])
def test_a_path_stays_when_its_sample_is_let_go(open_view, samples):
    dock = open_view(linear_explorer(samples))
    carry(dock, 7)
    drag_map(dock, Tool.PATH, np.linspace(*pixels_of(dock, [7, 20]), 5))
    path = dock.explorer.reconstruction
    dock.panel.carrying.carry.click()  # the same as Release
    assert dock.explorer.reconstruction is path
    assert dock.panel.carrying.carried is None


def test_with_path_chosen_carrying_keeps_on_drawing_paths(dock):
    dock.view.map_panel.tools[Tool.PATH].click()
    carry(dock, 7)
    assert dock.view.map_panel.tools[Tool.PATH].isChecked()


def test_another_selection_changes_nobody_who_is_carried(dock):
    carry(dock, 7)
    click_point(dock, 11)
    dock.explorer.select_rows([11, 12, 13])
    assert dock.panel.carrying.carried == dock.explorer.samples.identities[7]
    assert dock.panel.carrying.carry.isEnabled()  # to let go


def test_another_draws_with_the_code_of_a_neighbour_here(dock):
    look_at(dock, 5)
    place, seen = dock.explorer.reconstruction.point, set()
    for _ in range(6):
        dock.panel.carrying.another.click()
        drawn = dock.explorer.reconstruction
        np.testing.assert_array_equal(drawn.point, place)
        assert dock.panel.caption.text() == f"Another: code of array {drawn.style_of.label}"
        seen.add(drawn.style_of)
    assert len(seen) > 2


def test_a_button_that_cannot_be_pressed_says_why(open_view):
    dock = open_view(linear_explorer())
    carrying = dock.panel.carrying
    buttons = carrying.carry, carrying.another, carrying.reconstruct
    assert not any(button.isEnabled() for button in buttons)
    assert "Select one sample, by a click on its point; 0 are selected" in carrying.carry.toolTip()
    assert "Decode a point of the map first" in carrying.another.toolTip()
    assert "0 are selected" in carrying.reconstruct.toolTip()
    dock.explorer.select_rows([3, 4])
    assert "2 are selected" in carrying.carry.toolTip()
    assert carrying.reconstruct.isEnabled()
    look_at(dock, 3)
    dock.explorer.select_rows([3])
    assert all(button.isEnabled() for button in buttons)
    assert carrying.carry.toolTip().startswith("Carry the selected sample")


def test_a_map_without_style_codes_carries_nobody(open_view):
    dock = open_view(linear_explorer(style=False))
    dock.explorer.select_rows([3])
    look_at(dock, 3)
    for button in (dock.panel.carrying.carry, dock.panel.carrying.another):
        assert not button.isEnabled()
        assert '"Style components" above 0' in button.toolTip()
    dock.panel.carrying.reconstruct.click()
    assert not dock.panel.reconstructions.heads[1].isVisible()  # own code
    assert "by position" not in dock.panel.reconstructions.texts[0].text()


def test_samples_without_a_place_are_not_carried(open_view):
    dock = open_view(Explorer(random_samples()))
    dock.explorer.select_rows([3])
    assert "have a position" in dock.panel.carrying.reconstruct.toolTip()
    assert not dock.panel.carrying.carry.isEnabled()


def test_a_run_puts_a_carried_sample_down(dock):
    carry(dock, 7)
    dock.explorer.events.status_changed.emit(Status(run_id=2, phase=Phase.FITTING))
    assert dock.panel.carrying.carried is None
    assert not dock.panel.carrying.carry.isEnabled()
    assert "training has ended" in dock.panel.carrying.carry.toolTip()
    look_at(dock, 9)
    assert dock.explorer.reconstruction.style == "typical"


def test_other_samples_put_a_carried_one_down(dock):
    carry(dock, 7)
    dock.explorer.set_samples(np.random.default_rng(1).random((5, 3)))
    assert dock.panel.carrying.carried is None
    assert not dock.panel.carrying.text.isVisible()


def test_escape_lets_go_and_clears_what_was_drawn_again(dock, qtbot):
    carry(dock, 7)
    dock.panel.carrying.reconstruct.click()
    with qtbot.waitActive(dock.view):
        dock.view.activateWindow()
    dock.view.canvas.native.setFocus()
    QTest.keyClick(dock.view.canvas.native, Qt.Key.Key_Escape)
    assert dock.panel.carrying.carried is None
    assert dock.explorer.sample_reconstructions == ()
    assert not dock.panel.reconstructions.isVisible()
    assert dock.explorer.reconstruction is None


def test_selected_samples_are_drawn_again_beside_the_real_ones(dock, qtbot):
    rows = [int(HELD_OUT[2]), int(HELD_OUT[2]) + 1]
    dock.explorer.select_rows(rows)
    dock.view.tabs.setCurrentWidget(dock.view.gates_panel)
    dock.panel.carrying.reconstruct.click()
    again, shown = dock.panel.reconstructions, dock.explorer.sample_reconstructions
    assert dock.view.tabs.currentWidget() is dock.panel
    assert again.isVisible()
    qtbot.waitUntil(lambda: is_in_view(again.texts[1]), timeout=60_000)
    assert [text.isVisible() for text in again.texts] == [True] * 2 + [False] * 6
    for one, row, text, word in zip(
        shown, rows, again.texts[:2], ("held out", "trained on"), strict=True
    ):
        lines = text.text().splitlines()
        assert lines[0] == f"array {row}"
        assert lines[1:] == [
            f"error {one.error:.2f}",
            f"by position {one.typical_error:.2f}",
            word,
        ]
    assert_shows(again.pictures[0], shown[0])
    again.clear.click()
    assert not again.isVisible()
    assert dock.explorer.sample_reconstructions == ()


def is_in_view(widget: QWidget) -> bool:
    """Whether the whole of it is on the screen."""
    return not widget.rect().isEmpty() and QRegion(widget.rect()) == widget.visibleRegion()


def assert_shows(labels: Any, one: Any) -> None:
    """Each label shows the middle of its picture, in the order of the heads."""
    for label, picture in zip(
        labels, (one.original, one.picture, one.typical, one.difference), strict=True
    ):
        color = label.pixmap().toImage().pixelColor(3, 3)
        np.testing.assert_allclose(
            [color.red(), color.green(), color.blue()], picture[0, 0], atol=1
        )


def test_of_more_than_eight_eight_are_drawn_again(dock):
    drag_map(dock, Tool.LASSO, box_around(dock, range(60)))
    assert len(dock.explorer.selection) == 60
    dock.panel.carrying.reconstruct.click()
    assert len(dock.explorer.sample_reconstructions) == 8
    assert all(text.isVisible() for text in dock.panel.reconstructions.texts)
    dock.explorer.show_sample_reconstructions(dock.explorer.reconstruct(range(20)))
    assert dock.panel.reconstructions.title.text() == "Reconstructed samples, 8 of 20"


def test_of_a_table_the_worst_values_are_told(open_view):
    dock = open_view(linear_explorer(TABLE))
    dock.explorer.select_rows([4])
    dock.panel.carrying.reconstruct.click()
    again = dock.panel.reconstructions
    assert not any(label.isVisible() for label in again.pictures[0])
    worst = int(np.argmax(TABLE.X[4, 4:])) + 4  # what the map does not know is drawn as 0
    name, value = TABLE.feature_names[worst], TABLE.X[4, worst]
    assert f"{name}: real {value:.3g}, decoded 0" in again.texts[0].text().splitlines()


def test_added_samples_are_told_from_those_trained_on(dock):
    dock.explorer.add_samples(random_samples().X[:3])
    dock.explorer.select_rows([61])
    dock.panel.carrying.reconstruct.click()
    assert "added later" in dock.panel.reconstructions.texts[0].text()


def test_how_much_is_explained_is_said_live_under_the_curves(dock):
    view = dock.view
    view.tabs.setCurrentWidget(view.learned)
    assert not view.explained.isVisible()
    for place, style in ((0.9, 0.8), (0.64, 0.26)):
        dock.explorer._on_losses(
            {"val_reconstruction_loss": place, "val_style_reconstruction_loss": style}
        )
    expected = "The decoder explains 36 % of unseen samples; 74 % with their own code."
    assert view.explained.text() == expected
    assert view.explained.isVisible()
    dock.explorer.set_samples(None)
    assert not view.explained.isVisible()


def test_nothing_is_cut_off_at_400_pixels(dock):
    carry(dock, 7)
    dock.explorer.select_rows(range(8))
    dock.panel.carrying.reconstruct.click()
    settle()
    inside = dock.view.scroll_area.widget()
    assert inside.minimumSizeHint().width() <= dock.view.scroll_area.viewport().width()


def test_no_stored_pictures_are_spoken_of(dock):
    carry(dock, 7)
    dock.panel.carrying.reconstruct.click()
    tips = [widget.toolTip() for widget in _all(dock.panel, QWidget)]
    labels = [each.text() for kind in (QLabel, QAbstractButton) for each in _all(dock.panel, kind)]
    said = " ".join([dock.view.loss_plot.toolTip(), *tips, *labels]).lower()
    assert "decoded" in said
    assert "held out" in said
    assert "exemplar" not in said
    assert "reconstruction" not in said


def _all(widget: Any, kind: type) -> list[Any]:
    return widget.findChildren(kind)


@pytest.mark.speed
def test_a_drag_takes_little_time_a_picture(dock):
    carry(dock, 7)
    way = np.linspace(*pixels_of(dock, [7, 20]), 21)
    start = perf_counter()
    for pixel in way:
        dock.view.canvas.decode_requested.emit(dock.view.canvas.map_view.to_map(pixel))
    assert (perf_counter() - start) / len(way) < 0.03
