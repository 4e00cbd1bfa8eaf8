// Selections: one byte per sample in memory, one bit per sample in messages.

import type { Select } from "./messages";

export type Mode = Select["mode"];

/** Least significant bit first, as numpy.packbits(..., bitorder="little"). */
export function pack(mask: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(mask.length / 8));
  for (let i = 0; i < mask.length; i++) if (mask[i]) bits[i >> 3] |= 1 << (i & 7);
  return bits;
}

export function unpack(bits: Uint8Array, n: number): Uint8Array {
  const mask = new Uint8Array(n);
  for (let i = 0; i < n; i++) mask[i] = (bits[i >> 3] >> (i & 7)) & 1;
  return mask;
}

export function combine(current: Uint8Array, hits: Uint8Array, mode: Mode): Uint8Array {
  const result = new Uint8Array(hits.length);
  for (let i = 0; i < hits.length; i++) {
    const was = current[i] ?? 0;
    if (mode === "replace") result[i] = hits[i];
    else if (mode === "add") result[i] = was | hits[i];
    else if (mode === "subtract") result[i] = was & (1 - hits[i]);
    else result[i] = was ^ hits[i];
  }
  return result;
}

/** Only this sample. */
export function oneOf(n: number, row: number): Uint8Array {
  const mask = new Uint8Array(n);
  mask[row] = 1;
  return mask;
}

export function count(mask: Uint8Array): number {
  let total = 0;
  for (let i = 0; i < mask.length; i++) total += mask[i];
  return total;
}

/** Shift adds, Alt subtracts, both toggle; the same on the map and the image. */
export function modeOf(event: { shiftKey: boolean; altKey: boolean }): Mode {
  if (event.shiftKey && event.altKey) return "invert";
  if (event.shiftKey) return "add";
  return event.altKey ? "subtract" : "replace";
}
