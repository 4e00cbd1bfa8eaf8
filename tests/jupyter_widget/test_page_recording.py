"""A page without a kernel, from a recording."""

from __future__ import annotations

import re
from typing import Any

from page_looks import (
    n_colored_pixels,
)
from widget_page import WidgetPage


class TestRecording:
    def record(self, page: WidgetPage) -> Any:
        page.kernel("k.sendAtlas()")
        page.page.evaluate(RECORD)
        recorded = page.page.locator("#recorded")
        recorded.locator(".es-map[data-camera]").wait_for()
        recorded.scroll_into_view_if_needed()
        return recorded

    def test_a_recorded_page_shows_the_map_and_selects_without_a_kernel(
        self, open_page: Any
    ) -> None:
        page = open_page()
        recorded = self.record(page)
        assert recorded.get_by_role("button", name="Train").count() == 0
        asked = page.kernel("k.asked.length")
        box = recorded.locator(".es-map").bounding_box()
        x, y, right, lower = box["x"] + 5, box["y"] + 5, box["x"] + 490, box["y"] + 450
        page.drag([(x, y), (right, y), (right, lower), (x, lower), (x, y)])
        recorded.get_by_text(re.compile(r"1,\d+ of 1,500 selected")).wait_for()
        assert page.kernel("k.asked.length") == asked

    def test_its_classes_are_hidden_and_shown_and_its_colours_chosen(self, open_page: Any) -> None:
        page = open_page()
        recorded = self.record(page)
        before = n_colored_pixels(page, "#recorded .es-map")
        recorded.get_by_role("button", name="bent 494").click()
        page.page.wait_for_selector('#recorded .es-chip[aria-pressed="false"]')
        page.settle(100)
        assert n_colored_pixels(page, "#recorded .es-map") < 0.8 * before
        recorded.get_by_role("button", name="bent 494").click()
        page.page.wait_for_selector('#recorded .es-chip[aria-pressed="false"]', state="detached")
        page.settle(100)
        assert n_colored_pixels(page, "#recorded .es-map") == before
        recorded.get_by_label("Colour by").select_option("area")
        low = recorded.get_by_label("Number of the first colour")
        low.wait_for()
        assert low.is_disabled()
        assert not recorded.get_by_label("Palette").is_visible()

    def test_it_decodes_from_its_atlas(self, open_page: Any) -> None:
        page = open_page()
        recorded = self.record(page)
        box = recorded.locator(".es-map").bounding_box()
        page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        recorded.get_by_text("From the atlas").wait_for()


RECORD = """async () => {
  const messages = [];
  const { kernel } = test;
  const keep = (head, buffers) => messages.push({ head, buffers });
  kernel.model.on("msg:custom", keep);
  kernel.on_hello();
  kernel.sendAtlas();
  kernel.by = { by: "feature", name: "area", palette: "", limits: null, hidden: [] };
  kernel.sendColors();
  kernel.model.off("msg:custom", keep);
  kernel.on_color({ by: "feature", name: "shape", palette: "", limits: null, hidden: [] });
  for (const message of messages) message.buffers = await Promise.all(message.buffers.map(deflate));
  async function deflate(view) {
    const packing = new Blob([view]).stream().pipeThrough(new CompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(packing).arrayBuffer());
    return { deflated: btoa(Array.from(bytes, (v) => String.fromCharCode(v)).join("")) };
  }
  const el = document.createElement("div");
  el.id = "recorded";
  document.body.append(el);
  test.openRecording(el, { traits: kernel.traits, messages });
}"""
