// The style code that the decoder uses: that of a carried sample, or that of another real sample.

import type { Connection } from "../connection";
import { button, h } from "../dom";
import type { Store } from "../store";

export function carryControls(
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): HTMLElement {
  const toggle = () =>
    store.carried < 0 ? connection.carry(store.mask.indexOf(1)) : connection.stopCarrying();
  const small = { class: "es-button es-small" };
  const carry = button("Carry", "", toggle, signal, small);
  const another = button("Another", "", () => connection.decodeAnother(), signal, small);
  const clear = button("Clear", "Remove this sample", () => connection.clearDecoded(), signal, small);
  const carried = h("span", { role: "status" });
  const stop = button(
    "Release",
    "Decode typical samples again",
    () => connection.stopCarrying(),
    signal,
    small,
  );
  const line = h("div", { class: "es-row es-carried" }, carried, stop);
  const update = () => {
    const isOn = store.carried >= 0;
    carry.setAttribute("aria-pressed", String(isOn));
    const whyNot = isOn ? "" : whyNotCarried(store);
    carry.disabled = whyNot !== "";
    carry.title = isOn
      ? "Decode typical samples again"
      : whyNot || "Decode with the style code of the selected sample wherever you click or drag";
    another.disabled = !store.catalog?.can_carry || !store.decoded;
    another.title =
      whyNoCodes(store) ||
      (store.decoded
        ? "Decode this point with the style code of another real sample near it"
        : "Click the map first");
    carry.hidden = another.hidden = store.isStatic;
    clear.hidden = !store.decoded;
    line.hidden = !isOn;
    const name = nameOf(store, store.carried);
    carried.textContent = `Carrying ${name}: its style code is used everywhere.`;
  };
  store.on(
    ["carried", "selection", "catalog", "status", "positions", "decoded", "thumbnails"],
    update,
    signal,
  );
  update();
  return h("div", {}, h("div", { class: "es-row es-actions" }, carry, another, clear), line);
}

function whyNoCodes({ catalog, status }: Store): string {
  if (catalog?.can_carry) return "";
  return status?.is_running || status?.is_paused
    ? "Wait for the end of the training: then samples have style codes"
    : "Needs a trained map with style codes";
}

/** Empty if the selection can be carried. */
export function whyNotCarried(store: Store): string {
  const noCodes = whyNoCodes(store);
  if (noCodes) return noCodes;
  if (store.nSelected !== 1) return "Select exactly one sample to carry it over the map";
  const [x] = store.placeOf(store.mask.indexOf(1));
  return Number.isFinite(x) ? "" : "The selected sample has no position on the map";
}

function nameOf(store: Store, row: number): string {
  return store.thumbnails.get(row)?.name ?? `sample ${row}`;
}
