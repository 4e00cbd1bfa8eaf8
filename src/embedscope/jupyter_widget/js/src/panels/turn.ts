// A slider that turns the decoded picture, on maps that decode pictures upright.

import type { Connection } from "../connection";
import { h } from "../dom";
import type { Store } from "../store";

const TOOLTIP =
  "Turn decoded pictures, counter-clockwise. At 0° typical samples are upright, and a carried " +
  "sample lies as it does in its image. The angle stays while you move over the map.";

export function turnSlider(store: Store, connection: Connection, signal: AbortSignal): HTMLElement {
  const input = h("input", { type: "range", min: 0, max: 360, step: 1, "aria-label": "Turn, degrees" });
  const shown = h("output");
  const element = h("label", { class: "es-row es-turn", title: TOOLTIP }, "Turn", input, shown);
  input.addEventListener("input", () => connection.turn(Number(input.value)), { signal });
  const update = () => {
    element.hidden = store.isStatic || !store.catalog?.can_turn || !(store.decoded || store.path);
    input.value = String(store.chosenAngle);
    shown.textContent = `${store.chosenAngle}°`;
  };
  store.on(["angle", "catalog", "decoded", "path"], update, signal);
  update();
  return element;
}
