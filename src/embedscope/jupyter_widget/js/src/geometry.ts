// Polygons in map or image coordinates: point in polygon, bounds, simplification.

export type Point = readonly [number, number];
export type Polygon = readonly Point[];

export interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

export function boundsOf(polygon: Polygon): Box {
  const box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (const [x, y] of polygon) {
    box.x0 = Math.min(box.x0, x);
    box.y0 = Math.min(box.y0, y);
    box.x1 = Math.max(box.x1, x);
    box.y1 = Math.max(box.y1, y);
  }
  return box;
}

/** Non-zero winding rule, as in the kernel and as SVG fills a lasso that crosses itself. */
export function isInside(x: number, y: number, polygon: Polygon): boolean {
  let winding = 0;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y === yj > y) continue; // the edge does not cross the ray
    if (x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) winding += yi > yj ? 1 : -1;
  }
  return winding !== 0;
}

export function rectangle(a: Point, b: Point): Polygon {
  return [a, [b[0], a[1]], b, [a[0], b[1]]];
}

/** Whether an edge of the polygon touches the box; samples of such cells are tested one by one. */
export function edgeTouches(box: Box, polygon: Polygon): boolean {
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    if (segmentTouches(box, polygon[j], polygon[i])) return true;
  }
  return false;
}

/** Liang and Barsky: clips a segment by a box. */
export function segmentTouches(box: Box, [ax, ay]: Point, [bx, by]: Point): boolean {
  let from = 0;
  let to = 1;
  const clips = [
    [ax - bx, ax - box.x0],
    [bx - ax, box.x1 - ax],
    [ay - by, ay - box.y0],
    [by - ay, box.y1 - ay],
  ];
  for (const [p, q] of clips) {
    if (p === 0 && q < 0) return false;
    if (p < 0) from = Math.max(from, q / p);
    if (p > 0) to = Math.min(to, q / p);
  }
  return from <= to;
}

/** Ramer, Douglas and Peucker: the fewest vertices that stay within `tolerance` of the line. */
export function simplify(line: Polygon, tolerance: number): Point[] {
  if (line.length < 3) return [...line];
  const first = line[0];
  const last = line[line.length - 1];
  let farthest = 0;
  let at = 0;
  for (let i = 1; i < line.length - 1; i++) {
    const distance = distanceToSegment(line[i], first, last);
    if (distance > farthest) [farthest, at] = [distance, i];
  }
  if (farthest <= tolerance) return [first, last];
  const left = simplify(line.slice(0, at + 1), tolerance);
  return [...left.slice(0, -1), ...simplify(line.slice(at), tolerance)];
}

function distanceToSegment([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length2 = dx * dx + dy * dy;
  const along = length2 === 0 ? 0 : ((x - ax) * dx + (y - ay) * dy) / length2;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}
