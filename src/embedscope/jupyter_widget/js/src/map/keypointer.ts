// Moves from sample to sample by the keyboard: shows the hover text, and writes the name for screen
// readers.

import type { Camera } from "../camera";
import type { Connection } from "../connection";
import { h } from "../dom";
import type { Point } from "../geometry";
import type { Store } from "../store";
import type { Tooltip } from "./tooltip";

export interface Walk {
  readonly panel: "map" | "image";
  /** NaN for a sample that is not on the panel. */
  placeOf(row: number): Point;
  /** The next sample in a direction, upwards positive, or -1. */
  next(from: Point, direction: Point): number;
  onCamera(): void;
}

export class KeyPointer {
  readonly element = h("div", { class: "es-heard", role: "status" });
  private isUsed = false;

  constructor(
    private readonly store: Store,
    private readonly connection: Connection,
    private readonly camera: Camera,
    private readonly tooltip: Tooltip,
    private readonly walk: Walk,
    signal: AbortSignal,
  ) {
    store.on(["thumbnails", "selection"], () => this.announce(), signal);
  }

  /** The mouse is used now. */
  rest(): void {
    this.isUsed = false;
  }

  /** From the hovered sample, or else from the middle of the panel. */
  step(direction: Point): void {
    const { store, camera, walk } = this;
    const before = walk.placeOf(store.hover);
    const from: Point = Number.isFinite(before[0]) ? before : [camera.x, camera.y];
    const row = walk.next(from, direction);
    if (row < 0) return;
    const [x, y] = walk.placeOf(row);
    const { x0, y0, x1, y1 } = camera.visible;
    if (x < x0 || x > x1 || y < y0 || y > y1) {
      [camera.x, camera.y] = [x, y];
      walk.onCamera();
    }
    this.isUsed = true;
    this.connection.hover(row, walk.panel);
    this.tooltip.show(row, camera.toScreen(x, y), camera);
    this.announce();
  }

  private announce(): void {
    const { hover, thumbnails, mask } = this.store;
    if (!this.isUsed || hover < 0) return;
    const name = thumbnails.get(hover)?.name ?? `Sample ${hover}`;
    this.element.textContent = mask[hover] ? `${name}, selected` : name;
  }
}
