"""Make the moving picture of the first page: a map forms, a lasso, a decoded cell, a carried cell.

    xvfb-run -a -s "-screen 0 1280x1024x24" python scripts/make_moving_picture.py [FILE]

It trains in the dock on the bundled sample cells, as a user does, and takes one or two minutes.
Look at the picture before you commit it.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from qtpy.QtCore import QBuffer
from qtpy.QtTest import QTest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "scripts")]

from dock_hands import click_point, drag_map, pixels_of  # noqa: E402
from make_dock_pictures import circle, of_phase, open_window  # noqa: E402

from embedscope.napari_dock.map._gestures import Tool  # noqa: E402

SIZE = (960, 750)
MAX_BYTES = 2_000_000
MAX_FORMING = 24  # pictures of the map while it forms


class Film:
    """Pictures of a window, each with the time it is shown."""

    def __init__(self, window: Any) -> None:
        self.window = window
        self.frames: list[Image.Image] = []
        self.times_ms: list[int] = []

    def take(self, ms: int) -> None:
        """Take a picture of the window."""
        buffer = QBuffer()
        buffer.open(QBuffer.OpenModeFlag.WriteOnly)
        self.window.grab().save(buffer, "PNG")
        with Image.open(io.BytesIO(bytes(buffer.data()))) as picture:
            self.frames.append(picture.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS))
        self.times_ms.append(ms)

    def write(self, file: Path) -> None:
        """Write an animated WebP that starts again at its end."""
        self.frames[0].save(
            file,
            save_all=True,
            append_images=self.frames[1:],
            duration=self.times_ms,
            loop=0,
            quality=55,
            method=6,
        )
        if file.stat().st_size > MAX_BYTES:
            raise ValueError(f"{file} has {file.stat().st_size} bytes; at most {MAX_BYTES}")


def show_forming(film: Film, dock: Any) -> None:
    """Press Train, and take pictures until the map is done."""
    dock.view.train_panel.train.click()
    last = None
    while not dock.explorer.status.phase.is_finished or dock.explorer.model is None:
        QTest.qWait(150)
        embedding = dock.explorer.embedding
        if embedding is not last and len(film.frames) < MAX_FORMING:
            last = embedding
            film.take(160)
    QTest.qWait(600)
    film.take(1200)


def show_lasso(film: Film, dock: Any) -> None:
    """Draw a lasso around the cells in metaphase: they are marked in the image."""
    dock.view.map_panel.color_by.setCurrentText("phase")
    QTest.qWait(300)
    film.take(1000)
    click_point(dock, int(of_phase(dock, "Metaphase")[3]))  # the image shows this cell
    QTest.qWait(400)
    film.take(1000)
    drag_map(dock, Tool.LASSO, circle(dock, of_phase(dock, "Metaphase"), 20))
    QTest.qWait(600)
    film.take(2500)


def between(dock: Any, share: float) -> np.ndarray:
    """A point between the cells in G1 and those in G2, where it is on the screen now."""
    start, end = (
        np.median(pixels_of(dock, of_phase(dock, name).tolist()), axis=0) for name in ("G1", "G2")
    )
    return (start + share * (end - start))[np.newaxis]


def show_decoded(film: Film, dock: Any) -> None:
    """Decode along the map, first typical cells, then one cell that is carried."""
    shares = np.linspace(0, 1, 6)
    for share in shares:
        drag_map(dock, Tool.DECODE, between(dock, share))
        QTest.qWait(400)
        film.take(500)
    click_point(dock, int(of_phase(dock, "G2")[5]))
    dock.view.sample_panel.carrying.carry.click()
    QTest.qWait(300)
    for share in shares[::-1]:
        drag_map(dock, Tool.DECODE, between(dock, share))
        QTest.qWait(400)
        film.take(600)
    film.times_ms[-1] = 2500


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "docs" / "images" / "first_look.webp"
    parser.add_argument("file", type=Path, nargs="?", default=default)
    file = parser.parse_args().file
    viewer, dock = open_window()
    film = Film(viewer.window._qt_window)
    film.take(800)
    show_forming(film, dock)
    show_lasso(film, dock)
    show_decoded(film, dock)
    film.write(file)
    viewer.close()


if __name__ == "__main__":
    main()
