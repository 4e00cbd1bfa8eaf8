// Finds objects in an image plane by its label picture.

import { type Point, type Polygon, boundsOf, isInside } from "../geometry";
import { PointGrid } from "../grid";
import type { ImagePicture } from "../store";

const STEP_PX = 5; // least step by the keyboard
const AROUND_PX = 60;
const N_AROUND = 32; // objects near the pointer whose pictures are requested in advance

/** Row of the object at a point in pixels of the full resolution, -1 for none. */
export function rowAt(picture: ImagePicture, x: number, y: number): number {
  const { head, rows } = picture;
  const [column, line] = toPixels(picture, [x, y]).map(Math.floor);
  if (column < 0 || line < 0 || column >= head.w || line >= head.h) return -1;
  return rows[line * head.w + column] - 1;
}

/** Rows of all objects with a pixel inside a polygon in pixels of the full resolution. */
export function rowsIn(picture: ImagePicture, outline: Polygon): Set<number> {
  const { head, rows } = picture;
  const polygon = outline.map((corner) => toPixels(picture, corner));
  const found = new Set<number>();
  const box = boundsOf(polygon);
  for (let y = Math.max(0, Math.floor(box.y0)); y < Math.min(head.h, box.y1); y++) {
    for (let x = Math.max(0, Math.floor(box.x0)); x < Math.min(head.w, box.x1); x++) {
      const row = rows[y * head.w + x] - 1;
      if (row >= 0 && !found.has(row) && isInside(x + 0.5, y + 0.5, polygon)) found.add(row);
    }
  }
  return found;
}

/** Middle of each object in pixels of the full resolution, NaN if it is not in the picture. */
export function middlesOf({ head, rows }: ImagePicture, n: number): Float32Array {
  const sums = new Float64Array(3 * n);
  rows.forEach((object, pixel) => {
    if (object === 0 || object > n) return;
    const at = 3 * (object - 1);
    sums[at] += 1;
    sums[at + 1] += (pixel % head.w) + 0.5;
    sums[at + 2] += Math.floor(pixel / head.w) + 0.5;
  });
  const scale = [(head.x1 - head.x0) / head.w, (head.y1 - head.y0) / head.h];
  return Float32Array.from({ length: 2 * n }, (_, i) => {
    const [at, axis] = [3 * (i >> 1), i & 1];
    return [head.x0, head.y0][axis] + (sums[at + 1 + axis] / sums[at]) * scale[axis];
  });
}

/** Finds the next object in a direction, and objects near the pointer. */
export class ObjectPlaces {
  private readonly middles: Float32Array;
  private readonly grid: PointGrid;

  constructor(picture: ImagePicture, n: number) {
    this.middles = middlesOf(picture, n);
    this.grid = new PointGrid(this.middles);
  }

  placeOf(row: number): Point {
    return [this.middles[2 * row], this.middles[2 * row + 1]];
  }

  /** The nearest first. */
  around(from: Point, scale: number, accepts: (row: number) => boolean): number[] {
    return this.grid.around(from, AROUND_PX / scale, N_AROUND, accepts);
  }

  /** The next object in a direction, upwards positive although images grow downwards. */
  next(from: Point, [dx, dy]: Point, scale: number, accepts: (row: number) => boolean): number {
    return this.grid.towards(from, [dx, -dy], STEP_PX / scale, accepts);
  }
}

function toPixels({ head }: ImagePicture, [x, y]: Point): Point {
  return [
    ((x - head.x0) / (head.x1 - head.x0)) * head.w,
    ((y - head.y0) / (head.y1 - head.y0)) * head.h,
  ];
}
