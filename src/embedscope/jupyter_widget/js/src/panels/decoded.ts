// The decoded sample with its nearest real ones, and how far the data support it.

import type { Connection } from "../connection";
import { button, drawRgb, h } from "../dom";
import type { Store } from "../store";

const LITTLE_SUPPORT = 0.05;

export function decodedPanel(
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): HTMLElement {
  const picture = h("canvas", { class: "es-picture es-decoded" });
  const values = h("table", { class: "es-values" });
  const caption = h("p", { class: "es-caption", role: "status" });
  const nearest = h("div", { class: "es-nearest" });
  const clear = button("Clear", "Put this sample away", () => connection.clearDecoded(), signal, {
    class: "es-button es-small",
  });
  const update = () => {
    const { decoded } = store;
    picture.hidden = !decoded?.head.w;
    clear.hidden = !decoded;
    caption.textContent = decoded
      ? captionOf(store)
      : "Click the map to see what a sample there looks like.";
    caption.classList.toggle(
      "es-warning",
      Boolean(decoded && decoded.head.support < LITTLE_SUPPORT),
    );
    if (decoded?.head.w) drawRgb(picture, decoded.head.w, decoded.head.h, decoded.rgb);
    values.replaceChildren(
      ...(decoded?.head.values ?? []).map(([name, v]) =>
        h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, v.toPrecision(4))),
      ),
    );
    connection.wantThumbnails(decoded?.head.rows ?? []);
    showNearest();
  };
  const showNearest = () => {
    const head = store.decoded?.head;
    nearest.replaceChildren(
      ...(head?.rows ?? []).map((row, i) => card(store, row, head?.names[i] ?? "")),
    );
  };
  store.on(["decoded"], update, signal);
  store.on(["thumbnails"], showNearest, signal);
  update();
  return h(
    "div",
    { class: "es-decoded-panel" },
    h("div", { class: "es-decoded-row" }, picture, nearest),
    values,
    h("div", { class: "es-row" }, caption, clear),
  );
}

function captionOf(store: Store): string {
  const head = store.decoded?.head;
  if (!head) return "";
  const support = `Support ${Math.round(100 * head.support)} %`;
  if (!head.decoded) return `${support}. There is no decoder: this is the nearest real sample.`;
  if (head.support < LITTLE_SUPPORT)
    return `${support}: far from all samples, so this is an extrapolation.`;
  return store.decoded?.isAtlas
    ? `${support}. From the atlas.`
    : `${support}. Decoded, and its nearest real samples.`;
}

function card(store: Store, row: number, name: string): HTMLElement {
  const thumbnail = store.thumbnails.get(row);
  const figure = h("figure", { title: name });
  if (thumbnail?.width) {
    const canvas = h("canvas", { class: "es-picture" });
    drawRgb(canvas, thumbnail.width, thumbnail.height, thumbnail.rgb);
    figure.append(canvas);
  } else {
    figure.append(h("figcaption", {}, name));
  }
  return figure;
}
