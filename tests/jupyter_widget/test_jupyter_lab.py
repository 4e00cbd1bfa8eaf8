"""The widget in a real JupyterLab: real kernel, real browser, real mouse."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.image
import nbformat
import numpy as np
import pytest
from jupyter_lab import LabNotebook, open_lab, write_notebook
from widget_page import open_browser

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explore.ipynb"
_TRAINED_BY_HAND = """
import numpy as np
from embedscope import Explorer
rng = np.random.default_rng(0)
table = np.concatenate([rng.normal(size=(60, 5)), rng.normal(size=(60, 5)) + 20])
explorer = Explorer(table.astype(np.float32))
explorer.set_parameters(n_neighbors=10, reconstruction=False)
explorer
"""
_PICTURES = """
import numpy as np
from embedscope import Explorer
from embedscope.samples import samples_from_array
rng = np.random.default_rng(0)
cells = rng.random((90, 12, 12, 1), dtype=np.float32) * 0.2
cells[:45, :6] += 0.3 + 0.5 * rng.random((45, 1, 1, 1), dtype=np.float32)
half = np.repeat([0, 9], 45)
one, two, three = half + rng.normal(size=90), rng.random(90), half / 3 + rng.random(90)
explorer = Explorer(samples_from_array(cells).with_features(one=one, two=two, three=three))
explorer.set_parameters(n_neighbors=10)
explorer
"""
# A map without training, so TensorFlow is not loaded.
_PLACED = """
import threading
from pathlib import Path
import numpy as np
from embedscope import Explorer
from embedscope.jupyter_widget import ExplorerWidget
if Path("kept.session").exists():
    explorer = Explorer.open("kept.session")
else:
    explorer = Explorer(np.random.default_rng(0).normal(size=(120, 3)).astype(np.float32))
    turn = np.arange(120.0)
    explorer.place(np.stack([turn, 20 * np.sin(turn)], axis=1))
