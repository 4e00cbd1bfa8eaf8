"""The picture of the map: its content, and files of each kind."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.image import imread
from view_contract import SQUARE, explorer_with_map

from embedscope._errors import InvalidInputError
from embedscope.explorer import ColorBy, Explorer
from embedscope.explorer.export._map_picture import draw_map


def pixels(explorer: Explorer) -> np.ndarray:
    return imread(io.BytesIO(explorer.draw_map(dpi=100)), format="png")


def n_tinted(picture: np.ndarray, channel: int) -> int:
    """Pixels in which one channel is clearly weaker than red: thin lines blend with the paper."""
    return int((picture[..., 0] - picture[..., channel] > 0.3).sum())


def test_the_selection_and_the_gates_are_seen():
    explorer = explorer_with_map()
    before = pixels(explorer)
    assert before.shape[:2] == (480, 640)
    explorer.select_rows([0, 1, 2])
    with_rings = pixels(explorer)
    assert n_tinted(before, channel=2) == 0
    assert n_tinted(with_rings, channel=2) > 30
    explorer.add_gate(SQUARE, "corner", "#ff00ff")
    assert n_tinted(pixels(explorer), channel=1) > n_tinted(with_rings, channel=1) + 200


def test_hidden_classes_are_not_drawn():
    explorer = explorer_with_map()
    explorer.color(ColorBy("source"))
    (entry,) = explorer.coloring.legend
    shown = pixels(explorer)
    explorer.color(ColorBy("source", hidden=frozenset({entry.label})))
    assert (pixels(explorer)[..., :3] < 0.7).sum() < (shown[..., :3] < 0.7).sum() / 2


@pytest.mark.parametrize(
    ("name", "begin"), [("m.png", b"\x89PNG"), ("m.SVG", b"<?xml"), ("m.pdf", b"%PDF")]
)
def test_suffix_gives_the_kind(tmp_path, name, begin):
    explorer_with_map().save_map(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begin)


@pytest.mark.parametrize("name", ["map", "map.bmp", "map.png.gz"])
def test_other_kinds_are_refused_and_leave_no_file(tmp_path, name):
    with pytest.raises(InvalidInputError, match="kind must be one of png, svg, pdf"):
        explorer_with_map().save_map(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dpi", [-1, 0, 9, 3000, float("nan")])
def test_a_resolution_without_sense_is_refused(dpi):
    with pytest.raises(InvalidInputError, match="dpi must be a number in"):
        explorer_with_map().draw_map(dpi=dpi)


def test_picture_without_a_map_has_a_text():
    assert Explorer().draw_map().startswith(b"\x89PNG")


def test_samples_unlike_those_trained_on_are_crossed_and_counted():
    explorer = explorer_with_map()
    none, five = np.zeros(60, dtype=bool), np.arange(60) < 5

    def drawn(novel: np.ndarray, kind: str = "svg") -> bytes:
        return draw_map(
            explorer.embedding.positions, explorer.coloring, none, novel, explorer.gates, kind=kind
        )

    dark = [
        (imread(io.BytesIO(drawn(novel, "png")), format="png")[..., :3].max(axis=-1) < 0.4).sum()
        for novel in (none, five)
    ]
    assert dark[1] > dark[0] + 50
    said = b"unlike those trained on (5)"  # matplotlib writes a comment beside drawn letters
    assert said in drawn(five)
    assert said not in drawn(none)
    explorer.color(ColorBy("source"))
    explorer.color(ColorBy("source", hidden=frozenset({explorer.coloring.legend[0].label})))
    assert drawn(five, "png") == drawn(none, "png")  # nothing is crossed that is not shown
