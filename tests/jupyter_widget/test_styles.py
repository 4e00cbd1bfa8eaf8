"""Style codes in messages: which code decodes, reconstructions, and the explained variance."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fake_page import PageAndView

from embedscope.explorer import Explorer, Presenter
from embedscope.jupyter_widget._catalog import Abilities, describe_samples
from embedscope.jupyter_widget.wire._encoding import encode_losses, encode_reconstructions
from embedscope.samples import samples_from_array


def train(samples: Any, **parameters: Any) -> Explorer:
    explorer = Explorer(samples)
    explorer.set_parameters(reconstruction=True, n_neighbors=8, random_state=0, **parameters)
    explorer.train()
    assert explorer.wait(120).phase.name == "DONE"
    return explorer


@pytest.fixture(scope="module")
def pictures() -> Explorer:
    """Sixty pictures of two kinds, each of its own brightness."""
    rng = np.random.default_rng(0)
    made = rng.random((60, 6, 6, 1), dtype=np.float32) * 0.2
    made[:30, :3] += 0.4 + 0.4 * rng.random((30, 1, 1, 1), dtype=np.float32)
    return train(samples_from_array(made))


@pytest.fixture(scope="module")
def table() -> Explorer:
    rng = np.random.default_rng(1)
    return train(pd.DataFrame(rng.normal(5, [1, 10, 100], size=(60, 3)), columns=list("abc")))


@pytest.fixture
def view(request: pytest.FixtureRequest) -> Iterator[PageAndView]:
    explorer = request.getfixturevalue(getattr(request, "param", "pictures"))
    made = PageAndView(explorer=explorer)
    presenter = Presenter(explorer, made, "page")
    made.settle()
    yield made
    presenter.close()
    made.close()
    explorer.clear_reconstruction()
    explorer.clear_selection()
    explorer.show_sample_reconstructions(())


def ask(view: PageAndView, kind: str, **intent: Any) -> tuple[dict[str, Any], list[bytes]]:
    """The answer to an intent."""
    view.page.errors.clear()
    view.page.pictures.pop(kind, None)
    view.page.send({"req": 5, **intent})
    view.settle()
    assert view.page.errors == []
    return view.page.pictures[kind]


def place_of(explorer: Explorer, row: int) -> dict[str, float]:
    x, y = explorer.embedding.positions[row].tolist()
    return {"x": x, "y": y}


def test_a_sample_is_decoded_at_its_own_position_and_carried_to_others(
    pictures: Explorer, view: PageAndView
):
    at_home, (own, _) = ask(
        view, "dec", t="decode", carry=3, another=False, **place_of(pictures, 3)
    )
    assert (at_home["style"], at_home["style_name"], at_home["req"]) == ("own", "array 3", 5)
    there = place_of(pictures, 50)
    carried, (moved, spread) = ask(view, "dec", t="decode", carry=3, another=False, **there)
    assert (carried["style"], carried["style_name"]) == ("carried", "array 3")
    assert carried["rows"][0] == 50
    assert len(spread) == len(moved) == 6 * 6 * 3
    typical, (plain, _) = ask(view, "dec", t="decode", carry=-1, another=False, **there)
    assert (typical["style"], typical["style_name"]) == ("typical", "")
    assert own != moved != plain


def test_another_is_the_code_of_a_neighbour_each_time_of_another(
    pictures: Explorer, view: PageAndView
):
    intent = {"t": "decode", "carry": -1, "another": True, **place_of(pictures, 8)}
    names = []
    for _ in range(3):
        head, _ = ask(view, "dec", **intent)
        assert head["style"] == "random"
        names.append(head["style_name"])
    assert names[0] != names[1] != names[2]
    assert all(name.startswith("array ") for name in names)


def test_a_path_takes_the_carried_sample_along(pictures: Explorer, view: PageAndView):
    points = pictures.embedding.positions[[3, 50]].tolist()
    intent = {"t": "decode-path", "points": points, "n": 4}
    head, (typical, *_) = ask(view, "path", **intent)  # of a page without style codes
    assert head["style_name"] == ""
    head, (carried, *_) = ask(view, "path", **intent, carry=3)
    assert head["style_name"] == "array 3"
    assert len(carried) == len(typical) == 4 * 6 * 6 * 3
    assert carried != typical


def test_a_row_that_is_not_there_cannot_be_carried(pictures: Explorer, view: PageAndView):
    for t, more in (
        ("decode", {"another": False, **place_of(pictures, 3)}),
        ("decode-path", {"points": [[0.0, 0.0], [1.0, 1.0]], "n": 3}),
    ):
        view.page.errors.clear()
        view.page.send({"t": t, "req": 6, "carry": 60, **more})
        view.settle()
        (error,) = view.page.errors
        assert (error["req"], error["message"]) == (
            6,
            "carry must be one of the 60 samples; got 60.",
        )


def test_selected_samples_are_reconstructed(pictures: Explorer, view: PageAndView):
    rows = [2, 11, 40, *pictures.model.estimator.validation_rows_.tolist()]
    pictures.select_rows(rows)
    head, (sheet, _) = ask(view, "recon", t="reconstruct", n=64)
    rows = sorted(set(rows))
    assert [item["row"] for item in head["items"]] == rows
    assert [item["name"] for item in head["items"]] == [f"array {row}" for row in rows]
    drawn = pictures.sample_reconstructions
    for item, own in zip(head["items"], drawn, strict=True):
        assert item["error"] == pytest.approx(own.error)
        assert item["typical_error"] == pytest.approx(own.typical_error)
        assert item["is_held_out"] is own.is_held_out
    assert {item["is_held_out"] for item in head["items"]} == {True, False}
    shown = np.frombuffer(sheet, np.uint8).reshape(len(rows), 4, 6, 6, 3)
    for four, own in zip(shown, drawn, strict=True):
        expected = np.stack([own.original, own.picture, own.typical, own.difference])
        np.testing.assert_array_equal(four, expected)


def test_of_many_some_are_reconstructed_and_all_are_removed(pictures: Explorer, view: PageAndView):
    pictures.select_rows(np.arange(40))
    head, _ = ask(view, "recon", t="reconstruct", n=8)
    assert len(head["items"]) == 8
    assert head["items"][-1]["row"] >= 30  # evenly, not the first
    view.page.hello()
    view.settle()  # a page that is opened later gets them too
    assert [each["t"] for each in view.page.heads].count("recon") == 2
    head, _ = ask(view, "gone", t="reconstruct-clear")
    assert head["what"] == ["reconstructed"]
    assert pictures.sample_reconstructions == ()


def test_without_a_selection_the_error_says_to_select(view: PageAndView):
    for req, n in ((7, 8), (8, 0)):
        view.page.send({"t": "reconstruct", "req": req, "n": n})
        view.settle()
    refused = {error["req"]: error for error in view.page.errors}
    assert "Select samples" in refused[7]["hint"]
    assert refused[8]["message"] == "n must be in [1, 64]; got 0."


@pytest.mark.parametrize("view", ["table"], indirect=True)
def test_tables_have_values_in_the_units_of_the_table(table: Explorer, view: PageAndView):
    head, (rgb, spread) = ask(view, "dec", t="decode", **place_of(table, 4))
    assert (head["w"], rgb, spread) == (0, b"", b"")
    spreads = table.reconstruction.spread * np.array(table.samples.recipe.deviations)
    np.testing.assert_allclose(head["deviations"], spreads, rtol=1e-5)
    table.select_rows([4, 9])
    head, (sheet, values) = ask(view, "recon", t="reconstruct", n=8)
    assert (head["w"], sheet, head["features"]) == (0, b"", list(table.samples.feature_names))
    real, _ = np.frombuffer(values, "<f4").reshape(2, 2, 3).swapaxes(0, 1)
    recipe = table.samples.recipe
    expected = table.samples.inputs([4, 9]) * np.array(recipe.deviations) + np.array(recipe.means)
    np.testing.assert_allclose(real, expected, rtol=1e-4)


def test_an_infinite_error_is_sent_as_none(pictures: Explorer):
    drawn = dataclasses.replace(pictures.reconstruct([1])[0], error=float("inf"))
    head, _ = encode_reconstructions([drawn], pictures.samples, 0)
    assert json.loads(json.dumps(head.to_dict(), allow_nan=False))["items"][0]["error"] is None


def test_the_catalog_says_what_a_map_can(pictures: Explorer):
    catalog = describe_samples(pictures.samples, Abilities.of(pictures))
    assert catalog["can_carry"]
    assert catalog["can_reconstruct"]
    placed = Explorer(pictures.samples)
    placed.place(pictures.embedding.positions)
    catalog = describe_samples(placed.samples, Abilities.of(placed))
    assert not catalog["can_carry"]
    assert not catalog["can_reconstruct"]


def test_the_explained_variance_is_sent_with_the_losses(pictures: Explorer, view: PageAndView):
    (head,) = (each for each in view.page.heads if each["t"] == "loss")
    assert head["explained"] == pictures.explained.text
    assert len(head["names"]) == 5
    head, _ = encode_losses({"loss": [1.0]}, 1, 0, 1)
    assert head.explained == ""