widget = ExplorerWidget(explorer, height=240)
widget
"""
_OTHER = "other = ExplorerWidget(explorer, height=240)\nother"
_LISTENERS = (
    "([len(signal) for signal in explorer.events.signals.values()],"
    " len([thread for thread in threading.enumerate() if thread.name.startswith('embedscope')]))"
)
# A line by the mouse is exact to a few pixels: samples that close may be on either side.
_WRONG_SIDE = (
    "(lambda x, chosen: int(((chosen != (x < x.mean()))"
    " & (abs(x - x.mean()) > 0.02 * (x.max() - x.min()))).sum()))"
    "(explorer.embedding.positions[:, 0], explorer.selection.mask(311))"
)
_LEFT = "explorer.embedding.positions[:, 0] < explorer.embedding.positions[:, 0].mean()"


class Lab:
    """One JupyterLab and one browser for all tests here; each test opens its own notebook."""

    def __init__(self, browser: Any, address: str, folder: Path) -> None:
        self.folder = folder
        self._browser = browser
        self._address = address

    def open(self, name: str) -> LabNotebook:
        return LabNotebook(self._browser, self._address, name, self.folder)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with open_lab(folder) as address, open_browser() as browser:
        yield Lab(browser, address, folder)


def test_train_by_the_button_and_select_by_the_mouse(lab: Lab) -> None:
    write_notebook(lab.folder / "short.ipynb", [_TRAINED_BY_HAND])
    notebook = lab.open("short.ipynb")
    notebook.run_cells()
    notebook.wait_for_widget()
    picture = notebook.page.locator(".embedscope-saved")
    without_map = picture.get_attribute("src")
    notebook.page.get_by_role("button", name="Train", exact=True).click()
    notebook.wait_until("explorer.status.phase.name == 'DONE'")
    notebook.page.get_by_text("120 samples · Done.").wait_for()
    lasso_left_half(notebook)
    assert notebook.ask(f"(explorer.selection.mask(120) == ({_LEFT})).all().item()")
    assert notebook.ask("explorer.selection.origin").startswith("widget")
    notebook.page.screenshot(path=lab.folder / "short.png")
    notebook.page.wait_for_function(
        "before => document.querySelector('.embedscope-saved').src !== before", arg=without_map
    )
    assert not picture.is_visible()  # where the widget is alive
    reopen_without_kernel(notebook)
    picture.wait_for()
    assert coloured_pixels(saved_picture(notebook)) > 500  # the map, not that there is none yet
    assert notebook.complaints == []
    notebook.page.screenshot(path=lab.folder / "reopened.png")
    notebook.close()


def test_a_cell_is_carried_and_reconstructed_with_the_mouse(lab: Lab) -> None:
    write_notebook(lab.folder / "carried.ipynb", [_PICTURES])
    notebook = lab.open("carried.ipynb")
    notebook.run_cells()
    notebook.wait_for_widget()
    root = notebook.page.locator(".es-root")
    learn_from_two_columns(notebook)
    root.get_by_role("button", name="Train", exact=True).click()
    notebook.wait_until("explorer.status.phase.name == 'DONE'")
    assert notebook.ask("explorer.model.samples.learned.names") == ("one", "three")
    root.get_by_text("The map learns from one, three.").wait_for()
    said = notebook.ask("explorer.explained.text")
    root.get_by_text("E" + said[1:]).wait_for()
    root.get_by_text("Style components").wait_for(state="attached")
    notebook.wait_for_map()
    notebook.page.mouse.click(*on_map(notebook, 3))
    root.get_by_role("button", name="Carry", exact=True).click()
    root.get_by_text("This sample, from its own code").wait_for()
    notebook.drag([on_map(notebook, 3), on_map(notebook, 70)])
    notebook.wait_until("explorer.reconstruction.style == 'carried'")
    assert notebook.ask("explorer.reconstruction.style_of in explorer.selected_ids")
    root.get_by_text("Carried here from").wait_for()
    root.get_by_role("button", name="Another").click()
    notebook.wait_until("explorer.reconstruction.style == 'random'")
    root.get_by_role("button", name="Reconstruct").click()
    root.locator(".es-what-of").wait_for()
    assert notebook.ask("len(explorer.sample_reconstructions)") == 1
    notebook.page.screenshot(path=lab.folder / "carried.png")
    assert notebook.complaints == []
    notebook.close()


def learn_from_two_columns(notebook: LabNotebook) -> None:
    """Choose columns, and take one away with the mouse."""
    root = notebook.page.locator(".es-root")
    root.get_by_text("The map learns from pixels.").wait_for()
    root.get_by_label("Learn from").select_option("columns of the table")
    root.get_by_label("two", exact=True).click()
    root.get_by_text("The next map learns from one, three: press Train.").wait_for()


def on_map(notebook: LabNotebook, row: int) -> Any:
    """Where a sample is on the screen, once the map is in view."""
    notebook.page.locator(".es-map").first.scroll_into_view_if_needed()
    return notebook.on_screen(*notebook.ask(f"explorer.embedding.positions[{row}].tolist()"))


def test_views_come_and_go_and_kernels_too(lab: Lab) -> None:
    """Two views of one widget, another widget of the same explorer, and a new kernel."""
    write_notebook(lab.folder / "views.ipynb", [_PLACED, "widget", _OTHER])
    notebook = lab.open("views.ipynb")
    notebook.run_cells()
    notebook.wait_for_widget()
    listeners = notebook.ask(_LISTENERS)
    lasso_left_half(notebook)
    expect_everywhere(notebook, "60 of 120 selected", views=3)
    close_and_show_again(notebook, cell=1)
    press_keys_of_jupyterlab(notebook)
    notebook.ask("explorer.select_rows(range(7))")
    expect_everywhere(notebook, "7 of 120 selected", views=3)
    assert notebook.ask(_LISTENERS) == listeners
    notebook.ask("explorer.save('kept.session')")
    notebook.restart_kernel()
    expect_everywhere(notebook, "The kernel was restarted or is gone.", views=3)
    notebook.choose("Edit", "Clear Outputs of All Cells")
    notebook.wait_for_kernel()
    notebook.run_cells(0, 3)
    expect_everywhere(notebook, "7 of 120 selected", views=3)
    assert notebook.ask(_LISTENERS) == listeners
    assert notebook.complaints == []
    notebook.page.screenshot(path=lab.folder / "views.png")
    notebook.close()


def lasso_left_half(notebook: LabNotebook) -> None:
    """Draw around all points left of the middle of the map."""
    low, high, middle = notebook.ask(
        "(explorer.embedding.positions.min(axis=0).tolist(),"
        " explorer.embedding.positions.max(axis=0).tolist(),"
        " float(explorer.embedding.positions[:, 0].mean()))"
    )
    notebook.wait_for_map()
    pad = 0.02 * min(high[0] - low[0], high[1] - low[1])
    notebook.drag(notebook.corners(low[0] - pad, low[1] - pad, middle, high[1] + pad))
    notebook.wait_until("explorer.selection.origin.startswith('widget')")


def expect_everywhere(notebook: LabNotebook, text: str, views: int) -> None:
    """Every view shows this text, and there are `views` of them."""
    notebook.page.wait_for_function(
        "([text, views]) => {"
        " const shown = [...document.querySelectorAll('.es-root')];"
        " return shown.length === views && shown.every((each) => each.innerText.includes(text)); }",
        arg=[text, views],
    )


def close_and_show_again(notebook: LabNotebook, cell: int) -> None:
    views = notebook.page.locator(".es-map").count()
    notebook.select_cell(cell)
    notebook.choose("Edit", "Clear Cell Output")
    assert notebook.page.locator(".es-map").count() == views - 1
    notebook.run_cells(cell, cell + 1)
    expect_everywhere(notebook, "60 of 120 selected", views)


def press_keys_of_jupyterlab(notebook: LabNotebook) -> None:
    """JupyterLab does not get its own keys while the map has the focus."""
    cells = notebook.page.locator(".jp-Notebook .jp-CodeCell")
    before = cells.count()
    notebook.page.locator(".es-map").first.focus()
    for key in "xddb":
        notebook.page.keyboard.press(key)
    assert cells.count() == before


def reopen_without_kernel(notebook: LabNotebook) -> None:
    """As a reader opens the saved notebook later."""
    notebook.page.keyboard.press("Escape")
    notebook.page.keyboard.press("Control+s")
    notebook.page.wait_for_timeout(1000)
    notebook.choose("Kernel", "Shut Down Kernel")
    notebook.page.reload()


def saved_picture(notebook: LabNotebook) -> bytes:
    """The PNG in the output of the first cell."""
    kept = nbformat.read(notebook.folder / notebook.name, 4)
    (picture,) = [out.data for out in kept.cells[0].outputs if "image/png" in out.data]
    return base64.b64decode(picture["image/png"])


def coloured_pixels(png: bytes) -> int:
    levels = matplotlib.image.imread(io.BytesIO(png))[..., :3]
    return int((np.ptp(levels, axis=2) > 0.2).sum())


@pytest.mark.long
def test_the_notebook_with_the_mouse(lab: Lab) -> None:
    """The cells of the notebook, then all that a user does with the widget."""
    shutil.copy(NOTEBOOK, lab.folder / "explore.ipynb")
    notebook = lab.open("explore.ipynb")
    notebook.run_cells(0, 3)
    notebook.wait_for_widget()
    notebook.run_cells(3)
    notebook.wait_until("__import__('pathlib').Path('nuclei.session').exists()", 200)
    notebook.page.locator(".es-map").first.scroll_into_view_if_needed()
    notebook.page.evaluate("document.activeElement.blur()")
    lasso_left_half(notebook)
    notebook.page.screenshot(path=lab.folder / "lasso.png")
    assert notebook.ask(_WRONG_SIDE) == 0
    select_in_the_image(notebook)
    decode_by_a_click(notebook)
    notebook.page.screenshot(path=lab.folder / "notebook.png")
    reload_page(notebook)
    notebook.page.screenshot(path=lab.folder / "reloaded.png")
    assert notebook.complaints == []
    notebook.close()


def select_in_the_image(notebook: LabNotebook) -> None:
    """Click the object in the middle of the first field's largest nucleus."""
    source, frame, label, x, y = notebook.ask(
        "(lambda row: (*samples.identities[row], *map(float, samples.centroids[row][::-1])))"
        "(int(samples.column('area').argmax()))"
    )
    stage = notebook.page.locator(".es-image").first
    stage.scroll_into_view_if_needed()
    time_slider = notebook.page.locator(".es-image-controls input[type=range]").first
    time_slider.fill(str(frame))
    notebook.page.wait_for_timeout(1500)
    box = stage.bounding_box()
    scale = box["width"] / 256
    notebook.page.mouse.click(box["x"] + x * scale, box["y"] + y * scale)
    notebook.wait_until(
        f"[tuple(one) for one in explorer.selected_ids] == [({source!r}, {frame}, {label})]"
    )


def decode_by_a_click(notebook: LabNotebook) -> None:
    place = notebook.ask("explorer.embedding.positions[5].tolist()")
    notebook.page.locator(".es-map").first.scroll_into_view_if_needed()
    before = notebook.ask("id(explorer.reconstruction)")
    notebook.page.mouse.click(*notebook.on_screen(*place))
    notebook.wait_until(f"id(explorer.reconstruction) != {before}")
    assert notebook.ask("int(explorer.reconstruction.neighbor_rows[0])") == 5
    assert notebook.ask("explorer.reconstruction.decoded")


def reload_page(notebook: LabNotebook) -> None:
    """After a reload the page gets its state from the kernel again."""
    selected = notebook.ask("len(explorer.selection)")
    notebook.page.keyboard.press("Control+s")
    notebook.page.wait_for_timeout(1000)
    notebook.page.reload()
    notebook.wait_for_widget()
    notebook.page.get_by_text(f"{selected} of 311 selected").first.wait_for()
