// The card beside the pointer: picture, name and feature values of a sample, or the decoded
// picture.

import { drawRgb, h } from "../dom";
import type { Point } from "../geometry";
import type { Store, Thumbnail } from "../store";

const OFFSET_PX = 14; // from the pointer
const MOST_LINES = 3; // as in the napari dock

export class Tooltip {
  private readonly picture = h("canvas", { class: "es-picture" });
  private readonly name = h("span");
  private readonly values = h("span", { class: "es-tooltip-values" });
  readonly element = h(
    "div",
    { class: "es-tooltip", hidden: true },
    this.picture,
    this.name,
    this.values,
  );
  private shown: number | "decoded" | null = null;

  constructor(private readonly store: Store) {}

  show(row: number, at: Point, within: { width: number; height: number }): void {
    this.shown = row;
    this.place(at, within);
  }

  showDecoded(at: Point, within: { width: number; height: number }): void {
    this.shown = "decoded";
    this.place(at, within);
  }

  hide(): void {
    this.shown = null;
    this.element.hidden = true;
  }

  /** On the side of the pointer towards the middle of the panel. */
  private place(at: Point, within: { width: number; height: number }): void {
    this.fill();
    const along = (v: number, length: number) =>
      v > length / 2 ? `calc(${v - OFFSET_PX}px - 100%)` : `${v + OFFSET_PX}px`;
    const [x, y] = [along(at[0], within.width), along(at[1], within.height)];
    this.element.style.transform = `translate(${x}, ${y})`;
  }

  /** Called again when a picture arrives or the colouring changes. */
  fill(): void {
    if (this.shown === null) return;
    if (this.shown === "decoded") this.fillDecoded();
    else this.fillSample(this.shown);
  }

  private fillSample(row: number): void {
    const thumbnail = this.store.thumbnails.get(row);
    const lines = linesOf(thumbnail?.values ?? [], this.store.colorFeature);
    this.draw(
      thumbnail?.name ?? `Sample ${row}`,
      [...lines, ...depthOf(this.store)],
      thumbnail?.width,
      thumbnail?.height,
      thumbnail?.rgb,
    );
  }

  private fillDecoded(): void {
    const { decoded } = this.store;
    this.element.hidden = decoded === null;
    if (!decoded) return;
    const { w, h: height, support } = decoded.head;
    const lines = depthOf(this.store);
    this.draw(`Support ${Math.round(100 * support)} %`, lines, w, height, decoded.rgb);
  }

  private draw(
    text: string,
    lines: string[],
    width = 0,
    height = 0,
    rgb: Uint8Array = new Uint8Array(0),
  ): void {
    this.element.hidden = false;
    this.name.textContent = text;
    this.values.textContent = lines.join("\n");
    this.values.hidden = lines.length === 0;
    this.picture.hidden = width === 0;
    if (width) drawRgb(this.picture, width, height, rgb);
  }
}

/** A line that says how the picture of a volume was made; none for flat images. */
function depthOf({ catalog }: Store): string[] {
  return catalog?.depth ? [`picture: ${catalog.depth}`] : [];
}

/** Values of features as lines of the hover text; the feature that colours the map comes first. */
export function linesOf(values: Thumbnail["values"], colorFeature: string): string[] {
  const isFirst = ([name]: [string, string]) => name === colorFeature;
  const ordered = [...values.filter(isFirst), ...values.filter((value) => !isFirst(value))];
  return ordered.slice(0, MOST_LINES).map(([name, value]) => `${name}: ${value}`);
}
