"""Gates drawn with the mouse, and undo."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from page_looks import (
    FIRST_CLOUD,
    draw_gate,
    select_first_cloud,
)


def refuse_edits(page: Any, hint: str) -> None:
    """As the kernel does: an error, then the unchanged gates."""
    page.kernel(
        f"(k.on_gate_edit = ({{req, rev}}) => {{"
        f" k.tell({{t: 'err', req, message: 'No.', hint: '{hint}'}}); k.sendGates(rev); }})"
    )


class TestGates:
    def test_a_gate_is_drawn_listed_renamed_coloured_selected_and_removed(
        self, open_page: Any
    ) -> None:
        page = open_page()
        draw_gate(page)
        polygon = np.array(page.kernel("k.gates[0].polygon"))
        np.testing.assert_allclose(polygon.min(axis=0), FIRST_CLOUD[:2], atol=0.05)
        name = page.page.get_by_label("Name of gate Gate 1")
        name.fill("left")
        name.press("Enter")
        page.wait_for("k.gates[0].name === 'left'")
        page.page.get_by_label("Colour of gate left").fill("#123456")
        page.wait_for("k.gates[0].color === '#123456'")
        page.press("Select gate left")
        page.wait_for("k.last('gate-select').name === 'left'")
        page.page.get_by_role("button", name="Remove gate left").click()
        page.wait_for("k.gates.length === 0")

    def test_its_corners_move_by_mouse_and_by_arrow_keys(self, open_page: Any) -> None:
        page = open_page()
        draw_gate(page)
        page.press("Edit gate Gate 1")
        (x, y) = page.kernel("k.gates[0].polygon[0]")
        page.drag([page.on_screen(x, y), page.on_screen(x + 1, y + 1)])
        page.wait_for(f"Math.abs(k.gates[0].polygon[0][0] - {x + 1}) < 0.1")
        page.page.locator(".es-handle").nth(1).focus()
        before = page.kernel("k.gates[0].polygon[1][0]")
        step = 4 / float(page.page.locator(".es-map").get_attribute("data-camera").split()[2])
        for _ in range(3):  # the focus stays on the corner
            page.page.keyboard.press("ArrowRight")
        page.wait_for(f"Math.abs(k.gates[0].polygon[1][0] - {before + 3 * step}) < 1e-9")
        n_corners = page.kernel("k.gates[0].polygon.length")
        page.page.keyboard.press("Delete")
        page.wait_for(f"k.gates[0].polygon.length === {n_corners - 1}")
        page.page.keyboard.press("Escape")
        page.page.wait_for_selector(".es-handle", state="detached")

    def test_a_drag_that_is_cancelled_or_refused_changes_nothing(self, open_page: Any) -> None:
        page = open_page()
        draw_gate(page)
        page.press("Edit gate Gate 1")
        corner = page.page.locator(".es-handle").first
        (x, y) = page.kernel("k.gates[0].polygon[0]")
        before = corner.get_attribute("cx")
        page.page.mouse.move(*page.on_screen(x, y))
        page.page.mouse.down()
        page.page.mouse.move(*page.on_screen(x + 1, y + 1), steps=3)
        assert corner.get_attribute("cx") != before
        page.page.keyboard.press("Escape")
        assert corner.get_attribute("cx") == before
        page.page.mouse.up()
        assert page.kernel("k.count('gate-edit')") == 0
        refuse_edits(page, "Other corners.")
        page.drag([page.on_screen(x, y), page.on_screen(x + 1, y + 1)])
        page.page.get_by_text("Other corners.").wait_for()
        page.page.wait_for_function(
            f"() => document.querySelector('.es-handle').getAttribute('cx') === '{before}'"
        )

    def test_keys_continue_from_what_is_shown_even_if_the_kernel_is_late(
        self, open_page: Any
    ) -> None:
        page = open_page()
        draw_gate(page)
        page.press("Edit gate Gate 1")
        page.page.locator(".es-handle").nth(1).focus()
        before = page.kernel("k.gates[0].polygon[1][0]")
        step = 4 / float(page.page.locator(".es-map").get_attribute("data-camera").split()[2])
        page.kernel("k.delayMs = 100")
        for _ in range(6):  # the answer to one arrives between later ones
            page.page.keyboard.press("ArrowRight", delay=20)
            page.page.wait_for_timeout(20)
        page.wait_for("k.revs.gates >= k.last('gate-edit').rev")
        assert page.kernel("k.gates[0].polygon[1][0]") == pytest.approx(before + 6 * step)
        page.page.keyboard.press("ArrowLeft")
        page.wait_for("k.revs.gates >= k.last('gate-edit').rev")
        assert page.kernel("k.gates[0].polygon[1][0]") == pytest.approx(before + 5 * step)

    def test_new_counts_do_not_end_the_drag_of_a_corner(self, open_page: Any) -> None:
        page = open_page()
        draw_gate(page)
        page.press("Edit gate Gate 1")
        (x, y) = page.kernel("k.gates[0].polygon[0]")
        page.page.mouse.move(*page.on_screen(x, y))
        page.page.mouse.down()
        page.page.mouse.move(*page.on_screen(x + 1, y + 1), steps=3)
        page.kernel("(k.gates = [{...k.gates[0], count: 17}], k.sendGates())")
        page.page.get_by_text("17 · ").wait_for()
        page.page.mouse.up()
        page.wait_for(f"Math.abs(k.gates[0].polygon[0][0] - {x + 1}) < 0.1")

    @pytest.mark.parametrize(
        ("keys", "mode"),
        [([], "replace"), (["Shift"], "add"), (["Alt"], "subtract"), (["Shift", "Alt"], "invert")],
    )
    def test_its_name_on_the_map_selects_it(
        self, open_page: Any, keys: list[Any], mode: str
    ) -> None:
        page = open_page()
        draw_gate(page)
        name = page.page.locator(".es-gate-name")
        name.click(modifiers=keys)
        page.wait_for(f"k.last('gate-select')?.mode === '{mode}'")
        name.focus()
        page.page.keyboard.press("+".join([*keys, "Enter"]))
        page.wait_for("k.count('gate-select') === 2")
        assert page.kernel("k.last('gate-select').mode") == mode
        page.page.get_by_role("button", name="Select gate Gate 1").click(modifiers=keys)
        page.wait_for("k.count('gate-select') === 3")
        assert page.kernel("k.last('gate-select').mode") == mode
        assert page.kernel("k.count('select')") == 0  # samples under the name are not selected

    def test_why_explains_its_position(self, open_page: Any) -> None:
        page = open_page()
        draw_gate(page)
        page.page.get_by_role("button", name="Why gate Gate 1 is where it is").click()
        page.page.get_by_text("72 %").wait_for()  # in a section that was closed
        assert page.kernel("k.last('gate-why').name") == "Gate 1"

    def test_a_name_that_is_being_typed_survives_new_counts(self, open_page: Any) -> None:
        page = open_page()
        draw_gate(page)
        name = page.page.get_by_label("Name of gate Gate 1")
        name.click()
        name.press("Control+a")
        page.page.keyboard.type("dead ")
        page.kernel("(k.gates = [{...k.gates[0], count: 17}], k.sendGates())")
        page.page.get_by_text("17 · ").wait_for()
        page.page.keyboard.type("cells")
        page.page.keyboard.press("Enter")
        page.wait_for("k.gates[0].name === 'dead cells'")

    def test_a_refused_name_is_replaced_by_the_present_one(self, open_page: Any) -> None:
        page = open_page()
        draw_gate(page)
        refuse_edits(page, "Choose another.")
        name = page.page.get_by_label("Name of gate Gate 1")
        for _ in range(2):  # the same refusal again as well
            name.fill("")
            name.press("Enter")
            page.page.get_by_text("Choose another.").wait_for()
            page.page.wait_for_function("() => test.kernel.count('gate-edit') > 0")
            page.settle(50)
            assert name.input_value() == "Gate 1"

    def test_undo_and_redo_by_their_keys_within_the_widget_only(self, open_page: Any) -> None:
        page = open_page()
        select_first_cloud(page)
        page.page.evaluate("() => document.activeElement.blur()")
        page.page.keyboard.press("Control+z")
        page.page.locator(".es-map").focus()
        page.settle(50)
        assert page.kernel("k.count('cmd')") == 0
        page.page.keyboard.press("Control+z")
        page.wait_for("k.last('cmd')?.name === 'undo' && !k.mask.includes(1)")
        page.page.wait_for_function("() => test.kernel.traits.history.redo !== ''")
        for keys in ("Control+Shift+z", "Control+y"):
            count = page.kernel("k.count('cmd')")
            page.page.keyboard.press(keys)
            page.wait_for(f"k.count('cmd') === {count + 1} && k.last('cmd').name === 'redo'")
        field = page.page.get_by_label("Neighbours", exact=True)
        field.focus()
        page.page.keyboard.press("Control+z")  # undoes the typed text, not the selection
        page.settle(50)
        assert page.kernel("k.last('cmd').name") == "redo"

    def test_a_notebook_gets_no_key_without_modifier(self, open_page: Any) -> None:
        page = open_page()
        page.page.evaluate(
            "() => { test.heard = [];"
            " document.addEventListener('keydown', (e) => test.heard.push(e.key)); }"
        )
        page.page.locator(".es-map").focus()
        for key in ("x", "d", "l", "ArrowDown", "Control+s"):
            page.page.keyboard.press(key)
        assert page.page.evaluate("() => test.heard") == ["Control", "s"]

    def test_two_gates_combine(self, open_page: Any) -> None:
        page = open_page()
        draw_gate(page)
        page.drag(page.corners(1, 1, 4, 5))
        page.wait_for("k.gates.length === 2")
        page.choose("How to combine", "difference")
        page.press("Combine")
        page.wait_for("k.gates.length === 3")
        assert page.kernel("k.last('gate-combine').members") == ["Gate 1", "Gate 2"]
        assert page.page.get_by_label("How to combine").input_value() == "difference"
        page.choose("First gate", "Gate 2")
        others = page.page.get_by_label("Second gate").locator("option").all_inner_texts()
        assert others == ["Gate 1", "Gate 1 difference Gate 2"]
        combined = page.page.get_by_role("listitem").nth(2)
        assert combined.get_by_role("button", name="Edit").count() == 0
