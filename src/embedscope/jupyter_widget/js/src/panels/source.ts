// The note below the map: how well neighbours tell the source of a sample, and what helps.

import type { Connection } from "../connection";
import { button, h } from "../dom";
import type { Store } from "../store";

const TOOLTIP =
  "Of the 15 nearest neighbours of a sample on the map, those of its own source. Much more than by " +
  "chance: the map shows staining, exposure or focus instead of the samples.";

export function sourceNote(store: Store, connection: Connection, signal: AbortSignal): HTMLElement {
  const text = h("p", { class: "es-caption", title: TOOLTIP, role: "status" });
  const learn = button(
    "Use learned",
    "Set What is alike to learned; then press Train",
    () => connection.setParameters({ alike: "learned" }),
    signal,
    { class: "es-button es-small" },
  );
  const element = h("div", { class: "es-row es-source" }, text, learn);
  const update = () => {
    const { catalog, parameters } = store;
    element.hidden = !catalog?.source_note;
    text.textContent = catalog?.source_note ?? "";
    text.classList.toggle("es-warning", Boolean(catalog?.is_source_told));
    const isSet = parameters.alike === "learned";
    learn.hidden = store.isStatic || !catalog?.may_learn;
    learn.disabled = isSet;
    learn.title = isSet ? "Set: press Train" : "Set What is alike to learned; then press Train";
  };
  store.on(["catalog", "parameters"], update, signal);
  update();
  return element;
}
