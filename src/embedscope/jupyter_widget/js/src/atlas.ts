// The atlas: pictures decoded in advance on a grid over the map, shown at once and without a
// kernel.

import type { Atlas, Decoded } from "./messages";

export interface AtlasPictures {
  head: Atlas;
  rgb: Uint8Array;
  support: Uint8Array;
}

export interface DecodedPicture {
  head: Decoded;
  rgb: Uint8Array;
  spread: Uint8Array; // empty if not measured
  isAtlas: boolean;
}

export function pictureAt(
  { head, rgb, support }: AtlasPictures,
  x: number,
  y: number,
): DecodedPicture {
  const column = cellOf(x, head.x0, head.x1, head.nx);
  const at = cellOf(y, head.y0, head.y1, head.ny) * head.nx + column;
  const size = head.w * head.h * 3;
  const { w, h } = head;
  const unknown = { req: 0, rows: [], names: [], distances: [], values: [], deviations: [] };
  const typical = { style: "typical", style_name: "", style_row: -1 } as const;
  return {
    head: { t: "dec", x, y, w, h, support: support[at] / 255, decoded: true, ...unknown, ...typical },
    rgb: rgb.subarray(at * size, (at + 1) * size),
    spread: new Uint8Array(0),
    isAtlas: true,
  };
}

function cellOf(value: number, from: number, to: number, n: number): number {
  const cell = Math.floor(((value - from) / (to - from || 1)) * n);
  return Math.max(0, Math.min(n - 1, cell));
}
