"""The speed of the widget's page, in headless Chromium with software WebGL.

    python benchmarks/widget_speed.py

For maps of 1,500 to 1,000,000 samples: the time of the main thread for a new map, the time until it
is drawn (much less with a graphics card), and the times of a hover and of a lasso of 60 corners.
The numbers are medians of five tries, in milliseconds, printed as a table.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from widget_page import STATIC, WidgetPage, open_browser  # noqa: E402

SIZES = (1_500, 100_000, 1_000_000)

MOVE = """async () => {
  const k = test.kernel;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const results = [];
  for (let i = 0; i < 5; i++) {
    const xy = k.xy.map((v) => v + 0.01 * i);
    const began = performance.now();
    k.sendMap(i, -1, xy);
    const main = performance.now() - began;
    await frame();
    await frame();
    const gl = document.querySelector(".es-map > canvas").getContext("webgl2");
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits for the GPU
    results.push([main, performance.now() - began]);
    await new Promise((done) => setTimeout(done, 800));
  }
  return results;
}"""

POINT = """async ([x, y]) => {
  const stage = document.querySelector(".es-map");
  const point = (type, clientX, clientY) =>
    stage.dispatchEvent(new PointerEvent(type, { clientX, clientY, bubbles: true, pointerId: 1 }));
  stage.setPointerCapture = () => undefined; // there is no real pointer to capture
  const results = [];
  for (let i = 0; i < 5; i++) {
    let began = performance.now();
    point("pointermove", x + 5 * i, y);
    const hover = performance.now() - began;
    point("pointerdown", x + 120, y);
    for (let k = 1; k < 60; k++) {
      const angle = (2 * Math.PI * k) / 60;
      point("pointermove", x + 120 * Math.cos(angle), y + 120 * Math.sin(angle));
    }
    began = performance.now();
    point("pointerup", x + 120, y);
    results.push([hover, performance.now() - began]);
    await new Promise((done) => setTimeout(done, 100));
  }
  return results;
}"""


def measure(browser: Any, n: int) -> list[float]:
    """Medians: new map on the main thread, new map drawn, hover, lasso."""
    page = WidgetPage(browser, f"n={n}&table")
    page.page.set_default_timeout(120_000)
    page.page.wait_for_timeout(1500)
    moves = page.page.evaluate(MOVE)
    points = page.page.evaluate(POINT, list(page.on_screen(0, 0)))
    page.close()
    return [
        statistics.median(column) for rows in (moves, points) for column in zip(*rows, strict=True)
    ]


def main() -> None:
    sizes = {path.name: path.stat().st_size / 1000 for path in sorted(STATIC.iterdir())}
    print(", ".join(f"{name} {size:.0f} kB" for name, size in sizes.items()))
    print(f"{'samples':>10} {'new map':>9} {'drawn':>9} {'hover':>9} {'lasso':>9}  (ms)")
    with open_browser() as browser:
        for n in SIZES:
            print(f"{n:>10,} " + " ".join(f"{value:9.1f}" for value in measure(browser, n)))


if __name__ == "__main__":
    main()
