"""Reads a page with the fake kernel: the selection, and the drawn pixels."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import numpy as np
from PIL import Image
from widget_page import WidgetPage

FIRST_CLOUD = (-6.5, -3.0, -1.2, 3.0)  # of the fake kernel's map: holds most of class 0
N_ACROSS = 25  # objects in a row of its image
_PIXEL = 0.08  # map units: a little more than a pixel of the screen
Box = tuple[float, float, float, float]
Mask = Callable[[Box], np.ndarray]


def selected_rows(page: WidgetPage) -> np.ndarray:
    """The selection as the kernel has it, once it has answered the last gesture."""
    page.wait_for("k.count('select') > 0 && k.revs.sel >= k.last('select').rev")
    return np.flatnonzero(page.kernel("[...k.mask]"))


def assert_selected(page: WidgetPage, expected: Callable[[Mask], np.ndarray], *boxes: Box) -> None:
    """Check the selection against `expected` of the boxes, except pixels on their borders."""
    xy = np.array(page.kernel("[...k.xy]")).reshape(-1, 2)
    selected = np.isin(np.arange(len(xy)), selected_rows(page))
    borders = np.reshape(boxes, (-1, 2))
    is_clear = (np.abs(xy[:, None] - borders) > _PIXEL).all(axis=(1, 2))
    wanted = expected(lambda box: _mask_inside(xy, box))
    np.testing.assert_array_equal(selected[is_clear], wanted[is_clear])


def _mask_inside(xy: np.ndarray, box: Box) -> np.ndarray:
    return (xy > box[:2]).all(axis=1) & (xy < box[2:]).all(axis=1)


def select_first_cloud(page: WidgetPage) -> None:
    page.drag(page.corners(*FIRST_CLOUD))
    selected_rows(page)


def draw_gate(page: WidgetPage) -> None:
    """Gate 1, around the first cloud."""
    page.press("Gate")
    page.drag(page.corners(*FIRST_CLOUD))
    page.wait_for("k.gates.length === 1")


def n_colored_pixels(page: WidgetPage, stage: str = ".es-map") -> int:
    """Pixels of the map that are not its background."""
    return int((map_alpha(page, stage) > 0).sum())


def dark_pixels(page: WidgetPage) -> int:
    """Pixels of the map that are nearly black: what is drawn in ink, on a light page."""
    drawn = map_pixels(page)
    return int(((drawn[:, 3] > 200) & (drawn[:, :3].max(axis=1) < 90)).sum())


def map_alpha(page: WidgetPage, stage: str = ".es-map") -> np.ndarray:
    """The alpha of each pixel of the map."""
    return map_pixels(page, stage)[:, 3]


def map_pixels(page: WidgetPage, stage: str = ".es-map") -> np.ndarray:
    """The map's pixels, uint8 of shape (n, 4)."""
    url = page.page.locator(f"{stage} > canvas").first.evaluate("(canvas) => canvas.toDataURL()")
    png = io.BytesIO(base64.b64decode(url.partition(",")[2]))
    return np.asarray(Image.open(png).convert("RGBA")).reshape(-1, 4)


def image_pixels(page: WidgetPage) -> list[int]:
    """The image's red, green and blue, each summed."""
    return list(
        page.page.evaluate(
            """() => {
              const shown = document.querySelector(".es-image > canvas");
              const { data } = shown.getContext("2d").getImageData(0, 0, shown.width, shown.height);
              const sums = [0, 0, 0];
              data.forEach((v, i) => i % 4 < 3 && (sums[i % 4] += v));
              return sums;
            }"""
        )
    )
