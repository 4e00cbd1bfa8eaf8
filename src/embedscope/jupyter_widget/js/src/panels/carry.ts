// Whose style code the decoder draws with: one sample's, carried over the map, or that of another.

import type { Connection } from "../connection";
import { button, h } from "../dom";
import type { Store } from "../store";

export function carryControls(
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): HTMLElement {
  const toggle = () =>
    store.carried < 0 ? connection.carry(store.mask.indexOf(1)) : connection.letGo();
  const small = { class: "es-button es-small" };
  const carry = button("Carry", "", toggle, signal, small);
  const another = button("Another", "", () => connection.decodeAnother(), signal, small);
  const clear = button("Clear", "Put this sample away", () => connection.clearDecoded(), signal, small);
  const whose = h("span", { role: "status" });
  const letGo = button(
    "Let go",
    "Draw typical samples again",
    () => connection.letGo(),
    signal,
    small,
  );
  const line = h("div", { class: "es-row es-carried" }, whose, letGo);
  const update = () => {
    const isOn = store.carried >= 0;
    carry.setAttribute("aria-pressed", String(isOn));
    const whyNot = isOn ? "" : whyNotCarried(store);
    carry.disabled = whyNot !== "";
    carry.title = isOn
      ? "Draw typical samples again"
      : whyNot || "Draw the selected sample wherever you click or drag on the map";
    another.disabled = !store.catalog?.can_carry || !store.decoded;
    another.title =
      whyNoCodes(store) ||
      (store.decoded
        ? "Draw this place with the code of another real sample near it"
        : "Click the map first");
    carry.hidden = another.hidden = store.isStatic;
    clear.hidden = !store.decoded;
    line.hidden = !isOn;
    whose.textContent = `Carrying ${nameOf(store, store.carried)}: its code draws at every place.`;
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
  return Number.isFinite(x) ? "" : "The selected sample has no place on the map";
}

function nameOf(store: Store, row: number): string {
  return store.thumbnails.get(row)?.name ?? `sample ${row}`;
}
