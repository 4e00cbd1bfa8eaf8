"""Selecting on the map and the image, and the intents that are sent."""

from __future__ import annotations

from typing import Any

import numpy as np
from page_looks import (
    FIRST_CLOUD,
    N_ACROSS,
    assert_selected,
    select_first_cloud,
    selected_rows,
)


class TestSelecting:
    def test_a_lasso_selects_exactly_the_samples_inside(self, open_page: Any) -> None:
        page = open_page()
        select_first_cloud(page)
        assert_selected(page, lambda inside: inside(FIRST_CLOUD), FIRST_CLOUD)
        assert f"{len(selected_rows(page)):,} of 1,500" in page.text(".es-selected")

    def test_shift_adds_and_alt_takes_away(self, open_page: Any) -> None:
        page = open_page()
        left, right, lower = (-6.5, -3, -4, 3), (1, -4, 5, 4), (-6.5, -4, 0, 0)
        page.drag(page.corners(*left))
        page.drag(page.corners(*right), "Shift")
        page.drag(page.corners(*lower), "Alt")
        assert_selected(
            page,
            lambda inside: (inside(left) | inside(right)) & ~inside(lower),
            *(left, right, lower),
        )

    def test_a_rectangle_selects_by_two_corners(self, open_page: Any) -> None:
        page = open_page()
        page.press("Rectangle")
        page.drag([page.on_screen(-6.5, -3), page.on_screen(-1.2, 3)])
        assert_selected(page, lambda inside: inside(FIRST_CLOUD), FIRST_CLOUD)

    def test_a_click_selects_the_sample_under_it_and_escape_clears(self, open_page: Any) -> None:
        page = open_page()
        x, y = page.kernel("[k.xy[20], k.xy[21]]")
        page.page.mouse.click(*page.on_screen(x, y))
        (row,) = selected_rows(page)
        at = page.kernel(f"[k.xy[{2 * row}], k.xy[{2 * row + 1}]]")
        assert np.hypot(at[0] - x, at[1] - y) < 0.05
        page.page.keyboard.press("Escape")
        page.wait_for("k.count('select') === 2 && !k.mask.includes(1)")

    def test_a_double_click_beside_the_samples_clears(self, open_page: Any) -> None:
        page = open_page()
        select_first_cloud(page)
        page.page.mouse.dblclick(*page.on_screen(-1, -4))
        page.wait_for("k.count('select') === 2 && !k.mask.includes(1)")
        page.page.mouse.dblclick(*page.on_screen(-1, -4))
        page.page.keyboard.press("Escape")
        page.settle(50)
        assert page.kernel("k.count('select')") == 2  # there is nothing to clear

    def test_hidden_classes_are_not_selected(self, open_page: Any) -> None:
        page = open_page()
        page.press("bent 494")
        page.wait_for("k.last('color')?.hidden[0] === 'bent'")
        page.page.wait_for_selector('.es-chip[aria-pressed="false"]')
        page.drag(page.corners(-5, -3, 4, 4))
        assert len(selected_rows(page)) > 300
        assert 1 not in set(page.kernel("[...k.kinds].filter((_, i) => k.mask[i])"))

    def test_what_the_kernel_selects_is_shown(self, open_page: Any) -> None:
        page = open_page()
        page.kernel("(k.mask[3] = k.mask[77] = 1, k.sendSelection('python'))")
        assert page.text(".es-selected").startswith("2 of 1,500")

    def test_an_answer_older_than_the_page_s_own_selection_is_not_shown(
        self, open_page: Any
    ) -> None:
        page = open_page()
        select_first_cloud(page)
        shown = page.text(".es-selected")
        page.kernel(
            "k.tell({t: 'sel', rev: 0, origin: '', count: 0, n: 1500}, new Uint8Array(188))"
        )
        assert page.text(".es-selected") == shown

    def test_a_click_on_the_image_selects_its_object(self, open_page: Any) -> None:
        page = open_page()
        page.wait_for("k.count('view') > 0")
        box = page.page.locator(".es-image").bounding_box()
        pitch = box["width"] / N_ACROSS
        page.settle(200)
        page.page.mouse.click(box["x"] + 2.5 * pitch, box["y"] + 1.5 * pitch)
        assert list(selected_rows(page)) == [N_ACROSS + 2]

    def test_a_rectangle_on_the_image_selects_the_objects_it_touches(self, open_page: Any) -> None:
        page = open_page()
        page.wait_for("k.count('view') > 0")
        page.settle(200)
        page.press("Rectangle")
        box = page.page.locator(".es-image").bounding_box()
        pitch = box["width"] / N_ACROSS
        page.drag([(box["x"] + 3, box["y"] + 3), (box["x"] + 2 * pitch, box["y"] + pitch)])
        assert list(selected_rows(page)) == [0, 1]
