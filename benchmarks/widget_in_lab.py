"""The speed of the notebook widget with a real kernel, in JupyterLab on this machine.

    python benchmarks/widget_in_lab.py

Headless Chromium, software WebGL, real mouse and key events. Measured in the page: the time from
the key that runs the cell to the map on the screen (1,500 to 1,000,000 samples); the time from the
pointer on a sample to its picture, which is not yet cached; and pictures per second while *Decode*
is dragged, with the number that the network decoded. Medians of several tries.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from jupyter_lab import LabNotebook, open_lab, write_notebook  # noqa: E402
from widget_page import open_browser  # noqa: E402

SIZES = (1_500, 100_000, 1_000_000)
N_HOVERS = 25
N_STEPS, STEP_PX, STEP_MS = 60, 3, 40  # of a moving pointer

PLACED = """
import numpy as np
from embedscope import Explorer
from embedscope.samples import samples_from_array
rng = np.random.default_rng(0)
def show(n, shape):
    explorer = Explorer(samples_from_array(rng.random((n, *shape), dtype=np.float32)))
    explorer.place(rng.normal(size=(n, 2)))
    return explorer
"""
TRAINED = """
from sklearn.datasets import load_digits
from embedscope import Explorer
from embedscope.samples import samples_from_array
digits = load_digits().images[:600, ..., None].astype("float32") / 16
explorer = Explorer(samples_from_array(digits))
explorer.train()
explorer.wait().message
"""

# From the key that runs the cell until the map is drawn.
WATCH_MAP = """() => {
  window.whenShown = new Promise((done) => {
    addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      const look = () => {
        const stage = document.querySelector(".es-map[data-camera]");
        if (!stage || !stage.querySelector(".es-stage-note[hidden]"))
          return requestAnimationFrame(look);
        const gl = stage.querySelector("canvas").getContext("webgl2");
        gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // for the GPU
        done(performance.now() - event.timeStamp);
      };
      look();
    }, { capture: true });
  });
}"""
# From each move of the pointer to a sample until the card beside it holds a picture.
WATCH_CARD = """() => {
  window.waits = [];
  let before = "";
  document.querySelector(".es-map").addEventListener("pointermove", (event) => {
    const look = () => {
      const card = document.querySelector(".es-tooltip");
      if (card.hidden) return;
      if (card.querySelector("canvas").hidden) return requestAnimationFrame(look);
      window.waits.push(performance.now() - event.timeStamp);
    };
    setTimeout(() => { // when the page has seen the move
      const mark = document.querySelector(".es-hover").outerHTML;
      if (mark !== before) look(); // another sample than before
      before = mark;
    });
  }, { capture: true });
}"""
# Every picture that is drawn into the large canvas of the decoder.
COUNT_PICTURES = """() => {
  window.nPictures = 0;
  const draw = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...given) {
    if (this.canvas.classList.contains("es-decoded")) window.nPictures += 1;
    return draw.apply(this, given);
  };
}"""


@contextmanager
def notebook_with(cells: list[str]) -> Iterator[LabNotebook]:
    with tempfile.TemporaryDirectory() as name, open_browser() as browser:
        write_notebook(Path(name) / "speed.ipynb", cells)
        with open_lab(Path(name)) as address:
            notebook = LabNotebook(browser, address, "speed.ipynb", Path(name))
            yield notebook
            notebook.close()


def until_shown(n: int) -> float:
    """Milliseconds from running the cell to a map of n samples."""
    with notebook_with([PLACED, f"explorer = show({n}, (4,))", "explorer"]) as notebook:
        notebook.run_cells(0, 2)
        notebook.wait_until("'explorer' in globals()")
        notebook.ask("__import__('embedscope.jupyter_widget') is None")  # what a first import costs
        notebook.page.evaluate(WATCH_MAP)
        notebook.run_cells(2, 3)
        return float(notebook.page.evaluate("window.whenShown"))


def until_picture() -> tuple[list[float], list[float]]:
    """Milliseconds from pointing at a sample to its picture, for samples never seen before.

    First for a pointer that jumps to places far apart, then for one that wanders over the map.
    """
    with notebook_with([PLACED, "explorer = show(1500, (28, 28, 1))\nexplorer"]) as notebook:
        notebook.run_cells()
        notebook.wait_for_widget()
        notebook.page.wait_for_timeout(2000)
        notebook.page.evaluate(WATCH_CARD)
        mouse = notebook.page.mouse
        jumps = []
        for place in notebook.ask(f"explorer.embedding.positions[:{N_HOVERS}].tolist()"):
            mouse.move(*notebook.on_screen(*place))
            notebook.page.wait_for_timeout(400)
            jumps += notebook.page.evaluate("window.waits.splice(0)")
            mouse.move(5, 5)
            notebook.page.wait_for_timeout(100)
        x, y = notebook.on_screen(-1.5, 0.7)
        mouse.move(x, y)
        notebook.page.wait_for_timeout(1000)
        notebook.page.evaluate("window.waits.splice(0)")
        for _ in range(N_STEPS):
            x += STEP_PX
            mouse.move(x, y)
            notebook.page.wait_for_timeout(STEP_MS)
        notebook.page.wait_for_timeout(1000)
        return jumps, notebook.page.evaluate("window.waits.splice(0)")


def pictures_a_second() -> tuple[float, float]:
    """Pictures shown while *Decode* is dragged, and those that the network decoded."""
    with notebook_with([TRAINED, "explorer"]) as notebook:
        notebook.run_cells()
        notebook.wait_for_widget()
        notebook.page.wait_for_timeout(6000)  # the atlas is drawn
        notebook.page.get_by_role("button", name="Decode", exact=True).click()
        notebook.page.evaluate(COUNT_PICTURES)
        notebook.ask(
            "[explorer.events.reconstruction_changed.connect((drawn := []).append)]"
            " and globals().update(drawn=drawn)"
        )
        places = notebook.ask("explorer.embedding.positions[:60].tolist()")
        mouse = notebook.page.mouse
        mouse.move(*notebook.on_screen(*places[0]))
        mouse.down()
        began = notebook.page.evaluate("performance.now()")
        for place in places:
            mouse.move(*notebook.on_screen(*place), steps=5)
        seconds = (notebook.page.evaluate("performance.now()") - began) / 1000
        shown = notebook.page.evaluate("window.nPictures")
        drawn = notebook.ask("len(drawn)")
        mouse.up()
        return shown / seconds, drawn / seconds


def main() -> None:
    for n in SIZES:
        times = [until_shown(n) for _ in range(3)]
        print(f"{n:>9,} samples are on the screen after {statistics.median(times):6.0f} ms")
    for how, waits in zip(("jumps", "wanders"), until_picture(), strict=True):
        median, late = statistics.median(waits), statistics.quantiles(waits, n=10)[-1]
        print(f"a picture follows a pointer that {how} after {median:.0f} ms", end="")
        print(f" (9 of 10 within {late:.0f} ms)")
    shown, drawn = pictures_a_second()
    print(f"dragging the decoder shows {shown:.0f} pictures a second, {drawn:.0f} of them decoded")


if __name__ == "__main__":
    main()
