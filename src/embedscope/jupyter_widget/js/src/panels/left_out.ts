// The note below the buttons: what is not among the samples; all of it is in the tooltip.

import { h } from "../dom";
import type { Store } from "../store";

export function leftOutNote(store: Store, signal: AbortSignal): HTMLElement {
  const element = h("p", { class: "es-caption es-left-out", role: "status" });
  const update = () => {
    const { left_out, left_out_lines } = store.catalog ?? {};
    element.hidden = !left_out;
    element.textContent = left_out ?? "";
    element.title = left_out_lines?.join("\n") ?? "";
  };
  store.on(["catalog"], update, signal);
  update();
  return element;
}
