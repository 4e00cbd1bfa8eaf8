// A grid over the samples, to find the nearest ones and those inside a lasso.

import { type Box, type Point, type Polygon, boundsOf, edgeTouches, isInside } from "./geometry";

const LARGEST_SIDE = 256; // cells

/** Samples sorted by cell: those of cell c are order[starts[c]] .. order[starts[c + 1] - 1]. */
export class PointGrid {
  private readonly side: number;
  private readonly starts: Uint32Array;
  private readonly order: Uint32Array;
  private readonly box: Box;
  private readonly cellWidth: number;
  private readonly cellHeight: number;

  constructor(private readonly xy: Float32Array) {
    const n = xy.length / 2;
    this.side = Math.max(1, Math.min(LARGEST_SIDE, Math.round(Math.sqrt(n / 4))));
    this.box = boundsOfPositions(xy);
    this.cellWidth = (this.box.x1 - this.box.x0) / this.side || 1;
    this.cellHeight = (this.box.y1 - this.box.y0) / this.side || 1;
    this.starts = new Uint32Array(this.side * this.side + 1);
    this.order = this.sortByCell(n);
  }

  private sortByCell(n: number): Uint32Array {
    const cells = new Int32Array(n).fill(-1); // samples without a position are in no cell
    let nPlaced = 0;
    for (let i = 0; i < n; i++) {
      if (!Number.isFinite(this.xy[2 * i])) continue;
      nPlaced++;
      cells[i] = this.row(this.xy[2 * i + 1]) * this.side + this.column(this.xy[2 * i]);
      this.starts[cells[i] + 1]++;
    }
    for (let c = 0; c < this.starts.length - 1; c++) this.starts[c + 1] += this.starts[c];
    const next = this.starts.slice();
    const order = new Uint32Array(nPlaced);
    for (let i = 0; i < n; i++) if (cells[i] >= 0) order[next[cells[i]]++] = i;
    return order;
  }

  private column(x: number): number {
    return this.clamp((x - this.box.x0) / this.cellWidth);
  }

  private row(y: number): number {
    return this.clamp((y - this.box.y0) / this.cellHeight);
  }

  private clamp(cell: number): number {
    return Math.max(0, Math.min(this.side - 1, Math.floor(cell) || 0));
  }

  /** The nearest sample within `reach` that `accepts` takes, or -1. */
  nearest(x: number, y: number, reach: number, accepts: (row: number) => boolean): number {
    let best = -1;
    let bestDistance2 = reach * reach;
    this.visit({ x0: x - reach, y0: y - reach, x1: x + reach, y1: y + reach }, (row) => {
      const dx = this.xy[2 * row] - x;
      const dy = this.xy[2 * row + 1] - y;
      const distance2 = dx * dx + dy * dy;
      if (distance2 <= bestDistance2 && accepts(row)) [best, bestDistance2] = [row, distance2];
    });
    return best;
  }

  /** The `most` nearest samples within `reach` that `accepts` takes, the nearest first. */
  around(
    [x, y]: Point,
    reach: number,
    most: number,
    accepts: (row: number) => boolean,
  ): number[] {
    // In dense parts, a small part of the reach has enough samples.
    const step = Math.max(this.cellWidth, this.cellHeight);
    for (let part = Math.min(step, reach); ; part = Math.min(2 * part, reach)) {
      const found: [number, number][] = [];
      this.visit({ x0: x - part, y0: y - part, x1: x + part, y1: y + part }, (row) => {
        const distance = Math.hypot(this.xy[2 * row] - x, this.xy[2 * row + 1] - y);
        if (distance <= part && accepts(row)) found.push([distance, row]);
      });
      if (found.length >= most || part >= reach) {
        found.sort((a, b) => a[0] - b[0]);
        return found.slice(0, most).map(([, row]) => row);
      }
    }
  }

  /** The nearest sample in a quarter of the plane, no nearer than `least`, or -1. */
  towards(
    [x, y]: Point,
    [dx, dy]: Point,
    least: number,
    accepts: (row: number) => boolean,
  ): number {
    const across = Math.hypot(this.box.x1 - this.box.x0, this.box.y1 - this.box.y0);
    const farthest = across + Math.hypot(x - this.box.x0, y - this.box.y0) + least;
    const isThere = (row: number) => {
      const [ex, ey] = [this.xy[2 * row] - x, this.xy[2 * row + 1] - y];
      const [along, aside] = [ex * dx + ey * dy, Math.abs(ex * dy - ey * dx)];
      return along >= aside && Math.hypot(ex, ey) >= least && accepts(row);
    };
    for (let reach = 4 * least; ; reach *= 2) {
      const row = this.nearest(x, y, reach, isThere);
      if (row >= 0 || reach > farthest) return row;
    }
  }

  /** 1 for every sample inside the polygon; only in cells on its border is each sample tested. */
  inPolygon(polygon: Polygon): Uint8Array {
    const hits = new Uint8Array(this.xy.length / 2);
    if (polygon.length < 3) return hits;
    const around = boundsOf(polygon);
    for (let r = this.row(around.y0); r <= this.row(around.y1); r++) {
      for (let c = this.column(around.x0); c <= this.column(around.x1); c++) {
        this.markCell(c, r, polygon, hits);
      }
    }
    return hits;
  }

  private markCell(column: number, row: number, polygon: Polygon, hits: Uint8Array): void {
    const cell = row * this.side + column;
    const [from, to] = [this.starts[cell], this.starts[cell + 1]];
    if (from === to) return;
    const box = this.cellBox(column, row);
    if (edgeTouches(box, polygon)) {
      for (let k = from; k < to; k++) {
        const i = this.order[k];
        if (isInside(this.xy[2 * i], this.xy[2 * i + 1], polygon)) hits[i] = 1;
      }
    } else if (isInside((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, polygon)) {
      for (let k = from; k < to; k++) hits[this.order[k]] = 1;
    }
  }

  /** Slightly larger than the cell: rounding may put a sample on its border into the next cell. */
  private cellBox(column: number, row: number): Box {
    const slack = 1e-4;
    return {
      x0: this.box.x0 + (column - slack) * this.cellWidth,
      y0: this.box.y0 + (row - slack) * this.cellHeight,
      x1: this.box.x0 + (column + 1 + slack) * this.cellWidth,
      y1: this.box.y0 + (row + 1 + slack) * this.cellHeight,
    };
  }

  private visit(box: Box, look: (row: number) => void): void {
    for (let r = this.row(box.y0); r <= this.row(box.y1); r++) {
      const from = this.starts[r * this.side + this.column(box.x0)];
      const to = this.starts[r * this.side + this.column(box.x1) + 1];
      for (let k = from; k < to; k++) look(this.order[k]);
    }
  }
}

/** Bounds of all finite positions; the unit square if there are none. */
export function boundsOfPositions(xy: Float32Array): Box {
  const box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (let i = 0; i < xy.length; i += 2) {
    const [x, y] = [xy[i], xy[i + 1]];
    if (!(Number.isFinite(x) && Number.isFinite(y))) continue;
    if (x < box.x0) box.x0 = x;
    if (x > box.x1) box.x1 = x;
    if (y < box.y0) box.y0 = y;
    if (y > box.y1) box.y1 = y;
  }
  return box.x0 > box.x1 ? { x0: 0, y0: 0, x1: 1, y1: 1 } : box;
}
