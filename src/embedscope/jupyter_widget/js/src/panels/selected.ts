// Pictures of some selected samples, evenly chosen; each shows its sample on the map and the image.

import type { Connection } from "../connection";
import { drawRgb, grouped, h, section } from "../dom";
import type { Store } from "../store";

const MOST_SHOWN = 24;

export function selectedPanel(
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): HTMLElement {
  const pictures = h("div", { class: "es-gallery" });
  const caption = h("p", { class: "es-caption" });
  const element = section("Selected samples", true, pictures, caption);
  let rows: number[] = [];
  const choose = () => {
    const isShown = Boolean(store.catalog?.has_thumbnails) && store.nSelected > 0;
    element.hidden = !isShown;
    rows = isShown ? someOf(store.mask, store.nSelected, MOST_SHOWN) : [];
    connection.wantThumbnails(rows);
    const all = store.nSelected <= MOST_SHOWN;
    const count = all ? "" : `${MOST_SHOWN} of ${grouped(store.nSelected)}. `;
    const depth = store.catalog?.depth;
    caption.textContent = count + (depth ? `Pictures: ${depth}.` : "");
    pictures.replaceChildren(...rows.map((row) => card(store, connection, row)));
  };
  const fill = () => rows.forEach((row, i) => fillCard(pictures.children[i], store, row));
  store.on(["selection", "catalog"], choose, signal);
  store.on(["thumbnails"], fill, signal);
  choose();
  return element;
}

/** At most `most` rows of a mask, evenly chosen. */
export function someOf(mask: Uint8Array, nSelected: number, most: number): number[] {
  const step = Math.max(1, nSelected / most);
  const rows: number[] = [];
  let seen = 0;
  for (let row = 0; row < mask.length && rows.length < most; row++) {
    if (mask[row] && seen++ >= Math.floor(rows.length * step)) rows.push(row);
  }
  return rows;
}

function card(store: Store, connection: Connection, row: number): HTMLElement {
  const canvas = h("canvas", { class: "es-picture" });
  const element = h("button", { type: "button", class: "es-card" }, canvas);
  const point = () => connection.hover(row, "");
  const leave = () => connection.hover(-1, "");
  element.onpointerenter = element.onfocus = point;
  element.onpointerleave = element.onblur = leave;
  element.onclick = () => connection.wantPlace(row);
  fillCard(element, store, row);
  return element;
}

function fillCard(element: Element, store: Store, row: number): void {
  const thumbnail = store.thumbnails.get(row);
  const name = thumbnail?.name ?? `Sample ${row}`;
  element.setAttribute("aria-label", `Show ${name} in its image`);
  element.setAttribute("title", name);
  const canvas = element.firstElementChild as HTMLCanvasElement;
  if (!thumbnail?.width || canvas.dataset.row === String(row)) return;
  canvas.dataset.row = String(row);
  drawRgb(canvas, thumbnail.width, thumbnail.height, thumbnail.rgb);
}
