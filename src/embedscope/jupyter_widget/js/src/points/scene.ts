// What a renderer draws. Positions, colours and selection change at different times, so each has a
// version, and only what changed is uploaded.

export const CROSS_LINE_PX = 1.5;

export interface Scene {
  xy: Float32Array;
  /** Earlier positions, for the morph; the same length as xy. */
  before: Float32Array;
  /** How far the morph is, 0..1. */
  morph: number;
  levels: Uint8Array;
  palette: Uint8Array;
  mask: Uint8Array;
  hasSelection: boolean;
  /** 1 for points with a cross. */
  marked: Uint8Array;
  hasMarks: boolean;
  /** Colour of the crosses, "rgb(r, g, b)". */
  ink: string;
  size: number;
  opacity: number;
  versions: Record<"positions" | "colors" | "palette" | "mask" | "marked", number>;
}

export function emptyScene(): Scene {
  const none = new Float32Array(0);
  return {
    xy: none,
    before: none,
    morph: 1,
    levels: new Uint8Array(0),
    palette: new Uint8Array(251 * 4),
    mask: new Uint8Array(0),
    hasSelection: false,
    marked: new Uint8Array(0),
    hasMarks: false,
    ink: "rgb(0, 0, 0)",
    size: 5,
    opacity: 1,
    versions: { positions: 0, colors: 0, palette: 0, mask: 0, marked: 0 },
  };
}

/** Of new samples, positions, colours and selection arrive one by one: draw what all have. */
export function nDrawn({ xy, levels, mask, marked }: Scene): number {
  return Math.min(xy.length / 2, levels.length, mask.length, marked.length);
}

/** Diameter in screen pixels: smaller the more points there are, larger when zoomed in. */
export function pointSize(n: number, magnification: number, scale: number): number {
  const base = Math.min(9, Math.max(1.6, 22 / Math.pow(Math.max(n, 1) / 100, 0.3)));
  return Math.min(30, base * Math.pow(magnification, 0.4) * scale);
}

/** Width of a cross in screen pixels: wider than its point, so that it is visible. */
export function crossSize(size: number): number {
  return size + 5;
}

/** Lower for more points, so that dense maps show their density. */
export function pointOpacity(n: number): number {
  return Math.min(0.9, Math.max(0.35, 1.25 - 0.16 * Math.log10(Math.max(n, 1))));
}
