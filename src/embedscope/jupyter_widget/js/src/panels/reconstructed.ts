// The selected samples beside their reconstructions: from their own style codes, and the typical
// samples at their positions.

import type { Connection } from "../connection";
import { button, drawRgb, grouped, h, section } from "../dom";
import type { ReconstructionItem } from "../messages";
import type { Reconstructions, Store } from "../store";

const MOST_SAMPLES = 8;
const MOST_FEATURES = 4; // of a table, those that differ the most
const COLUMNS: readonly [string, string][] = [
  ["Original", "The real sample"],
  ["Own code", "Decoded from its position and its own style code"],
  ["Typical", "The typical sample at its position"],
  ["Difference", "Own code minus original: orange is brighter than the original, blue darker"],
];
const HELD_OUT = "The decoder was not trained on this sample";

export function reconstructedPanel(
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): HTMLElement {
  const small = { class: "es-button es-small" };
  const draw = button("Reconstruct", "", () => connection.reconstruct(MOST_SAMPLES), signal, small);
  const clear = button(
    "Clear",
    "Remove these samples",
    () => connection.clearReconstructed(),
    signal,
    small,
  );
  const note = h("p", { class: "es-caption" });
  const content = h("div", { class: "es-reconstructed" });
  const legend = h(
    "p",
    { class: "es-caption" },
    "Error: 0 % is exact, 100 % no better than the mean sample. Difference: orange is brighter " +
      "than the original, blue darker; full colour from a quarter of the range on.",
  );
  const element = section("From their own codes", true);
  element.append(h("div", { class: "es-row" }, draw, clear, note), content, legend);
  const updateButtons = () => {
    const { nSelected, reconstructed, catalog, isStatic } = store;
    element.hidden = !reconstructed && (isStatic || !catalog?.can_reconstruct);
    draw.hidden = isStatic;
    draw.disabled = nSelected === 0 || !catalog?.can_reconstruct;
    draw.title = draw.disabled
      ? "Select samples first, on a trained map"
      : "Reconstruct the selected samples from their own style codes, beside the originals";
    clear.hidden = isStatic || !reconstructed;
    note.textContent =
      nSelected > MOST_SAMPLES ? `${MOST_SAMPLES} of the ${grouped(nSelected)} selected, evenly.` : "";
  };
  const update = () => {
    const { reconstructed } = store;
    legend.hidden = !reconstructed?.head.w;
    content.replaceChildren(...(reconstructed ? [tableOf(reconstructed, connection)] : []));
    updateButtons();
  };
  store.on(["selection", "catalog"], updateButtons, signal);
  store.on(["reconstructed"], update, signal);
  update();
  return element;
}

function tableOf(shown: Reconstructions, connection: Connection): HTMLElement {
  const { items, w } = shown.head;
  const titles = w ? COLUMNS : COLUMNS.slice(0, 2);
  const before = w ? [] : [h("th", { scope: "col" }, "Feature")];
  const heads = titles.map(([label, title]) => h("th", { scope: "col", title }, label));
  const rows = items.flatMap((item, i) => {
    const made = w ? [pictureRow(shown, item, i)] : valueRows(shown, item, i);
    for (const row of made) {
      row.onpointerenter = () => item.row >= 0 && connection.hover(item.row, "");
      row.onpointerleave = () => connection.hover(-1, "");
    }
    return made;
  });
  const head = h("thead", {}, h("tr", {}, ...before, ...heads, h("th", { scope: "col" }, "Sample")));
  return h("table", { class: w ? "es-values" : "es-values es-of-table" }, head, h("tbody", {}, ...rows));
}

function pictureRow({ head, rgb }: Reconstructions, item: ReconstructionItem, i: number) {
  const { w } = head;
  const size = w * head.h * 3;
  const cells = COLUMNS.map(([label, title], k) => {
    const what = `${label} of ${item.name}`;
    const canvas = h("canvas", { class: "es-picture", role: "img", "aria-label": what, title });
    const at = (COLUMNS.length * i + k) * size;
    drawRgb(canvas, w, head.h, rgb.subarray(at, at + size));
    return h("td", {}, canvas);
  });
  return h("tr", {}, ...cells, whatOf(item));
}

/** The features with the largest relative error. */
function valueRows({ head, values }: Reconstructions, item: ReconstructionItem, i: number) {
  const n = head.features.length;
  const features = head.features.map((name, f) => {
    const [real, drawn] = [values[2 * i * n + f], values[(2 * i + 1) * n + f]];
    const scale = Math.max(Math.abs(real), Math.abs(drawn)) || 1;
    return { name, real, drawn, miss: Math.abs(real - drawn) / scale };
  });
  features.sort((a, b) => b.miss - a.miss);
  return features.slice(0, MOST_FEATURES).map(({ name, real, drawn }, k) => {
    const cells = [real, drawn].map((value) => h("td", {}, value.toPrecision(4)));
    return h("tr", {}, h("th", { scope: "row" }, name), ...cells, k === 0 ? whatOf(item) : h("td"));
  });
}

function whatOf(item: ReconstructionItem): HTMLElement {
  const percent = (share: number | null) =>
    share === null ? "infinite" : `${Math.round(100 * share)} %`;
  return h(
    "td",
    { class: "es-what-of" },
    h("strong", {}, item.name),
    h("span", {}, `error ${percent(item.error)}, typical ${percent(item.typical_error)}`),
    h("span", item.is_held_out ? { class: "es-held-out", title: HELD_OUT } : {}, seenOf(item)),
  );
}

/** Whether the decoder was trained on a sample. */
export function seenOf({ is_held_out }: ReconstructionItem): string {
  if (is_held_out === null) return "added after training";
  return is_held_out ? "held out of training" : "trained on";
}
