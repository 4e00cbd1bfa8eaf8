"""Style codes on the page: carrying, another sample, reconstructions, explained variance."""

from __future__ import annotations

from typing import Any

import numpy as np
from page_looks import select_first_cloud


def carry_first(page: Any) -> None:
    """Select the first sample by a click, and carry it."""
    page.page.mouse.click(*page.on_screen(*page.kernel("[k.xy[0], k.xy[1]]")))
    page.wait_for("k.mask.reduce((total, v) => total + v, 0) === 1")
    page.press("Carry")
    page.page.get_by_text("This sample, from its own code").wait_for()


class TestCarrying:
    def test_it_needs_one_selected_sample_and_says_so(self, open_page: Any) -> None:
        page = open_page()
        carry = page.page.get_by_role("button", name="Carry", exact=True)
        assert carry.is_disabled()
        assert "exactly one" in carry.get_attribute("title")
        carry_first(page)
        assert carry.get_attribute("aria-pressed") == "true"
        assert "Carrying cells · t 0 · label" in page.text(".es-carried")
        page.press("Release")
        page.page.get_by_text("Typical sample here").wait_for()
        assert carry.get_attribute("aria-pressed") == "false"

    def test_clicks_drags_and_paths_use_its_code_and_not_the_atlas(self, open_page: Any) -> None:
        page = open_page()
        page.kernel("k.sendAtlas()")
        carry_first(page)
        row = page.kernel("k.last('decode').carry")
        assert row >= 0
        before = page.kernel("k.count('decode')")
        page.drag([page.on_screen(-4 + i, 2) for i in range(6)])
        page.page.get_by_text("Carried here from cells").wait_for()
        assert page.kernel("k.count('decode')") > before + 3
        assert page.kernel("k.last('decode').carry") == row
        assert "atlas" not in page.text(".es-decoded-panel .es-caption")
        page.press("Path")
        page.drag([page.on_screen(-4, 0), page.on_screen(2, 3)])
        page.page.get_by_text(f"label {row + 1}, carried along the path").wait_for()

    def test_another_is_decoded_at_the_clicked_point(self, open_page: Any) -> None:
        page = open_page()
        page.kernel("k.sendAtlas()")
        page.press("Decode")
        page.page.mouse.click(*page.on_screen(-4, 0))
        page.wait_for("k.count('decode') === 1")
        page.page.mouse.move(*page.on_screen(3, 3))  # the atlas is shown on the way
        page.press("Another")
        page.page.get_by_text("Another: code of cells").wait_for()
        assert page.kernel("k.last('decode').another")
        place = page.kernel("[k.last('decode').x, k.last('decode').y]")
        np.testing.assert_allclose(place, [-4, 0], atol=0.05)

    def test_when_the_pointer_leaves_the_map_the_clicked_point_is_shown_again(
        self, open_page: Any
    ) -> None:
        page = open_page()
        page.kernel("k.sendAtlas()")
        page.press("Decode")
        page.page.mouse.click(*page.on_screen(-4, 0))
        page.page.mouse.move(*page.on_screen(3, 3))
        page.page.locator(".es-decoded-panel").get_by_text("From the atlas").wait_for()
        page.page.locator(".es-header").hover()
        page.page.locator(".es-nearest canvas").first.wait_for()
        place = page.kernel("[k.last('decode').x, k.last('decode').y]")
        np.testing.assert_allclose(place, [-4, 0], atol=0.05)


class TestReconstructing:
    def test_selected_samples_are_shown_beside_reconstructions_and_removed(
        self, open_page: Any
    ) -> None:
        page = open_page()
        reconstruct = page.page.get_by_role("button", name="Reconstruct")
        assert reconstruct.is_disabled()
        select_first_cloud(page)
        reconstruct.click()
        rows = page.page.locator(".es-reconstructed tbody tr")
        rows.nth(7).wait_for()
        assert rows.count() == 8
        assert rows.first.locator("canvas").count() == 4
        assert "error 26 %, typical 64 %\nheld out of training" in rows.first.inner_text()
        rows.nth(2).hover()
        page.wait_for("k.last('hover')?.row >= 0")
        panel = page.page.locator("details", has_text="From their own codes")
        panel.get_by_role("button", name="Clear").click()
        rows.first.wait_for(state="detached")

    def test_of_a_table_there_are_values(self, open_page: Any) -> None:
        page = open_page("table")
        select_first_cloud(page)
        page.press("Reconstruct")
        page.page.locator(".es-of-table tbody tr").nth(15).wait_for()
        assert page.page.locator(".es-reconstructed canvas").count() == 0
        page.page.mouse.click(*page.on_screen(-4, 0))
        page.page.get_by_text("41.50 ± 3.3").wait_for()


def test_the_explained_variance_is_shown_while_training(open_page: Any) -> None:
    page = open_page("empty")
    page.press("Train")
    page.page.get_by_text("Explains 36 % of unseen samples; 74 % with their own code").wait_for()
    page.page.wait_for_selector(".es-losses canvas >> nth=2")
    assert page.page.locator(".es-losses canvas").count() == 3
    assert page.page.locator(".es-key").nth(1).inner_text().split() == [
        "reconstruction",
        "by",
        "position",
        "held",
        "out",
    ]
    page.press("Stop")


def test_no_title_calls_a_sample_stored_or_copied(open_page: Any) -> None:
    page = open_page()
    page.page.mouse.click(*page.on_screen(-4, 0))
    page.page.wait_for_selector(".es-nearest canvas")
    said = page.page.evaluate(
        "() => [document.body.innerText,"
        " ...[...document.querySelectorAll('[title]')].map((each) => each.title)].join(' ')"
    ).lower()
    assert "exemplar" not in said
    assert "reconstruction" not in said
    assert "real sample: " in said
