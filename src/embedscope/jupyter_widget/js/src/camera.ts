// The part of a plane that a panel shows: a centre and a scale. Map coordinates grow upwards, image
// coordinates downwards.

import type { Box, Point } from "./geometry";

const LARGEST_ZOOM = 400;

/** Where a camera points, independent of the size of its panel. */
export interface Aim {
  x: number;
  y: number;
  magnification: number;
}

export class Camera {
  x = 0.5;
  y = 0.5;
  scale = 1; // screen pixels per unit
  width = 1;
  height = 1;
  private fitted = 1;

  /** `margin` is the share of the panel that `fit` leaves free on each side. */
  constructor(
    private readonly up: 1 | -1,
    private readonly margin: number,
  ) {}

  resize(width: number, height: number): void {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
  }

  fit(box: Box): void {
    const [w, h] = [box.x1 - box.x0 || 1, box.y1 - box.y0 || 1];
    this.x = (box.x0 + box.x1) / 2;
    this.y = (box.y0 + box.y1) / 2;
    this.scale = Math.min(this.width / w, this.height / h) * (1 - 2 * this.margin);
    this.fitted = this.scale;
  }

  toScreen(x: number, y: number): Point {
    return [
      this.width / 2 + (x - this.x) * this.scale,
      this.height / 2 - this.up * (y - this.y) * this.scale,
    ];
  }

  toWorld(sx: number, sy: number): Point {
    return [
      this.x + (sx - this.width / 2) / this.scale,
      this.y - (this.up * (sy - this.height / 2)) / this.scale,
    ];
  }

  pan(dx: number, dy: number): void {
    this.x -= dx / this.scale;
    this.y += (this.up * dy) / this.scale;
  }

  /** Zooms; the point under the pointer stays where it is. */
  zoom(factor: number, sx = this.width / 2, sy = this.height / 2): void {
    const [x, y] = this.toWorld(sx, sy);
    const wanted = this.scale * factor;
    this.scale = Math.min(this.fitted * LARGEST_ZOOM, Math.max(this.fitted / 8, wanted));
    const [after, afterY] = this.toWorld(sx, sy);
    this.x += x - after;
    this.y += y - afterY;
  }

  /** The zoom relative to the fitted view. */
  get magnification(): number {
    return this.scale / this.fitted;
  }

  get aim(): Aim {
    return { x: this.x, y: this.y, magnification: this.magnification };
  }

  set aim({ x, y, magnification }: Aim) {
    [this.x, this.y, this.scale] = [x, y, this.fitted * magnification];
  }

  get visible(): Box {
    const [xa, ya] = this.toWorld(0, 0);
    const [xb, yb] = this.toWorld(this.width, this.height);
    return {
      x0: Math.min(xa, xb),
      y0: Math.min(ya, yb),
      x1: Math.max(xa, xb),
      y1: Math.max(ya, yb),
    };
  }
}
