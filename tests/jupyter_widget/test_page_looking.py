"""What a page shows of samples and decoded points, and what it removes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from page_looks import (
    select_first_cloud,
    selected_rows,
)


class TestLooking:
    def test_hovering_shows_the_sample_s_picture_and_name(self, open_page: Any) -> None:
        page = open_page()
        page.page.mouse.move(*page.on_screen(*page.kernel("[k.xy[0], k.xy[1]]")))
        tooltip = page.page.locator(".es-map .es-tooltip")
        tooltip.get_by_text(re.compile(r"cells · t 0 · label \d+")).wait_for()
        assert tooltip.locator("canvas").is_visible()
        page.wait_for("k.count('hover') === 1 && k.last('hover').row >= 0")

    def test_the_hover_text_follows_the_colouring(self, open_page: Any) -> None:
        page = open_page()
        page.page.mouse.move(*page.on_screen(*page.kernel("[k.xy[0], k.xy[1]]")))
        values = page.page.locator(".es-map .es-tooltip-values")
        for feature, text in (("shape", "shape: (round|bent|small)"), ("area", "area: 40.5")):
            if feature == "area":  # from Python, while the mouse points at the sample
                page.kernel("k.on_color({by: 'feature', name: 'area', limits: null, hidden: []})")
            values.get_by_text(re.compile(rf"^{text}\nx: 1\ny: 2$")).wait_for()
        asked = page.kernel("k.count('thumbs')")
        page.kernel("k.on_color({by: 'none', name: '', limits: null, hidden: []})")
        values.get_by_text(re.compile(r"^x: 1\ny: 2\nframe: 0$")).wait_for()
        assert page.kernel("k.count('thumbs')") == asked  # these values were there

    @pytest.mark.parametrize("panel", ["map", "image"])
    def test_pictures_near_the_pointer_are_loaded_in_advance(
        self, open_page: Any, panel: str
    ) -> None:
        page = open_page()
        mouse, tooltip = page.page.mouse, page.page.locator(f".es-{panel} .es-tooltip")
        stage = page.page.locator(f".es-{panel}")
        stage.scroll_into_view_if_needed()

        def find_middle() -> np.ndarray:
            if panel == "map":
                return np.array(page.on_screen(*page.kernel("[k.xy[0], k.xy[1]]")))
            box = stage.bounding_box()
            return np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])

        for nudge in range(200):  # a move before the page is laid out finds no sample
            middle = find_middle()
            mouse.move(middle[0] + nudge % 2, middle[1])
            page.settle(50)
            if page.kernel("k.count('thumbs') >= 2"):
                break
        assert page.kernel("k.count('thumbs') >= 2")
        page.settle(200)
        page.kernel("k.isSilent = true")
        names = set()
        for step in range(40):
            mouse.move(middle[0] + step / 2, middle[1])
            page.settle(0)
            if tooltip.is_visible():
                assert tooltip.locator("canvas").is_visible()
                names.add(tooltip.inner_text())
        assert len(names) > 1

    def test_a_click_decodes_and_shows_the_nearest_real_samples(self, open_page: Any) -> None:
        page = open_page()
        page.page.mouse.click(*page.on_screen(-4, 0))
        page.page.wait_for_selector(".es-nearest canvas >> nth=4")
        assert page.page.locator(".es-decoded").first.is_visible()
        assert "Support" in page.text(".es-decoded-panel .es-caption")

    def test_far_from_all_samples_the_picture_is_called_an_extrapolation(
        self, open_page: Any
    ) -> None:
        page = open_page()
        page.press("Decode")
        page.page.mouse.click(*page.on_screen(-1.0, -4.0))
        page.page.get_by_text("extrapolation").wait_for()

    def test_with_an_atlas_the_decoder_follows_the_pointer_without_a_request(
        self, open_page: Any
    ) -> None:
        page = open_page()
        page.kernel("k.sendAtlas()")
        page.press("Decode")
        for x, support in ((6, "Support 100 %"), (-6, "Support 0 %")):
            page.page.mouse.move(*page.on_screen(x, 0))
            page.page.locator(".es-tooltip").get_by_text(support, exact=True).wait_for()
        assert page.kernel("k.count('decode')") == 0
        page.page.mouse.click(*page.on_screen(-4, 0))
        page.wait_for("k.count('decode') === 1")

    def test_dragging_the_decoder_has_few_pending_requests(self, open_page: Any) -> None:
        page = open_page()
        page.press("Decode")
        page.page.evaluate("() => { test.kernel.isSilent = true; }")
        page.drag([page.on_screen(-5 + 0.2 * i, 0) for i in range(20)])
        assert page.kernel("k.count('decode')") == 4

    def test_a_path_is_a_strip_of_pictures(self, open_page: Any) -> None:
        page = open_page()
        page.press("Path")
        page.drag([page.on_screen(-4, 0), page.on_screen(-1, 2), page.on_screen(2, 3)])
        page.page.wait_for_selector(".es-strip canvas >> nth=11")
        first = page.kernel("k.last('decode-path').points[0]")
        np.testing.assert_allclose(first, [-4, 0], atol=0.05)

    def test_the_formation_slider_shows_an_earlier_map_and_comes_back(self, open_page: Any) -> None:
        page = open_page()
        slider = page.page.get_by_label("Epoch of the map")
        slider.fill("1")
        page.wait_for("k.last('replay')?.index === 1")
        page.page.get_by_text("epoch 4").wait_for()
        slider.fill("5")
        page.wait_for("k.last('replay').index === -1")

    def test_why_here_asks_for_the_selection(self, open_page: Any) -> None:
        page = open_page()
        select_first_cloud(page)
        page.page.get_by_text("Why here").click()
        page.press("What drives their position?")
        page.page.get_by_text("72 %").wait_for()
        assert page.page.locator(".es-ranking-bar").count() == 2

    def test_the_wheel_zooms_about_the_pointer(self, open_page: Any) -> None:
        page = open_page()
        place = page.on_screen(2, 3)
        page.page.mouse.click(*place)
        page.page.mouse.wheel(0, -300)
        page.settle(100)
        np.testing.assert_allclose(page.on_screen(2, 3), place, atol=1)
        page.press("Fit")

    def test_the_time_slider_asks_for_its_plane(self, open_page: Any) -> None:
        page = open_page()
        page.page.get_by_label("Time").fill("2")
        page.wait_for("k.last('view')?.t_index === 2")

    def test_selected_samples_are_pictures_that_lead_to_their_position(
        self, open_page: Any
    ) -> None:
        page = open_page()
        assert not page.page.get_by_text("Selected samples").is_visible()
        select_first_cloud(page)
        cards = page.page.locator(".es-card")
        page.page.wait_for_selector(".es-card canvas[data-row] >> nth=23")
        assert cards.count() == 24
        rows = [int(row) for row in cards.locator("canvas").evaluate_all(ROWS_OF)]
        selected = set(selected_rows(page).tolist())
        assert set(rows) <= selected
        assert max(rows) > 1000  # evenly, not the first
        assert f"24 of {len(selected)}." in page.text(".es-gallery + p")
        cards.nth(3).hover()
        page.wait_for(f"k.last('hover')?.row === {rows[3]}")
        assert page.page.locator(".es-hover").get_attribute("visibility") == "visible"
        cards.nth(3).click()
        page.wait_for(f"k.last('where')?.row === {rows[3]}")
        page.page.keyboard.press("Tab")
        page.wait_for(f"k.last('hover')?.row === {rows[4]}")

    def test_of_a_table_there_are_no_pictures(self, open_page: Any) -> None:
        page = open_page("table")
        select_first_cloud(page)
        assert not page.page.get_by_text("Selected samples").is_visible()

    def test_what_was_decoded_is_removed_by_clear(self, open_page: Any) -> None:
        page = open_page()
        page.page.mouse.click(*page.on_screen(-4, 0))
        page.page.wait_for_selector(".es-nearest canvas >> nth=4")
        page.page.locator(".es-decoded-panel").get_by_role("button", name="Clear").click()
        page.page.get_by_text("Click the map to see").wait_for()
        assert page.kernel("k.count('decode-clear')") == 1


class TestRemoving:
    """Answers about earlier samples or an earlier map are removed."""

    def test_the_decoded_sample_and_its_neighbours_are_removed(self, open_page: Any) -> None:
        page = open_page()
        page.page.mouse.click(*page.on_screen(-4, 0))
        page.page.wait_for_selector(".es-nearest canvas >> nth=4")
        assert page.page.locator(".es-pin").get_attribute("visibility") == "visible"
        page.kernel("k.tell({t: 'gone', what: ['decoded', 'path', 'explained']})")
        page.page.get_by_text("Click the map to see").wait_for()
        assert page.page.locator(".es-nearest canvas").count() == 0
        assert not page.page.locator(".es-decoded").first.is_visible()
        assert page.page.locator(".es-pin").get_attribute("visibility") == "hidden"

    def test_the_values_of_a_table_are_removed(self, open_page: Any) -> None:
        page = open_page("table")
        page.page.mouse.click(*page.on_screen(-4, 0))
        page.page.get_by_text("eccentricity").wait_for()
        page.kernel("k.tell({t: 'gone', what: ['decoded']})")
        page.page.get_by_text("eccentricity").wait_for(state="detached")

    def test_the_path_and_the_explanation_are_removed(self, open_page: Any) -> None:
        page = open_page()
        page.press("Path")
        page.drag([page.on_screen(-4, 0), page.on_screen(-1, 2), page.on_screen(2, 3)])
        page.page.wait_for_selector(".es-strip canvas >> nth=11")
        page.press("Lasso")
        select_first_cloud(page)
        page.page.get_by_text("Why here").click()
        page.press("What drives their position?")
        page.page.get_by_text("72 %").wait_for()
        page.kernel("k.tell({t: 'gone', what: ['path', 'explained']})")
        page.page.get_by_text("Along a path").wait_for(state="hidden")
        assert page.page.locator(".es-path").get_attribute("visibility") == "hidden"
        assert page.page.locator(".es-ranking-bar").count() == 0

    def test_pictures_of_samples_are_asked_for_again(self, open_page: Any) -> None:
        page = open_page()
        place = page.on_screen(*page.kernel("[k.xy[0], k.xy[1]]"))
        n_asked = "k.asked.filter(({t, rows}) => t === 'thumbs' && rows.includes(0)).length"
        page.page.mouse.move(*place)
        page.wait_for(f"{n_asked} === 1")
        page.kernel("k.tell({t: 'gone', what: ['thumbnails']})")
        page.page.mouse.move(5, 5)
        page.page.mouse.move(*place)
        page.wait_for(f"{n_asked} === 2")

    def test_without_its_atlas_the_decoder_is_asked(self, open_page: Any) -> None:
        page = open_page()
        page.kernel("k.sendAtlas()")
        page.kernel(
            "k.tell({t: 'atlas', rev: 9, nx: 0, ny: 0, x0: 0, y0: 0, x1: 0, y1: 0, w: 0, h: 0},"
            " new Uint8Array(0), new Uint8Array(0))"
        )
        page.press("Decode")
        page.page.mouse.move(*page.on_screen(-4, 0))
        page.wait_for("k.count('decode') >= 1")


ROWS_OF = "(canvases) => canvases.map((canvas) => canvas.dataset.row)"
