"""Training, and errors with their remedy."""

from __future__ import annotations

from typing import Any

from page_looks import (
    select_first_cloud,
)


class TestTraining:
    def test_a_run_moves_the_points_and_draws_the_curves(self, open_page: Any) -> None:
        page = open_page("empty")
        assert "Press Train" in page.text(".es-stage-note")
        page.press("Train")
        page.page.wait_for_selector(".es-losses canvas")
        page.page.get_by_text("s left").wait_for()
        assert page.page.get_by_label("Neighbours", exact=True).is_disabled()
        page.press("Stop")
        page.page.get_by_text("Done in 3.1 s").wait_for()
        assert page.kernel("k.count('ack')") >= 1
        assert not page.page.locator(".es-stage-note").first.is_visible()

    def test_the_form_sends_changes_and_refuses_values_out_of_bounds(self, open_page: Any) -> None:
        page = open_page()
        field = page.page.get_by_label("Neighbours", exact=True)
        field.fill("30")
        field.press("Tab")
        page.wait_for("k.last('params')?.values.n_neighbors === 30")
        field.fill("1")
        field.press("Tab")
        page.settle(50)
        assert page.kernel("k.count('params')") == 1
        assert field.input_value() == "30"
        assert "2 to 500" in page.text(".es-notice")

    def test_undo_names_what_it_undoes(self, open_page: Any) -> None:
        page = open_page()
        assert page.page.get_by_role("button", name="Undo").is_disabled()
        select_first_cloud(page)
        undo = page.page.get_by_role("button", name="Undo")
        assert undo.get_attribute("title") == "Undo: select samples"
        undo.click()
        page.wait_for("!k.mask.includes(1)")

    def test_an_error_is_shown_with_its_remedy(self, open_page: Any) -> None:
        page = open_page()
        page.kernel("k.tell({t: 'err', req: 0, message: 'It broke.', hint: 'Mend it.'})")
        assert "It broke. Mend it." in page.text(".es-notice")
        page.press("Dismiss")
        assert not page.page.locator(".es-notice").is_visible()

    def test_a_failed_run_shows_its_error_and_where_it_was_raised(self, open_page: Any) -> None:
        page = open_page()
        page.kernel(
            "k.setTrait('status', {...k.traits.status, phase: 'failed', error: 'Too few.',"
            " hint: 'Add samples.', detail: 'File one.py'})"
        )
        assert "Too few. Add samples." in page.text(".es-notice")
        page.page.get_by_text("Details").click()
        assert page.text(".es-notice pre") == "File one.py"
