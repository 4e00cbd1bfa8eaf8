// The visible part of a plane, and the number of pixels to request.

import type { Camera } from "../camera";
import type { ImageItem, WantPicture } from "../messages";

const LARGEST_SIDE = 1024; // pixels

export type Part = Pick<WantPicture, "x0" | "y0" | "x1" | "y1" | "w" | "h">;

/** Null if the image is out of view. */
export function partInSight({ width, height }: ImageItem, camera: Camera): Part | null {
  const seen = camera.visible;
  const x0 = Math.max(0, Math.floor(seen.x0));
  const y0 = Math.max(0, Math.floor(seen.y0));
  const x1 = Math.min(width, Math.ceil(seen.x1));
  const y1 = Math.min(height, Math.ceil(seen.y1));
  if (x1 <= x0 || y1 <= y0) return null;
  const pixels = camera.scale * Math.min(2, window.devicePixelRatio || 1);
  const [w, h] = [(x1 - x0) * pixels, (y1 - y0) * pixels].map((v) =>
    Math.max(1, Math.min(LARGEST_SIDE, Math.round(v))),
  );
  return { x0, y0, x1, y1, w, h };
}
