"""Make the pictures of the dock for the documentation, in both themes of napari.

    xvfb-run -a -s "-screen 0 1280x1024x24" python scripts/make_dock_pictures.py [FOLDER]

It trains on the bundled sample cells, which takes one or two minutes, and uses real mouse events.
Look at the pictures before you commit them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import napari
import numpy as np
import tifffile
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from dock_hands import click_point, drag_map, pixels_of  # noqa: E402

from embedscope.napari_dock.map._gestures import Tool  # noqa: E402
from embedscope.samples import nuclei  # noqa: E402

DOCK_PX = 400
COLORS = 256  # of a picture: no visible difference, and a small file


def save(widget: Any, file: Path) -> None:
    """Write what a widget shows as a small PNG."""
    widget.grab().save(str(file))
    with Image.open(file) as picture:
        # The method of Pillow that keeps the few pixels of a legend.
        small = picture.convert("RGB").quantize(COLORS, method=Image.Quantize.FASTOCTREE)
    small.save(file, optimize=True)


def save_two_files(file: Path) -> None:
    """A user's two files in napari, and the dock before the training."""
    viewer = napari.Viewer(title="napari")
    viewer.window.resize(1100, 860)
    fields = nuclei()
    with tempfile.TemporaryDirectory() as folder:
        for name, pixels in (("cells", fields.images[3]), ("masks", fields.labels[3])):
            path = Path(folder) / f"{name}.tif"
            tifffile.imwrite(path, pixels)
            viewer.open(path, layer_type="labels" if name == "masks" else "image")
    viewer.layers["masks"].opacity = 0.4
    frame, _ = viewer.window.add_plugin_dock_widget("embedscope", "Explore embedding")
    viewer.window._qt_window.resizeDocks([frame], [DOCK_PX], Qt.Orientation.Horizontal)
    QTest.qWait(3000)  # the preview is cut in a thread
    save(viewer.window._qt_window, file)
    viewer.close()


def open_window() -> tuple[Any, Any]:
    """A viewer with the sample, and the dock beside it, 400 pixels wide."""
    viewer = napari.Viewer(title="embedscope")
    viewer.window.resize(1280, 1000)
    viewer.open_sample("embedscope", "jurkat_cells")
    frame, dock = viewer.window.add_plugin_dock_widget("embedscope", "Explore embedding")
    window = viewer.window._qt_window
    QTest.qWait(300)
    window.resizeDocks([frame], [DOCK_PX], Qt.Orientation.Horizontal)
    viewer.window.activate()
    QTest.qWait(300)
    return viewer, dock


def train(dock: Any) -> None:
    """Press Train, and wait for the map."""
    dock.view.train_panel.train.click()
    while not dock.explorer.status.phase.is_finished or dock.explorer.model is None:
        QTest.qWait(200)
    QTest.qWait(500)


def circle(dock: Any, rows: np.ndarray, radius_px: float, n_corners: int = 40) -> np.ndarray:
    """A path around the middle of these samples on the map."""
    middle = np.median(pixels_of(dock, rows.tolist()), axis=0)
    angles = np.linspace(0, 2 * np.pi, n_corners, endpoint=False)
    return middle + radius_px * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def of_phase(dock: Any, name: str) -> np.ndarray:
    """Rows of the cells in a phase of the cycle."""
    return np.flatnonzero((dock.explorer.samples.features["phase"] == name).to_numpy())


def draw_again(dock: Any) -> None:
    """Carry a cell to another phase, and reconstruct some cells, two of them held out."""
    panel, one = dock.view.sample_panel, int(of_phase(dock, "G2")[5])
    click_point(dock, one)
    panel.carrying.carry.click()
    drag_map(dock, Tool.DECODE, pixels_of(dock, of_phase(dock, "G1")[3:4].tolist()))
    held_out = dock.explorer.model.estimator.validation_rows_[:2]
    dock.explorer.select_rows([one, int(of_phase(dock, "Metaphase")[3]), *held_out])
    panel.carrying.reconstruct.click()
    while not panel.reconstructions.isVisible():
        QTest.qWait(50)
    QTest.qWait(600)


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "docs" / "images")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    save_two_files(folder / "napari_two_files.png")
    viewer, dock = open_window()
    save(dock, folder / "napari_dock_start.png")
    train(dock)
    dock.view.map_panel.color_by.setCurrentText("phase")
    QTest.qWait(300)
    drag_map(dock, Tool.GATE, circle(dock, of_phase(dock, "G1"), 40, n_corners=7))
    click_point(dock, int(of_phase(dock, "Metaphase")[3]))
    drag_map(dock, Tool.LASSO, circle(dock, of_phase(dock, "Metaphase"), 22))
    for theme in ("dark", "light"):
        viewer.theme = theme
        dock.view.tabs.setCurrentWidget(dock.view.gates_panel)
        QTest.qWait(600)
        save(viewer.window._qt_window, folder / f"napari_window_{theme}.png")
        dock.view.gates_panel.list.clearSelection()  # a click on its corners would drag them
        drag_map(dock, Tool.DECODE, pixels_of(dock, of_phase(dock, "G2")[5:6].tolist()))
        QTest.qWait(300)
        save(dock, folder / f"napari_dock_{theme}.png")
    viewer.theme = "dark"
    draw_again(dock)
    save(dock, folder / "napari_dock_carry.png")
    viewer.close()


if __name__ == "__main__":
    main()
