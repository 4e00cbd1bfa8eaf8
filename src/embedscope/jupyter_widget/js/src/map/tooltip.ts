// The small card beside the pointer: who the sample is and its picture, or what is decoded there.

import { drawRgb, h } from "../dom";
import type { Point } from "../geometry";
import type { Store } from "../store";

const OFFSET_PX = 14;

export class Tooltip {
  private readonly picture = h("canvas", { class: "es-picture" });
  private readonly name = h("span");
  readonly element = h("div", { class: "es-tooltip", hidden: true }, this.picture, this.name);
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

  /** Towards the middle of the panel, where there is room. */
  private place(at: Point, within: { width: number; height: number }): void {
    this.fill();
    const along = (v: number, length: number) =>
      v > length / 2 ? `calc(${v - OFFSET_PX}px - 100%)` : `${v + OFFSET_PX}px`;
    const [x, y] = [along(at[0], within.width), along(at[1], within.height)];
    this.element.style.transform = `translate(${x}, ${y})`;
  }

  /** Again when a picture arrived. */
  fill(): void {
    if (this.shown === null) return;
    if (this.shown === "decoded") this.fillDecoded();
    else this.fillSample(this.shown);
  }

  private fillSample(row: number): void {
    const thumbnail = this.store.thumbnails.get(row);
    this.draw(
      thumbnail?.name ?? `Sample ${row}`,
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
    this.draw(`Support ${Math.round(100 * support)} %`, w, height, decoded.rgb);
  }

  private draw(text: string, width = 0, height = 0, rgb: Uint8Array = new Uint8Array(0)): void {
    this.element.hidden = false;
    this.name.textContent = text;
    this.picture.hidden = width === 0;
    if (width) drawRgb(this.picture, width, height, rgb);
  }
}
