"""Everything by the keyboard and with a screen reader."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from page_looks import (
    N_ACROSS,
    draw_gate,
    select_first_cloud,
    selected_rows,
)
from widget_page import ROOT

JS = ROOT / "src" / "embedscope" / "jupyter_widget" / "js"
AXE = JS / "node_modules" / "axe-core" / "axe.min.js"


class TestKeyboard:
    def test_the_map_moves_and_zooms(self, open_page: Any) -> None:
        page = open_page()
        stage = page.page.locator(".es-map")

        def camera() -> list[float]:
            page.settle(60)
            return [float(v) for v in stage.get_attribute("data-camera").split()]

        stage.focus()
        whole = camera()
        page.page.keyboard.press("ArrowRight")
        page.page.keyboard.press("ArrowUp")
        x, y, scale = camera()
        np.testing.assert_allclose([x - whole[0], y - whole[1]], 40 / scale)
        page.page.keyboard.press("+")
        page.page.keyboard.press("+")
        page.page.keyboard.press("-")
        assert camera()[2] == pytest.approx(whole[2] * 1.25)
        page.page.keyboard.press("0")
        assert camera() == whole

    def test_shift_and_an_arrow_go_to_the_next_sample_and_enter_selects(
        self, open_page: Any
    ) -> None:
        page = open_page()
        page.page.locator(".es-map").focus()
        xy = np.array(page.kernel("[...k.xy]")).reshape(-1, 2)
        visited = []
        for key in ("ArrowLeft", "ArrowLeft", "ArrowUp"):
            page.page.keyboard.press(f"Shift+{key}")
            count = len(visited) + 1
            page.wait_for(f"k.count('hover') === {count}")
            visited.append(page.kernel("k.last('hover').row"))
        first, second, third = xy[visited]
        assert second[0] < first[0]
        assert abs(second[1] - first[1]) <= first[0] - second[0]
        assert third[1] > second[1]
        heard = page.page.locator(".es-map-panel .es-heard")
        heard.get_by_text(f"label {visited[2] + 1}").wait_for()
        page.page.keyboard.press("Enter")
        assert list(selected_rows(page)) == [visited[2]]
        heard.get_by_text(f"label {visited[2] + 1}, selected").wait_for()
        page.wait_for(f"k.last('decode')?.x === {xy[visited[2], 0]}")
        page.page.keyboard.press("Shift+ArrowUp")
        page.wait_for("k.count('hover') === 4")
        page.page.keyboard.press("Shift+Enter")
        page.wait_for("k.mask.filter((v) => v).length === 2")
        page.page.keyboard.press("Alt+Enter")
        page.wait_for("k.mask.filter((v) => v).length === 1")

    def test_it_follows_the_sample_out_of_view(self, open_page: Any) -> None:
        page = open_page()
        page.page.locator(".es-map").focus()
        for key in ("+", "+", "+", "+", "+", "+", "+", "+", "+", "+"):
            page.page.keyboard.press(key)
        for _ in range(12):
            page.page.keyboard.press("Shift+ArrowLeft")
        page.settle(200)
        x, y = page.kernel("[k.xy[2 * k.last('hover').row], k.xy[2 * k.last('hover').row + 1]]")
        box = page.page.locator(".es-map").bounding_box()
        sx, sy = page.on_screen(x, y)
        assert box["x"] <= sx <= box["x"] + box["width"]
        assert box["y"] <= sy <= box["y"] + box["height"]

    def test_at_the_edge_of_the_map_it_stays(self, open_page: Any) -> None:
        page = open_page()
        page.page.locator(".es-map").focus()
        for _ in range(60):
            page.page.keyboard.press("Shift+ArrowRight")
        page.settle(200)
        xy = np.array(page.kernel("[...k.xy]")).reshape(-1, 2)
        last = page.kernel("k.last('hover').row")
        to_all = xy - xy[last]
        assert not (to_all[:, 0] > np.abs(to_all[:, 1]) + 0.1).any()

    def test_objects_of_the_image_are_stepped_through_and_selected(self, open_page: Any) -> None:
        page = open_page()
        page.wait_for("k.count('view') > 0")
        page.settle(300)
        page.page.locator(".es-image").focus()
        for key in ("Right", "Right", "Down"):
            page.page.keyboard.press(f"Shift+Arrow{key}")
        page.wait_for("k.count('hover') > 0")
        page.settle(150)
        across, down = page.kernel("k.last('hover').row") % N_ACROSS, None
        page.page.keyboard.press("Enter")
        (row,) = selected_rows(page)
        down = row // N_ACROSS
        assert (across, down) == (14, 13)  # from the middle one: two to the right, one down

    def test_everything_is_reached_by_tab_in_the_order_of_the_page(self, open_page: Any) -> None:
        page = open_page()
        draw_gate(page)
        page.page.get_by_role("button", name="Train").focus()
        reached: list[int] = []
        for _ in range(60):
            at = page.page.evaluate(
                "() => [...document.querySelectorAll('.es-root *')].indexOf(document.activeElement)"
            )
            if at < 0:
                break
            reached.append(at)
            page.page.keyboard.press("Tab")
        assert reached == sorted(reached)
        expected = page.page.evaluate(
            """() => [...document.querySelectorAll(
                 "button, input, select, summary, [tabindex]")]
              .filter((e) => !e.disabled && e.checkVisibility())
              .map((e) => [...document.querySelectorAll(".es-root *")].indexOf(e))"""
        )
        assert set(expected) <= set(reached)

    @pytest.mark.parametrize("query", ["", "dark", "table", "empty"])
    def test_the_accessibility_checker_finds_nothing(self, open_page: Any, query: str) -> None:
        if not AXE.exists():
            pytest.skip("needs npm ci")
        page = open_page(query)
        if "empty" not in query:
            draw_gate(page)
            page.press("Lasso")
            select_first_cloud(page)
            page.press("Edit gate Gate 1")
            page.page.get_by_text("Why here").click()
            page.choose("Colour by", "area")
            page.page.mouse.click(*page.on_screen(-4, 0))
        page.page.get_by_text("Advanced").click()
        page.kernel("k.tell({t: 'err', req: 0, message: 'It broke.', hint: 'Mend it.'})")
        page.settle(300)
        page.page.evaluate(AXE.read_text("utf-8"))
        found = page.page.evaluate(
            "async () => (await axe.run('.es-root')).violations"
            ".map((v) => [v.id, v.nodes.map((n) => n.html)])"
        )
        assert found == []
