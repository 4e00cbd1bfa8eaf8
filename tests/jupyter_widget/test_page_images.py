"""The image that samples come from."""

from __future__ import annotations

from typing import Any

from page_looks import (
    N_ACROSS,
    image_pixels,
)


class TestImages:
    def test_an_image_that_cannot_be_read_shows_the_error(self, open_page: Any) -> None:
        page = open_page()
        page.page.evaluate(
            "() => { const k = test.kernel; k.on_view = ({ req }) =>"
            " k.tell({ t: 'err', req, message: 'The file is gone.', hint: 'Open it again.' });"
            " k.traits.catalog.images[0].name = 'other';"
            " k.setTrait('catalog', { ...k.traits.catalog, n_samples: 1499 }); }"
        )
        page.page.locator(".es-image").get_by_text("could not be read").wait_for()
        page.page.get_by_text("The file is gone. Open it again.").wait_for()

    def test_two_views_of_an_image_each_keep_their_own_part(self, open_page: Any) -> None:
        page = open_page()
        page.page.evaluate("() => test.show()")
        page.wait_for("k.count('view') >= 2")
        first = page.page.locator(".es-image").first
        page.settle(300)
        before = image_pixels(page)
        second = page.page.locator(".es-image").nth(1)
        second.click()
        page.page.keyboard.press("Escape")
        asked = page.kernel("k.count('view')")
        page.page.mouse.wheel(0, -400)
        page.wait_for(f"k.count('view') > {asked}")
        page.settle(300)
        page.page.mouse.move(0, 0)
        first.scroll_into_view_if_needed()
        page.settle(200)
        assert image_pixels(page) == before

    def test_a_click_on_the_map_takes_the_image_to_that_object(self, open_page: Any) -> None:
        page = open_page()
        box = page.page.locator(".es-image").bounding_box()
        page.page.mouse.click(box["x"] + 2, box["y"] + 2)
        page.page.mouse.wheel(0, -1200)  # into the corner that holds object 0
        page.wait_for("k.last('view').x1 < 320")
        row = 100
        page.kernel("(k.xy.set([-1, -3.5], 200), k.sendMap(19, -1))")  # away from the others
        page.settle(400)
        page.page.mouse.click(*page.on_screen(-1, -3.5))
        page.wait_for(f"k.last('where')?.row === {row}")
        x, y = ((v + 0.5) * 640 / N_ACROSS for v in (row % N_ACROSS, row // N_ACROSS))
        page.wait_for(f"k.last('view').t_index === {row % 3} && k.last('view').x1 > {x}")
        view = page.kernel("k.last('view')")
        assert view["x0"] < x < view["x1"]
        assert view["x1"] - view["x0"] < 320  # still zoomed in
        assert view["y0"] < y < view["y1"]

    def test_hiding_a_channel_takes_its_colour_away(self, open_page: Any) -> None:
        page = open_page()
        page.wait_for("k.count('view') > 0")
        page.page.get_by_label("Outlines").uncheck()
        page.settle(300)
        assert image_pixels(page)[1] > 0
        page.page.get_by_label("actin", exact=True).uncheck()
        page.settle(100)
        red, green, blue = image_pixels(page)
        assert green == 0 < red == blue
