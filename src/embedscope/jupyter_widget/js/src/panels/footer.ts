// The lines around the map: the count of selected samples, the slider of snapshots, and notices.

import type { Connection } from "../connection";
import { button, grouped, h } from "../dom";
import type { Notice, Store } from "../store";

export function selectionLine(
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): HTMLElement {
  const text = h("span", { role: "status" });
  const said = h("span", { role: "status", class: "es-said" });
  const clear = button(
    "Clear",
    "Select nothing (Escape)",
    () => connection.select(new Uint8Array(store.n), "replace", "map"),
    signal,
  );
  const invert = button(
    "Invert",
    "Select what is not selected",
    () => connection.select(new Uint8Array(store.n).fill(1), "invert", "map"),
    signal,
  );
  const update = () => {
    const share = store.n ? ` (${((100 * store.nSelected) / store.n).toFixed(1)} %)` : "";
    text.textContent = `${grouped(store.nSelected)} of ${grouped(store.n)} selected${share}`;
    clear.disabled = store.nSelected === 0;
    invert.disabled = store.n === 0;
    // Shown by `text`, or by the header, already.
    const isThere =
      store.said.endsWith("samples selected") || store.said === store.status?.message;
    said.textContent = said.title = isThere ? "" : store.said;
  };
  store.on(["selection", "positions", "said", "status"], update, signal);
  update();
  return h("div", { class: "es-row es-selected" }, text, said, clear, invert);
}

export function replaySlider(
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): HTMLElement {
  const input = h("input", { type: "range", min: 0, step: 1, "aria-label": "Epoch of the map" });
  const shown = h("output");
  const element = h(
    "label",
    { class: "es-row es-replay", title: "How the map formed" },
    "Formation",
    input,
    shown,
  );
  const update = () => {
    const epochs = store.catalog?.epochs ?? [];
    element.hidden = epochs.length < 2 || Boolean(store.status?.is_running);
    input.max = String(epochs.length);
    // Answers to earlier moves of the slider do not move it back.
    const chosen = store.requestedSnapshot?.index ?? store.snapshot;
    input.value = String(chosen < 0 ? epochs.length : chosen);
    shown.textContent = store.snapshot < 0 ? "now" : `epoch ${store.epoch}`;
  };
  input.addEventListener(
    "input",
    () => {
      const index = Number(input.value);
      connection.wantReplay(index >= Number(input.max) ? -1 : index);
    },
    { signal },
  );
  store.on(["catalog", "status", "positions", "refused"], update, signal);
  update();
  return element;
}

/** One line with an error and its remedy; the traceback of a training error is under "Details". */
export function noticeLine(store: Store, signal: AbortSignal): HTMLElement {
  const text = h("strong");
  const hint = h("span");
  const detail = h("pre");
  const more = h("details", {}, h("summary", {}, "Details"), detail);
  const close = button("Dismiss", "Hide this message", () => store.setNotice(null), signal);
  const element = h(
    "div",
    { class: "es-notice", role: "alert" },
    h("div", {}, text, " ", hint, more),
    close,
  );
  const update = () => {
    const { status, notice } = store;
    const failure = status?.error ? { text: status.error, hint: status.hint } : null;
    const shown: Notice | null = notice ?? failure;
    element.hidden = shown === null;
    text.textContent = shown?.text ?? "";
    hint.textContent = shown?.hint ?? "";
    detail.textContent = status?.detail ?? "";
    more.hidden = notice !== null || !status?.detail;
    close.hidden = notice === null;
  };
  store.on(["notice", "status"], update, signal);
  update();
  return element;
}
