"""Colours, palettes and limits, and how the points look."""

from __future__ import annotations

from typing import Any

import pytest
from page_looks import (
    dark_pixels,
    map_alpha,
    n_colored_pixels,
)


class TestColors:
    def test_numbers_have_a_bar_whose_ends_can_be_set_and_reset(self, open_page: Any) -> None:
        page = open_page()
        page.choose("Colour by", "area")
        low = page.page.get_by_label("Number of the first colour")
        low.wait_for()
        assert low.input_value() == "12.4"
        assert page.page.locator(".es-chip:visible").count() == 0
        low.fill("20")
        low.press("Enter")
        page.wait_for("k.last('color').limits?.[0] === 20")
        assert page.kernel("k.last('color').limits[1]") == 80.25  # all digits of what was shown
        page.press("Reset")
        page.wait_for("k.last('color').limits === null")
        page.page.wait_for_function("() => document.querySelector('.es-limit').value === '12.4'")
        assert page.page.get_by_role("button", name="Reset").is_disabled()

    def test_limits_in_the_wrong_order_are_refused(self, open_page: Any) -> None:
        page = open_page()
        page.choose("Colour by", "area")
        high = page.page.get_by_label("Number of the last colour")
        for wrong in ("3", ""):
            asked = page.kernel("k.count('color')")
            high.fill(wrong)
            high.press("Enter")
            page.page.get_by_text("must be smaller than that of the last").wait_for()
            assert page.kernel("k.count('color')") == asked
            assert high.input_value() == "80.25"

    def test_a_palette_is_chosen_and_the_limits_stay(self, open_page: Any) -> None:
        page = open_page()
        palette = page.page.get_by_label("Palette")
        assert not palette.is_visible()  # classes have their colours
        page.choose("Colour by", "area")
        high = page.page.get_by_label("Number of the last colour")
        high.fill("50")
        high.press("Enter")
        page.wait_for("k.last('color').limits?.[1] === 50")
        page.choose("Palette", "RdBu (with a middle)")
        page.wait_for("k.last('color').palette === 'RdBu_r'")
        assert page.kernel("k.last('color').limits") == [12.4, 50]

    def test_a_class_is_hidden_and_shown_by_keys_that_stay_where_they_were(
        self, open_page: Any
    ) -> None:
        page = open_page()
        page.page.get_by_role("button", name="bent 494").focus()
        page.page.keyboard.press("Enter")
        page.wait_for("k.by.hidden[0] === 'bent'")
        page.page.wait_for_selector('.es-chip[aria-pressed="false"]:focus')
        page.page.keyboard.press("Enter")
        page.wait_for("k.by.hidden.length === 0")

    def test_classes_that_are_clicked_before_an_answer_are_all_hidden(self, open_page: Any) -> None:
        page = open_page()
        page.kernel("(k.isSilent = true)")
        for name in ("bent 494", "small 478"):
            page.page.get_by_role("button", name=name).click()
        assert page.kernel("k.last('color').hidden") == ["bent", "small"]

    def test_points_grow_and_fade_by_their_sliders_in_every_view(self, open_page: Any) -> None:
        page = open_page()
        page.page.evaluate("() => test.show()")
        page.page.wait_for_selector(".es-map[data-camera] >> nth=1")
        before = n_colored_pixels(page)
        page.page.get_by_label("Point size").first.fill("3")
        page.settle(100)
        assert n_colored_pixels(page) > 1.5 * before
        page.page.get_by_label("Point size").first.fill("1")
        page.page.get_by_label("Opacity").first.fill("1")
        page.settle(100)
        opaque = map_alpha(page).sum(dtype=int)
        page.page.get_by_label("Opacity").first.fill("0.05")
        page.settle(100)
        assert map_alpha(page).sum(dtype=int) < opaque / 3
        assert page.page.get_by_label("Opacity").nth(1).input_value() == "0.05"

    @pytest.mark.parametrize("query", ["", "nowebgl"])
    def test_samples_unlike_those_trained_on_are_crossed_and_counted(
        self, open_page: Any, query: str
    ) -> None:
        page = open_page(query)
        chip = page.page.get_by_role("button", name="unlike those trained on")
        assert not chip.is_visible()
        plain = dark_pixels(page)
        page.kernel("k.sendNovel([...Array(40).keys()])")
        chip.wait_for()
        page.settle(100)
        assert "40" in chip.inner_text()
        crossed = dark_pixels(page)
        assert crossed > plain + 40 * 8
        chip.click()
        page.settle(100)
        assert dark_pixels(page) == plain
        chip.click()
        page.settle(100)
        assert dark_pixels(page) == crossed
        page.page.get_by_role("button", name="round 528").click()
        page.settle(300)
        assert plain < dark_pixels(page) < crossed  # what is hidden is not crossed
        page.kernel("k.sendNovel([])")
        chip.wait_for(state="hidden")
        assert page.page.locator(".es-map[data-camera]").count() == 1
