// What drives the position of the selected samples: a ranking of features, or a saliency picture.

import type { Connection } from "../connection";
import { button, drawRgb, h } from "../dom";
import type { Store } from "../store";

export function whyPanel(store: Store, connection: Connection, signal: AbortSignal): HTMLElement {
  const ask = button(
    "What drives their position?",
    "For the selected samples: the features or pixels that move them on the map",
    () => connection.wantExplanation(),
    signal,
  );
  const title = h("p", { class: "es-caption" });
  const picture = h("canvas", { class: "es-picture es-decoded" });
  const bars = h("div", { class: "es-ranking" });
  const update = () => {
    const { explained } = store;
    ask.hidden = store.isStatic;
    ask.disabled = store.nSelected === 0 || !store.catalog?.can_explain;
    title.textContent = explained?.head.title ?? whatIsMissing(store);
    picture.hidden = !explained?.head.w;
    const { head, saliency } = explained ?? {};
    if (head?.w && saliency) drawRgb(picture, head.w, head.h, heat(saliency));
    bars.replaceChildren(...(head?.ranking ?? []).map((item) => bar(item.feature, item.share)));
  };
  store.on(["explained", "selection", "catalog"], update, signal);
  update();
  return h("div", {}, ask, title, picture, bars);
}

function whatIsMissing(store: Store): string {
  if (!store.catalog?.can_explain) return "Needs a trained map.";
  return store.nSelected ? "" : "Select samples first.";
}

function bar(feature: string, share: number): HTMLElement {
  const fill = h("i");
  fill.style.width = `${100 * share}%`;
  const track = h("span", { class: "es-ranking-bar" }, fill);
  return h(
    "div",
    { class: "es-row" },
    h("span", { title: feature }, feature),
    track,
    h("span", { class: "es-number" }, `${Math.round(100 * share)} %`),
  );
}

/** Black, red, yellow, white: readable on both themes. */
function heat(levels: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(levels.length * 3);
  levels.forEach((v, i) => {
    rgb.set(
      [Math.min(255, v * 3), Math.max(0, Math.min(255, v * 3 - 255)), Math.max(0, v * 3 - 510)],
      3 * i,
    );
  });
  return rgb;
}
