// Decoded samples along a line over the map: a strip of pictures, or the features of a table that
// change the most.

import { drawRgb, h, section } from "../dom";
import type { Path, Store } from "../store";

const LITTLE_SUPPORT = 0.05; // below it, a picture is an extrapolation
const N_FEATURES = 6; // of a table

export function pathPanel(store: Store, signal: AbortSignal): HTMLElement {
  const content = h("div", { class: "es-strip" });
  const caption = h("p", { class: "es-caption" });
  const element = section("Along a path", true, content, caption);
  const update = () => {
    element.hidden = store.path === null;
    if (!store.path) return;
    const carried = store.path.head.style_name;
    caption.textContent = carried ? `${carried}, carried along the path.` : "Typical samples.";
    content.replaceChildren(...(store.path.head.w ? pictures(store.path) : changes(store.path)));
  };
  store.on(["path"], update, signal);
  update();
  return element;
}

function pictures({ head, rgb }: Path): HTMLElement[] {
  const size = head.w * head.h * 3;
  return head.support.map((support, i) => {
    const canvas = h("canvas", {
      class: support < LITTLE_SUPPORT ? "es-picture es-unsupported" : "es-picture",
      title: `Step ${i + 1} of ${head.n}, support ${Math.round(100 * support)} %`,
    });
    drawRgb(canvas, head.w, head.h, rgb.subarray(i * size, (i + 1) * size));
    return canvas;
  });
}

/** First and last value of the features with the largest relative change. */
function changes({ head, values }: Path): HTMLElement[] {
  const nFeatures = head.features.length;
  const rows = head.features.map((name, f) => {
    const column = Array.from({ length: head.n }, (_, i) => values[i * nFeatures + f]);
    const change = Math.max(...column) - Math.min(...column);
    const scale = Math.max(...column.map(Math.abs)) || 1;
    return { name, first: column[0], last: column[head.n - 1], change: change / scale };
  });
  rows.sort((a, b) => b.change - a.change);
  const cells = rows
    .slice(0, N_FEATURES)
    .map(({ name, first, last }) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        h("td", {}, `${first.toPrecision(3)} → ${last.toPrecision(3)}`),
      ),
    );
  return [h("table", { class: "es-values" }, ...cells)];
}
