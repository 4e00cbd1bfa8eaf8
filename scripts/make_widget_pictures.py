"""Take the pictures of the widget in JupyterLab for docs/jupyter.md.

    python scripts/make_widget_pictures.py

Needs the group `test` and Chromium. The button of the widget trains the nuclei, in the light theme;
the dark theme shows the same map.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from jupyter_lab import LabNotebook, open_lab, write_notebook  # noqa: E402
from widget_page import open_browser  # noqa: E402

SHOW = """
from embedscope import Explorer
from embedscope.samples import nuclei, samples_from_labels
fields = nuclei()
samples = samples_from_labels(
    fields.images, fields.labels, axes="tyx", source="nuclei", channel_names=["DNA"]
)
explorer = Explorer(samples)
explorer
"""
PLACES = "explorer.embedding.positions"
MIDDLING = "abs(samples.column('area') - samples.column('area').mean()).argmin()"
LARGE = "samples.column('area') > 280"
COLORS = 256  # of a PNG: a third of its size, without a visible difference


def arrange(notebook: LabNotebook) -> None:
    """Train, colour, add a gate, carry a nucleus, and reconstruct the large ones."""
    notebook.page.get_by_role("button", name="Train", exact=True).click()
    notebook.wait_until("explorer.status.phase.name == 'DONE'", 300)
    notebook.ask("explorer.color('area')")
    notebook.ask(f"globals().update(large={LARGE})")
    (x0, y0), (x1, y1) = (
        notebook.ask(f"{PLACES}[large].{edge}(axis=0).tolist()") for edge in ("min", "max")
    )
    corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
    notebook.ask(f"explorer.add_gate({corners}, name='where large nuclei lie') is None")
    notebook.page.wait_for_timeout(2000)
    notebook.page.mouse.click(
        *notebook.on_screen(*notebook.ask(f"{PLACES}[samples.column('area').argmax()].tolist()"))
    )
    notebook.wait_until("len(explorer.selection) == 1 and explorer.reconstruction is not None")
    press(notebook, "Carry")
    notebook.wait_until("explorer.reconstruction.style == 'own'")
    notebook.page.mouse.click(*notebook.on_screen(*notebook.ask(f"{PLACES}[{MIDDLING}].tolist()")))
    notebook.wait_until("explorer.reconstruction.style == 'carried'")
    notebook.ask("explorer.select_rows(large.nonzero()[0])")
    press(notebook, "Reconstruct")
    notebook.wait_until("len(explorer.sample_reconstructions) == 8")
    notebook.page.locator(".es-header").first.hover()
    notebook.page.wait_for_timeout(2000)


def press(notebook: LabNotebook, name: str) -> None:
    """Press the first button of this name."""
    notebook.page.get_by_role("button", name=name, exact=True).first.click()


def take(notebook: LabNotebook, path: Path) -> None:
    """The widget alone, in few colours."""
    shot = notebook.page.locator(".es-root").first.screenshot()
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    few = picture.quantize(COLORS, method=Image.Quantize.MAXCOVERAGE, kmeans=4)
    few.save(path, optimize=True)


def main() -> None:
    """Take both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "docs" / "images")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, open_browser() as browser:
        write_notebook(Path(name) / "nuclei.ipynb", [SHOW])
        with open_lab(Path(name)) as address:
            notebook = LabNotebook(browser, address, "nuclei.ipynb", Path(name))
            notebook.page.set_viewport_size({"width": 1500, "height": 2200})
            notebook.run_cells()
            notebook.wait_for_widget()
            arrange(notebook)
            take(notebook, folder / "jupyter_light.png")
            notebook.use_dark_theme()
            take(notebook, folder / "jupyter_dark.png")
            notebook.close()


if __name__ == "__main__":
    main()
