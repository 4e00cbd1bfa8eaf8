"""A page is never blank: it shows the last picture and what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from page_looks import (
    n_colored_pixels,
    select_first_cloud,
)


class TestNeverBlank:
    def test_a_lost_context_is_drawn_again(self, open_page: Any) -> None:
        page = open_page()
        page.page.evaluate(LOSE_CONTEXT)
        page.page.wait_for_selector('.es-map[data-renderer="Canvas2D"]')
        page.page.wait_for_function("() => !test.lost.isContextLost()")
        page.page.wait_for_selector('.es-map[data-renderer="WebGL2"]')
        page.settle(100)
        assert page.page.locator(".es-map > canvas").count() == 1
        assert n_colored_pixels(page) > 1000

    def test_a_context_that_stays_lost_is_replaced_by_canvas(self, open_page: Any) -> None:
        page = open_page()
        page.page.evaluate(LOSE_CONTEXT.replace("restoreContext", "valueOf"))
        page.page.wait_for_selector('.es-map[data-renderer="Canvas2D"]')
        page.settle(100)
        assert n_colored_pixels(page) > 1000
        select_first_cloud(page)
        assert not page.page.locator(".es-map > canvas").nth(1).is_visible()

    def test_more_samples_than_before_are_drawn_without_an_error(self, open_page: Any) -> None:
        page = open_page()
        page.kernel(
            "k.tell({t: 'attr', rev: 9, title: '', by: 'none', name: '', note: '', limits: null,"
            " has_own_limits: false, colormap: '', palette: '', palettes: [], legend: []},"
            " new Uint8Array(9), new Uint8Array(1004).fill(255))"
        )
        page.settle(100)
        page.kernel(
            "k.tell({t: 'emb', rev: 9, epoch: 0, n: 9, snapshot: -1},"
            " new Float32Array(18).map((_, i) => i))"
        )
        page.page.get_by_text("0 of 9 selected").wait_for()
        assert n_colored_pixels(page) > 100

    def test_out_of_view_the_last_picture_stays_and_is_drawn_again_in_view(
        self, open_page: Any
    ) -> None:
        page = open_page()
        page.page.evaluate("() => { document.body.style.paddingBottom = '4000px'; }")
        page.page.evaluate("() => scrollTo(0, 4000)")
        page.page.wait_for_function(
            "() => !document.querySelector('.es-map > canvas').getContext('webgl2')"
        )
        assert n_colored_pixels(page) > 1000
        page.page.evaluate("() => scrollTo(0, 0)")
        page.page.wait_for_function(
            "() => document.querySelector('.es-map > canvas').getContext('webgl2')"
        )
        select_first_cloud(page)
        assert n_colored_pixels(page) > 1000

    def test_a_view_that_is_removed_and_added_again_is_as_before(self, open_page: Any) -> None:
        page = open_page()
        page.press("Pan")
        page.drag([page.on_screen(0, 0), page.on_screen(1, 1)])
        page.page.mouse.wheel(0, -200)
        page.settle(100)
        camera = page.page.locator(".es-map").get_attribute("data-camera")
        page.page.evaluate(
            """async () => {
              const root = document.querySelector(".es-root");
              const parent = root.parentElement;
              root.remove();
              await new Promise((done) => setTimeout(done, 200));
              parent.append(root);
              await new Promise((done) => setTimeout(done, 200));
            }"""
        )
        assert page.page.locator(".es-map").get_attribute("data-camera") == camera
        assert n_colored_pixels(page) > 1000

    def test_a_silent_kernel_is_polled_and_reported(self, open_page: Any) -> None:
        page = open_page("clock")
        page.kernel("(k.isSilent = true)")
        page.press("Train")
        page.page.clock.run_for(9000)
        page.page.get_by_text("The kernel does not answer").wait_for()
        assert page.kernel("k.count('poll')") >= 1
        page.kernel("(k.isSilent = false, k.finish())")
        assert not page.page.locator(".es-notice").is_visible()

    def test_a_restarted_kernel_is_reported_and_gets_no_request(self, open_page: Any) -> None:
        page = open_page("clock")
        page.kernel("(k.isSilent = true, k.setTrait('history', {undo: 'select', redo: ''}))")
        page.page.evaluate(
            "() => test.kernel.listeners.get('comm_live_update').forEach((tell) => tell())"
        )
        page.page.clock.run_for(2000)
        page.page.get_by_text("The kernel was restarted or is gone. Run the cell again").wait_for()
        for name in ("Train", "Undo"):
            assert page.page.get_by_role("button", name=name).is_disabled()
        assert page.page.get_by_label("Neighbours", exact=True).is_disabled()
        assert n_colored_pixels(page) > 1000
        page.kernel("(k.isSilent = false, k.on_hello())")
        assert page.page.get_by_role("button", name="Train").is_enabled()
        assert not page.page.locator(".es-notice").is_visible()

    def test_two_views_show_the_same_and_a_closed_one_leaves_nothing(self, open_page: Any) -> None:
        page = open_page()
        page.page.evaluate("() => test.show()")
        page.page.wait_for_selector(".es-map[data-camera] >> nth=1")
        assert page.kernel("k.count('hello')") == 1
        select_first_cloud(page)
        lines = page.page.locator(".es-selected").all_inner_texts()
        assert lines[0] == lines[1]
        page.page.evaluate("() => test.views[0].abort()")
        assert page.page.locator(".es-root").count() == 1
        page.page.evaluate("() => { test.views[1].abort(); test.life.abort(); }")
        assert page.kernel("k.nListeners") == 0
        assert page.page.locator("#widget canvas").count() == 0

    def test_a_view_that_is_shown_again_has_the_last_camera(self, open_page: Any) -> None:
        page = open_page()
        page.page.mouse.click(*page.on_screen(2, 3))
        page.page.mouse.wheel(0, -600)
        page.settle(100)
        camera = page.page.locator(".es-map").get_attribute("data-camera")
        page.page.evaluate("() => { test.views[0].abort(); test.show(); }")
        page.page.wait_for_selector(".es-map[data-camera]")
        page.settle(100)
        again = page.page.locator(".es-map").get_attribute("data-camera")
        np.testing.assert_allclose(np.float64(again.split()), np.float64(camera.split()), rtol=1e-3)
        page.press("Fit")
        page.settle(100)
        assert page.page.locator(".es-map").get_attribute("data-camera") != again

    def test_without_webgl_the_map_is_drawn_by_canvas(self, open_page: Any) -> None:
        page = open_page("nowebgl")
        assert page.page.locator(".es-map").get_attribute("data-renderer") == "Canvas2D"
        assert n_colored_pixels(page) > 1000

    @pytest.mark.parametrize("width", [600, 760, 1000, 1400])
    def test_nothing_overflows_at_any_width(self, open_page: Any, width: int) -> None:
        page = open_page(width=width)
        page.settle(100)
        wide = page.page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width

    def test_it_follows_the_page_from_light_to_dark(self, open_page: Any) -> None:
        page = open_page()
        root = page.page.locator(".es-root")
        light = root.evaluate("(e) => getComputedStyle(e).backgroundColor")
        page.page.evaluate("() => { document.body.classList.add('dark'); }")
        page.page.wait_for_selector(".es-root.es-dark")
        assert root.evaluate("(e) => getComputedStyle(e).backgroundColor") != light


LOSE_CONTEXT = """() => {
  test.lost = document.querySelector(".es-map > canvas").getContext("webgl2");
  const losing = test.lost.getExtension("WEBGL_lose_context");
  losing.loseContext();
  setTimeout(() => losing.restoreContext(), 300);
}"""
