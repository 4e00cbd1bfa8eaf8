// The decoded sample at a point of the map: its picture and uncertainty, the style code that was
// used, and the nearest real samples.

import type { Connection } from "../connection";
import { drawRgb, h } from "../dom";
import type { Decoded } from "../messages";
import type { Store } from "../store";
import { carryControls } from "./carry";
import { turnSlider } from "./turn";

const LITTLE_SUPPORT = 0.05; // below it, the decoded sample is called an extrapolation

export function decodedPanel(
  store: Store,
  connection: Connection,
  signal: AbortSignal,
): HTMLElement {
  const picture = figureOf("es-decoded", "The decoded sample");
  const spread = figureOf("es-spread", "Uncertainty: brighter is less certain");
  const what = h("p", { class: "es-what", role: "status" });
  const values = h("table", { class: "es-values" });
  const caption = h("p", { class: "es-caption" });
  const nearestTitle = h("h4", {}, "Nearest real samples");
  const nearest = h("div", { class: "es-nearest" });
  const update = () => {
    const { decoded } = store;
    const head = decoded?.head;
    what.hidden = !head;
    what.textContent = head ? describeStyle(head) : "";
    caption.textContent = head
      ? describeSupport(head, decoded?.isAtlas ?? false, store.catalog?.depth)
      : "Click the map to see what a sample there looks like.";
    caption.classList.toggle("es-warning", Boolean(head && head.support < LITTLE_SUPPORT));
    show(picture, head, decoded?.rgb);
    show(spread, head, decoded?.spread);
    values.replaceChildren(...(head ? valueRows(head) : []));
    connection.wantThumbnails(head?.rows ?? []);
    showNearest();
  };
  const showNearest = () => {
    const { rows, names } = store.decoded?.head ?? { rows: [], names: [] };
    nearestTitle.hidden = rows.length === 0;
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
    what,
    h("div", { class: "es-decoded-row" }, picture, spread),
    values,
    caption,
    turnSlider(store, connection, signal),
    nearestTitle,
    nearest,
    carryControls(store, connection, signal),
  );
}

function figureOf(name: string, title: string): HTMLElement {
  const canvas = h("canvas", { class: `es-picture ${name}`, role: "img", "aria-label": title, title });
  const label = name === "es-spread" ? "Uncertainty: brighter = less certain" : "";
  return h("figure", { class: "es-drawing" }, canvas, label && h("figcaption", {}, label));
}

/** Hidden if there is no such picture. */
function show(figure: HTMLElement, head: Decoded | undefined, rgb: Uint8Array | undefined): void {
  figure.hidden = !head?.w || !rgb?.length;
  const canvas = figure.querySelector("canvas");
  if (!figure.hidden && canvas && head && rgb) drawRgb(canvas, head.w, head.h, rgb);
}

/** The style code that was used, in words. */
export function describeStyle({ decoded, style, style_name }: Decoded): string {
  if (!decoded) return "No decoder: the nearest real sample";
  if (style === "own") return `This sample, from its own code (${style_name})`;
  if (style === "carried") return `Carried here from ${style_name}`;
  if (style === "random") return `Another: code of ${style_name}`;
  return "Typical sample here";
}

/** `depth` says what a picture of a volume shows. */
export function describeSupport(head: Decoded, isAtlas: boolean, depth = ""): string {
  const support = `Support ${Math.round(100 * head.support)} %`;
  const picture = depth ? ` Picture: ${depth}.` : "";
  if (head.support < LITTLE_SUPPORT)
    return `${support}: far from all samples, so this is an extrapolation.${picture}`;
  return `${support}.${isAtlas ? " From the atlas." : ""}${picture}`;
}

/** Each value of a table, with the deviation of unseen samples from it. */
function valueRows({ values, deviations }: Decoded): HTMLElement[] {
  return values.map(([name, value], i) => {
    const spread = i < deviations.length ? ` ± ${deviations[i].toPrecision(2)}` : "";
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      h("td", {}, `${value.toPrecision(4)}${spread}`),
    );
  });
}

/** A picture that is shown already is not drawn again: most stay while the decoder is dragged. */
function fillFigure(figure: Element, store: Store, row: number, name: string): void {
  const thumbnail = store.thumbnails.get(row);
  const isDrawn = Boolean(thumbnail?.width);
  const shown = `${row} ${isDrawn}`;
  if (figure.getAttribute("data-shown") === shown) return;
  figure.setAttribute("data-shown", shown);
  figure.setAttribute("title", `Real sample: ${name}`);
  if (!thumbnail || !isDrawn) {
    figure.replaceChildren(h("figcaption", {}, name));
    return;
  }
  const there = figure.querySelector("canvas");
  const canvas = there ?? h("canvas", { class: "es-picture" });
  drawRgb(canvas, thumbnail.width, thumbnail.height, thumbnail.rgb);
  if (!there) figure.replaceChildren(canvas);
}
