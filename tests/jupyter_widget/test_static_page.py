"""The page without a kernel: small, exact, and interactive in a browser."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_mouse import MouseOnMap
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from widget_page import open_browser

from embedscope.explorer import ColorBy, Explorer
from embedscope.jupyter_widget._static_page import write_page
from embedscope.jupyter_widget.protocol._messages import Picture, Thumbnails
from embedscope.jupyter_widget.wire._packing import deflate, pack_message, pack_sheet
from embedscope.samples import Samples, jurkat_cells, samples_from_labels

LARGEST_PAGE = 6_000_000  # bytes, of 1,600 cells with their image in three channels


@pytest.fixture(scope="module")
def cells() -> Samples:
    known = jurkat_cells()
    return samples_from_labels(
        known.image,
        known.labels,
        axes="yx",
        image_axes="yxc",
        source="jurkat",
        channel_names=list(known.channel_names),
    )


@pytest.fixture(scope="module")
def written(cells: Samples, tmp_path_factory: Any) -> Path:
    """A page of cells whose positions are a square grid, without training."""
    explorer = Explorer(cells)
    side = np.arange(40, dtype=np.float32)
    explorer.place(np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2))
    explorer.color(ColorBy("feature", "area"))
    path = tmp_path_factory.mktemp("page") / "map.html"
    write_page(path, explorer, title="Cells", height=400, most_thumbnails=2048)
    return path


def cells_of(packed: dict[str, Any]) -> np.ndarray:
    """The pictures given to `pack_sheet`, decoded independently of the page."""
    n, h, w, depth, across = (packed[key] for key in ("n", "h", "w", "depth", "across"))
    picture = Image.open(io.BytesIO(base64.b64decode(packed["sheet"]))).convert("RGB")
    pixels = np.asarray(picture)[:, :, :depth]
    rows = pixels.reshape(-1, h, across, w, depth).swapaxes(1, 2)
    return rows.reshape(-1, h, w, depth)[:n]


class TestPacking:
    @given(
        arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=6)), st.sampled_from([1, 3])
    )
    @settings(max_examples=30, deadline=None)
    def test_pictures_come_out_as_they_went_in(self, pictures: np.ndarray, depth: int) -> None:
        cells = np.repeat(pictures[..., None], depth, axis=3)
        cells[..., 0] ^= 0x5A
        packed = pack_sheet(cells)
        np.testing.assert_array_equal(cells_of(packed), cells)

    @given(st.binary(max_size=200))
    @settings(max_examples=30, deadline=None)
    def test_bytes_come_out_as_they_went_in(self, data: bytes) -> None:
        assert zlib.decompress(base64.b64decode(deflate(data)["deflated"])) == data

    def test_a_table_without_pictures_keeps_its_names(self) -> None:
        packed = pack_message(Thumbnails([1], ["a"], [[]], 0, 0), (b"",))
        assert packed["buffers"] == [deflate(b"")]

    def test_an_image_without_channels_keeps_its_objects(self) -> None:
        rows = np.arange(6, dtype="<u4").tobytes()
        head = Picture(0, "a", 0, 0, 0, 0, 3, 2, 3, 2, [], [], "")
        packed = pack_message(head, (b"", rows))
        assert packed["buffers"] == [deflate(b""), deflate(rows)]

    def test_where_pillow_knows_no_webp_it_is_png(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from PIL import features

        monkeypatch.setattr(features, "check", lambda name: False)
        cells = np.arange(5 * 4 * 3 * 3, dtype=np.uint8).reshape(5, 4, 3, 3)
        packed = pack_sheet(cells)
        assert base64.b64decode(packed["sheet"]).startswith(b"\x89PNG")
        np.testing.assert_array_equal(cells_of(packed), cells)


class TestPage:
    @pytest.fixture
    def page(self, written: Path) -> Iterator[Any]:
        with open_browser() as browser:
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", lambda asked: complaints.extend(_strange(asked.url)))
            page.goto(written.as_uri())
            page.wait_for_selector(".es-map[data-camera]")
            page.get_by_text("0 of 1,600 selected").wait_for()
            yield page
            assert complaints == []

    def test_it_is_small(self, written: Path) -> None:
        assert written.stat().st_size < LARGEST_PAGE

    def test_a_cell_is_shown_exactly_and_selected(self, page: Any, cells: Samples) -> None:
        mouse = MouseOnMap(page)
        row = 40 * 12 + 25
        page.mouse.move(*mouse.on_screen(25, 12))
        picture = page.locator(".es-map .es-tooltip canvas")
        picture.wait_for()
        shown = np.array(picture.evaluate(PIXELS), np.uint8).reshape(35, 35, 4)
        np.testing.assert_array_equal(shown[..., :3], cells.thumbnail(row))
        page.mouse.click(*mouse.on_screen(25, 12))
        page.get_by_text("1 of 1,600 selected").wait_for()

    def test_the_image_is_there_with_its_objects(self, page: Any) -> None:
        stage = page.locator(".es-image")
        page.wait_for_function("() => document.querySelector('.es-image .es-stage-note').hidden")
        box = stage.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 80, box["y"] + box["height"] / 80)
        page.get_by_text("1 of 1,600 selected").wait_for()
        colors = np.array(stage.locator("canvas").first.evaluate(PIXELS), np.uint8)
        assert len(np.unique(colors)) > 100


def _strange(url: str) -> list[str]:
    return [] if url.startswith(("file:", "blob:", "data:")) else [url]


PIXELS = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [...data];
}"""
