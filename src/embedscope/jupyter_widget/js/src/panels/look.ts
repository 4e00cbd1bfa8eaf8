// Sliders for size and opacity of the points; the default of both depends on the number of points.

import { h } from "../dom";
import { pointOpacity } from "../points/scene";
import type { Store } from "../store";

export function lookControls(store: Store, signal: AbortSignal): HTMLElement {
  const size = h("input", { type: "range", min: 0.4, max: 3, step: 0.1 });
  const opacity = h("input", { type: "range", min: 0.05, max: 1, step: 0.05 });
  size.addEventListener("input", () => store.setLook({ pointScale: Number(size.value) }), {
    signal,
  });
  opacity.addEventListener("input", () => store.setLook({ opacity: Number(opacity.value) }), {
    signal,
  });
  const update = () => {
    size.value = String(store.look.pointScale);
    opacity.value = String(store.look.opacity ?? pointOpacity(store.n));
  };
  store.on(["look", "positions"], update, signal);
  update();
  return h(
    "div",
    { class: "es-row es-look" },
    h("label", { class: "es-size" }, "Point size", size),
    h("label", { class: "es-size" }, "Opacity", opacity),
  );
}
