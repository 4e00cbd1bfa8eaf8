"""How fast large maps appear and respond, in a browser with software rendering."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.speed


@pytest.mark.parametrize(
    ("n", "first_ms", "hover_ms"),
    [(100_000, 1000, 100), pytest.param(1_000_000, 3000, 100, marks=pytest.mark.long)],
)
def test_large_maps_appear_respond_and_are_selected(
    open_page: Any, n: int, first_ms: int, hover_ms: int
) -> None:
    page = open_page(f"n={n}")
    page.page.set_default_timeout(60_000)
    assert page.page.evaluate(SHOW_AGAIN) < first_ms
    page.page.evaluate(WATCH_HOVER)
    places = np.reshape(page.kernel("[...k.xy.slice(0, 40)]"), (-1, 2))
    for place in places:
        page.page.mouse.move(*page.on_screen(*place))
        page.page.wait_for_timeout(120)
    delays = page.page.evaluate("() => test.delays")
    assert len(delays) >= len(places) / 2
    assert np.median(delays) < hover_ms
    page.drag(page.corners(-6.5, -3, -1.2, 3))
    page.wait_for("k.count('select') > 0")
    assert page.kernel("k.mask.reduce((total, v) => total + v, 0)") > n / 4


# Milliseconds from the first message of a kernel until the map is drawn, in a view of its own; what
# the fake kernel takes to make its messages is not counted.
SHOW_AGAIN = """async () => {
  const { default: widget } = await import("/static/widget.js");
  const { kernel } = test;
  test.views[0].abort();
  test.life.abort();
  const told = [];
  const keep = (...message) => told.push(message);
  kernel.model.on("msg:custom", keep);
  kernel.on_hello();
  kernel.model.off("msg:custom", keep);
  const send = (message, ...more) => {
    if (message.t !== "hello") return kernel.model.send(message, ...more);
    setTimeout(() => told.forEach((message) =>
      kernel.listeners.get("msg:custom").forEach((listener) => listener(...message))));
  };
  const model = { ...kernel.model, send };
  const el = document.createElement("div");
  document.body.prepend(el);
  const began = performance.now();
  const { initialize, render } = widget();
  initialize({ model });
  render({ model, el });
  const isShown = () =>
    el.querySelector(".es-map[data-camera] canvas") &&
    el.querySelector(".es-selected").textContent.includes(`of ${kernel.n.toLocaleString("en-US")}`);
  while (!isShown()) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  el.querySelector(".es-map > canvas").getContext("webgl2").finish();
  return performance.now() - began;
}"""

# Milliseconds from each move of the pointer until the card beside it shows a picture.
WATCH_HOVER = """() => {
  const card = document.querySelector(".es-map .es-tooltip");
  const picture = card.querySelector("canvas");
  let moved = 0;
  test.delays = [];
  document.addEventListener("pointermove", () => (moved = performance.now()), { capture: true });
  const seen = new MutationObserver(() => {
    if (card.hidden || picture.hidden || !moved) return;
    test.delays.push(performance.now() - moved);
    moved = 0;
  });
  seen.observe(card, { attributes: true, subtree: true, childList: true, characterData: true });
}"""
