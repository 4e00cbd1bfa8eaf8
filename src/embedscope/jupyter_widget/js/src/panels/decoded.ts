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
    const { rows, names } = store.decoded?.head ?? { rows: [], names: [] };
    while (nearest.children.length > rows.length) nearest.lastElementChild?.remove();
    rows.forEach((row, i) => {
      const figure = nearest.children[i] ?? nearest.appendChild(h("figure"));
      fillFigure(figure, store, row, names[i] ?? "");
    });
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

/** A picture that is there already is left alone: while the decoder is dragged, most are. */
function fillFigure(figure: Element, store: Store, row: number, name: string): void {
  const thumbnail = store.thumbnails.get(row);
  const isDrawn = Boolean(thumbnail?.width);
  const shown = `${row} ${isDrawn}`;
  if (figure.getAttribute("data-shown") === shown) return;
  figure.setAttribute("data-shown", shown);
  figure.setAttribute("title", name);
  if (!thumbnail || !isDrawn) {
    figure.replaceChildren(h("figcaption", {}, name));
    return;
  }
  const there = figure.querySelector("canvas");
  const canvas = there ?? h("canvas", { class: "es-picture" });
  drawRgb(canvas, thumbnail.width, thumbnail.height, thumbnail.rgb);
  if (!there) figure.replaceChildren(canvas);
}
